"""
The signed session cookie of a browser.
"""

import hmac


# What is signed says what it is for, so that no other signature by the token
# can pass for it.
_PURPOSE = "conexxus-shim-session"


def session_name(token: str) -> str:
    """
    The name of the cookie.

    Browsers keep cookies by host name, whatever the port: two shims on one
    machine would write over each other's.
    """
    return f"conexxus_session_{_signature(token, 'name')[:8]}"


def sign_session(token: str, until: float) -> str:
    """
    A session that ends at *until*, in seconds since 1970.
    """
    end = f"{until:.0f}"

    return f"{end}.{_signature(token, end)}"


def is_session(text: str, token: str, now: float) -> bool:
    """
    Did `sign_session` write *text* with *token*, and does it still hold?
    """
    end, _, signature = text.partition(".")
    ours = hmac.compare_digest(
        signature.encode(errors="surrogateescape"), _signature(token, end).encode()
    )

    # Only what we signed is read as a number.
    return ours and now < int(end)


def _signature(token: str, end: str) -> str:
    signed = f"{_PURPOSE}:{end}".encode(errors="surrogateescape")

    return hmac.digest(token.encode(), signed, "sha256").hex()

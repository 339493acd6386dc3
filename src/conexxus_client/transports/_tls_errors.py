"""
Sentences for TLS that fails: the cause, and the setting that mends it.
"""

import re
import ssl
from collections.abc import Iterable

from conexxus_client.errors import TlsError


_CHECK_URL = "Check CONEXXUS_API_URL"
_CHECK_CLOCK = "Check the clock of this machine"
_SET_CA = (
    "Set CONEXXUS_CA_FILE to the certificates of the authority that signed the server's; "
    "where it is set, it has those of another"
)
_SET_CERT = "Set CONEXXUS_CLIENT_CERT to a certificate that the server accepts"
_OLD_SERVER = "The server needs TLS 1.2 or later"

# X509_V_ERR_…, which `SSLCertVerificationError.verify_code` gives.
_ADVICE_BY_CODE = {
    2: _SET_CA,
    9: _CHECK_CLOCK,
    10: f"{_CHECK_CLOCK}; if it is right, the server needs a new certificate",
    18: _SET_CA,
    19: _SET_CA,
    20: _SET_CA,
    21: _SET_CA,
    62: _CHECK_URL,
    64: _CHECK_URL,
}

# OpenSSL's names of reasons differ by version; the first pattern that is found counts.
_ADVICE_BY_REASON = (
    (r"WRONG_VERSION|UNKNOWN_PROTOCOL|HTTP_REQUEST|RECORD_LAYER|PACKET_LENGTH", _CHECK_URL),
    (r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|KEY_TOO_SMALL", _OLD_SERVER),
    (r"UNRECOGNIZED_NAME", _CHECK_URL),
    (r"ALERT_(\w+_)?CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS|HANDSHAKE_FAILURE", _SET_CERT),
)
_IS_NO_TLS = re.compile(_ADVICE_BY_REASON[0][0])
# What asyncio and anyio raise where `ssl` raises SSLEOFError.
_ENDED = {"SSLEOFError", "SSLZeroReturnError", "EndOfStream", "BrokenResourceError"}


def tls_message(error: ssl.SSLError) -> str:
    """
    The message of a `TlsError`: OpenSSL's reason, and what to do.
    """
    reason = error.reason or ""

    if isinstance(error, ssl.SSLCertVerificationError):
        why, advice = error.verify_message, _ADVICE_BY_CODE.get(error.verify_code)
    else:
        why = reason.replace("_", " ").lower() or "no reason given"
        advice = next((do for like, do in _ADVICE_BY_REASON if re.search(like, reason)), None)
        if _IS_NO_TLS.search(reason):
            why = "the server does not speak TLS there"

    return (
        f"Conexxus API secure connection failed: {why.rstrip('.')}. "
        f"{advice or 'Check the certificate and API URL'}."
    )


def tls_error(causes: Iterable[BaseException]) -> TlsError | None:
    """
    The error for the first of *causes* that says something about trust.
    """
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and type(cause).__name__ not in _ENDED:
            return TlsError(tls_message(cause))

    return None


def ended_in_handshake(causes: Iterable[BaseException]) -> bool:
    """
    Did the other side hang up while the connection was made secure?

    That says nothing about trust.
    """
    return any(type(cause).__name__ in _ENDED for cause in causes)

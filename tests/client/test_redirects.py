"""
Redirects, none of which is followed: where they lead, and which setting avoids them.
"""

import pytest

from canary import CANARY
from conexxus_client import ApiProfile, RedirectError

from .matrix.row import answer
from .matrix.test_matrix import batch


SALES = "/api/v1/sales/push"
CASES = {
    "slash": (f"{SALES}/", f"to {SALES}/", f"Set ApiProfile.sales_path to '{SALES}/'."),
    "relative": ("push/", "to /api/v1/sales/push/,", "Set ApiProfile.sales_path"),
    "query": (f"{SALES}/?token=s3cret", f"to {SALES}/,", "Set ApiProfile.sales_path"),
    "prefix": (f"/shop{SALES}", f"to /shop{SALES}", "Set CONEXXUS_API_URL to ORIGIN/shop."),
    "absolute": (f"ORIGIN{SALES}/", f"to {SALES}/", "Set ApiProfile.sales_path"),
    "login": ("/account/login?next=/", "to /account/login,", "check the API key"),
    "itself": (SALES, f"to {SALES}", "It leads to itself"),
    "itself, other query": (f"{SALES}?sid=1", f"to {SALES}", "It leads to itself"),
    "other host": ("https://other.example/x", "to https://other.example:443", "final address"),
    "other host's login": ("https://login.example/x", "https://login.example", "a login page"),
    "letters": ("/caf\u00e9", "to /caf\u00e9,", "Set ApiProfile.sales_path to '/caf%C3%A9'."),
    "none": (None, "redirected (308) without a Location.", "Check CONEXXUS_API_URL."),
    "empty": ("", "redirected (308) without a Location.", "Check CONEXXUS_API_URL."),
    "no URL": ("http://[", "to an address that is not a URL", "Check CONEXXUS_API_URL."),
    "no host": ("mailto:a@b.example", "to an address that is not a URL", "Check CONEXXUS_API_URL."),
}


@pytest.mark.case(
    "B6", "A redirect leads to another path, or nowhere", "path and setting are named, or that"
)
@pytest.mark.parametrize("what", CASES)
def test_redirects(connect, raw_server, what):
    """
    The message shows where it leads, and names the setting that helps.
    """
    location, where, advice = CASES[what]
    server = raw_server(b"")
    fields = [] if location is None else [f"Location: {location.replace('ORIGIN', server.url)}"]
    server._script = answer(b"", *fields, status="308 Permanent Redirect")

    with pytest.raises(RedirectError) as info:
        connect(server.url).push_sales(batch(), idempotency_key="k")

    text = str(info.value)
    assert where in text
    assert advice.replace("ORIGIN", server.url) in text
    assert "s3cret" not in text
    assert "sid" not in text
    assert len(server.requests) == 1


def test_each_path_has_its_setting(connect, raw_server):
    """
    The setting that is named is that of the call, below the base URL's path.
    """
    server = raw_server(answer(b"", "Location: /base/h2", status="302 Found"))
    client = connect(f"{server.url}/base", profile=ApiProfile(health_path="/h1"))

    with pytest.raises(RedirectError, match=r"Set ApiProfile\.health_path to '/h2'\."):
        client.health()
    with pytest.raises(RedirectError, match=r"Set ApiProfile\.catalog_path to '/h2'\."):
        client.fetch_items()


def test_keys_in_locations(connect, raw_server):
    """
    A path that repeats the key does not show it.
    """
    server = raw_server(answer(b"", f"Location: /{CANARY}/x", status="302 Found"))

    with pytest.raises(RedirectError) as info:
        connect(server.url, api_key=CANARY).health()

    assert CANARY not in str(info.value)

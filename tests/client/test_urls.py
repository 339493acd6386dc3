"""
Base URLs as people write them: accepted, or refused with the reason.
"""

import pytest

from conexxus_client import ApiProfile, ClientConfig, ConfigurationError


ACCEPTED = {
    "HTTPS://Shop.Example/Api": "https://shop.example/Api",
    "https://SHOP.example:8443": "https://shop.example:8443",
    "https://b\u00fccher.example/a": "https://xn--bcher-kva.example/a",
    "https://B\u00dcCHER.example:8443": "https://xn--bcher-kva.example:8443",
    "https://\u4f8b\u3048.example": "https://xn--r8jz45g.example",
    "https://\u4f8b\u3048\u3002example": "https://xn--r8jz45g.example",
    "https://my_host.example./": "https://my_host.example./",
    "https://[::1]:8443/x": "https://[::1]:8443/x",
    "Http://LocalHost:8080": "http://localhost:8080",
}

BLANK = "CONEXXUS_API_URL has a blank before or behind it: remove it"
QUOTED = "CONEXXUS_API_URL is in quotes: remove them"
INVALID = "CONEXXUS_API_URL is not a valid URL: "
SCHEME = "CONEXXUS_API_URL must start with http:// or https://"
REFUSED = {
    "https://shop.example ": BLANK,
    "\thttps://shop.example": BLANK,
    "https://shop.example\n": BLANK,
    "https://shop.example\u00a0": BLANK,
    "https://shop.example\u200b": BLANK,
    "\ufeffhttps://shop.example": BLANK,
    '"https://shop.example"': QUOTED,
    "\u201chttps://shop.example\u201d": QUOTED,
    "<https://shop.example>": QUOTED,
    "shop.example": SCHEME,
    "https:/shop.example": SCHEME,
    "localhost:8080": SCHEME,
    "https://": INVALID + "it names no host",
    "https:///path": INVALID + "it names no host",
    "https://:8443": INVALID + "it names no host",
    "https://shop.example:port": INVALID + "its port is no number from 1 to 65535",
    "https://shop.example:0": INVALID + "its port is no number from 1 to 65535",
    "https://shop.example:65536": INVALID + "its port is no number from 1 to 65535",
    "https://[::1": INVALID + "the address between [ and ] is none",
    "https://a..example": INVALID + "a part of its host between dots is empty or too long",
    f"https://{'a' * 64}.example": INVALID + "a part of its host between dots is empty or too long",
    "https://shop.example,": INVALID + "its host can't have ',' in it",
    "https://$SHOP": INVALID + "its host can't have '$' in it",
    "https://shop.example\\api": INVALID + "its host can't have '\\\\' in it",
    "https://https://shop.example": INVALID + "it has :// twice",
    "https://shop\u00ad.example": INVALID + "character 13 is a blank or no ASCII: write it as %XX",
    "https://stra\u00dfe.example": INVALID
    + "write its host in punycode, like xn--bcher-kva.example",
    "https://shop.example/a b": INVALID + "character 23 is a blank or no ASCII: write it as %XX",
    "https://shop.example/caf\u00e9": INVALID
    + "character 25 is a blank or no ASCII: write it as %XX",
}


@pytest.mark.case("B12", "The base URL has capitals or letters of its language", "it is accepted")
@pytest.mark.parametrize("written", ACCEPTED)
def test_urls_that_are_accepted(written):
    """
    Scheme and host have no case, and DNS has its own spelling.
    """
    config = ClientConfig(api_url=written, api_key="k")
    read = ClientConfig.from_env({"CONEXXUS_API_URL": written, "CONEXXUS_API_KEY": "k"})

    assert config.api_url == read.api_url == ACCEPTED[written]


@pytest.mark.case("B12", "The base URL can't be used", "what is wrong with it is said")
@pytest.mark.parametrize("written", REFUSED)
def test_urls_that_are_refused(written):
    """
    The reason is one sentence; in code and environment the same.
    """
    for make in (
        lambda: ClientConfig(api_url=written, api_key="k"),
        lambda: ClientConfig.from_env({"CONEXXUS_API_URL": written, "CONEXXUS_API_KEY": "k"}),
    ):
        with pytest.raises(ConfigurationError) as info:
            make()
        assert info.value.problems == (REFUSED[written],)


def test_passwords_in_urls():
    """
    A URL with a password is refused, and not shown, however it is written.
    """
    for written in (
        "HTTPS://u:pass-word@Shop.example",
        "https://u:pass-word@b\u00fccher.example:x",
    ):
        with pytest.raises(ConfigurationError) as info:
            ClientConfig(api_url=written, api_key="k")
        assert "pass-word" not in str(info.value)


def test_calls_to_a_url_with_capitals(connect, server):
    """
    Paging links and redirects compare with the origin in the same spelling.
    """
    client = connect(server.url.replace("http", "HTTP"), profile=ApiProfile())

    assert client.health().ok
    assert len(client.fetch_items()) == 5

"""
The client's settings.
"""

import json
import pickle
import time

import pytest

from canary import CANARY, spelled
from conexxus_client import ClientConfig, ConfigurationError, Secret


GOOD = {"CONEXXUS_API_URL": "https://api.example", "CONEXXUS_API_KEY": "s3cret"}


def test_defaults():
    """
    Two variables are required; the others have the documented defaults.
    """
    config = ClientConfig.from_env(GOOD)

    assert config.api_url == "https://api.example"
    assert config.api_key == Secret("s3cret")
    assert config.timeout_ms == 30_000
    assert config.retries == 3
    assert config.retry_delay_ms == 1_000
    assert config.location_id == "default"
    assert config.allow_insecure is False
    assert config.http_backend == "httpx"
    assert config.proxy is config.ca_file is None


def test_all_problems_at_once():
    """
    Everything that is wrong is said in one error.
    """
    with pytest.raises(ConfigurationError) as info:
        ClientConfig.from_env(
            {
                "CONEXXUS_API_URL": "ftp://x",
                "CONEXXUS_TIMEOUT": "30s",
                "CONEXXUS_RETRIES": "-1",
                "CONEXXUS_HTTP_BACKEND": "urllib",
                "CONEXXUS_ALLOW_INSECURE": "yes",
            }
        )

    assert set(info.value.problems) == {
        "CONEXXUS_API_URL must start with http:// or https://",
        "CONEXXUS_API_KEY is not configured",
        "CONEXXUS_TIMEOUT must be a whole number of milliseconds, got '30s'",
        "CONEXXUS_RETRIES must be a whole number from 0 to 100, got '-1'",
        "CONEXXUS_HTTP_BACKEND must be httpx or httpx2, got 'urllib'",
        "CONEXXUS_ALLOW_INSECURE must be 1 or 0, got 'yes'",
    }
    assert "; ".join(info.value.problems) == str(info.value)


def test_nothing_configured():
    """
    An empty environment, and one of empty texts, say the same.
    """
    for environ in ({}, dict.fromkeys(GOOD, "")):
        with pytest.raises(ConfigurationError) as info:
            ClientConfig.from_env(environ)

        assert info.value.problems == (
            "CONEXXUS_API_URL is not configured",
            "CONEXXUS_API_KEY is not configured",
        )


@pytest.mark.parametrize("key", ["canary\n", "can ary", "canäry", "\tcanary", "canary\r\nX: 1"])
def test_key_that_is_no_header(key):
    """
    A key that can't be a header is refused, not stripped, and not shown.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_API_KEY contains") as info:
        ClientConfig.from_env({**GOOD, "CONEXXUS_API_KEY": key})

    assert "can" not in str(info.value).removeprefix("CONEXXUS_API_KEY contains a")


@pytest.mark.parametrize("value", ["1.5", " 5", "٣", "1e3", "999999999999", "-5", "1_000"])
def test_odd_numbers(value):
    """
    Only a plain positive whole number is one.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_TIMEOUT must be"):
        ClientConfig.from_env({**GOOD, "CONEXXUS_TIMEOUT": value})


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://localhost:8080", True),
        ("http://127.0.0.1/base", True),
        ("http://[::1]:8080", True),
        ("http://[::ffff:127.0.0.1]:8080", True),
        ("http://127.8.9.1:8080", True),
        ("http://api.example", False),
        ("https://api.example:8443/base/", True),
        ("https://user:pw@api.example", False),
        ("https://api.example?x=1", False),
        ("https://api.example#x", False),
        ("https://", False),
        ("https://api.example:99999", False),
        ("https://api .example", False),
        ("api.example", False),
    ],
)
def test_urls(url, good):
    """
    The key is never sent in clear beyond this machine, unless allowed.
    """
    environ = {**GOOD, "CONEXXUS_API_URL": url}

    if good:
        assert ClientConfig.from_env(environ).api_url == url
    else:
        with pytest.raises(ConfigurationError, match="CONEXXUS_API_URL") as info:
            ClientConfig.from_env(environ)
        assert "pw" not in str(info.value)


def test_insecure():
    """
    http beyond loopback has to be asked for.
    """
    environ = {**GOOD, "CONEXXUS_API_URL": "http://api.example"}

    assert ClientConfig.from_env(environ, allow_insecure=True).allow_insecure
    assert ClientConfig.from_env({**environ, "CONEXXUS_ALLOW_INSECURE": "1"}).allow_insecure


def test_settings_in_code_are_checked_too():
    """
    A configuration made in code follows the same rules.
    """
    with pytest.raises(ConfigurationError):
        ClientConfig(api_url="http://api.example", api_key="k")


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_ms": "30s"},
        {"timeout_ms": 1.5},
        {"timeout_ms": 0},
        {"retries": -1},
        {"retries": 5_000},
        {"retries": True},
        {"retry_delay_ms": -5_000},
        {"api_url": None},
        {"api_key": b"k"},
        {"proxy": "http://h:99999"},
        {"proxy": "socks5://h"},
        {"ca_file": "x" * 5_000},
        {"client_cert_file": "missing.pem"},
        {"max_connections": 0},
        {"http_backend": 5},
    ],
    ids=repr,
)
def test_settings_in_code_have_types_and_ranges(settings):
    """
    A setting of another type, or out of range, is a configuration error.
    """
    with pytest.raises(ConfigurationError):
        ClientConfig(**{"api_url": "https://x.example", "api_key": "secret"} | settings)


def test_numbers_with_many_zeros():
    """
    A number is not out of range because of the zeros before it, nor in range.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_RETRIES must be"):
        ClientConfig.from_env({**GOOD, "CONEXXUS_RETRIES": "0" * 20 + "2000"})


def test_redaction():
    """
    A secret is blotted out however it is capitalised; a short one is not
    looked for, since its letters are everywhere.
    """
    assert Secret("s3cret-key").redact("is S3CRET-KEY good?") == "is *** good?"
    assert Secret("s3cret-key").redact_bytes(b"\xff s3cret-KEY") == b"\xff ***"
    assert Secret("k").redact("like this") == "like this"


KEYS = [CANARY, "/+=\"'\\&<>%~", r"\/\/uu0025", "100%/25", "plain-key"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", spelled(CANARY))
def test_redaction_of_other_spellings(key, way):
    """
    A secret is blotted out as JSON, URLs, HTML and Base64 spell it, and
    nothing of it is left.
    """
    form = spelled(key)[way]

    assert Secret(key).redact(f"({form})") == "(***)"
    assert Secret(key).redact_bytes(f'"{form}"'.encode()) == b'"***"'
    assert json.loads(Secret(key).redact(json.dumps([f"'{key}'"]))) == ["'***'"]


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "&#0", "Canary\\", "\\u0043", "/\\\\"])
def test_redaction_takes_no_longer_for_hostile_texts(piece):
    """
    The time that a search takes grows as the text does, and no faster.
    """
    secret = Secret(CANARY)

    def seconds(text: str) -> float:
        started = time.process_time()
        secret.redact(text)
        return time.process_time() - started

    assert seconds(piece * (1_000_000 // len(piece))) < 3


def test_secrets_keep_to_themselves():
    """
    The key is in no repr and does not pickle.
    """
    config = ClientConfig.from_env(GOOD)

    assert "s3cret" not in repr(config)
    assert "s3cret" not in f"{config.api_key}"
    with pytest.raises(TypeError):
        pickle.dumps(config)


@pytest.mark.parametrize("key", ['"abc-def-ghi"', "'abc-def-ghi'"])
def test_key_in_quotes(key):
    """
    What an env file keeps around a value is named, before a back office
    refuses the key; the key is not shown.
    """
    environ = {"CONEXXUS_API_URL": "https://api.example", "CONEXXUS_API_KEY": key}

    with pytest.raises(ConfigurationError, match="CONEXXUS_API_KEY is in quotes") as caught:
        ClientConfig.from_env(environ)
    assert "abc" not in str(caught.value)

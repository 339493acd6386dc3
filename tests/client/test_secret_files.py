"""
Secrets in files, which are read again when they change.
"""

import os

import pytest

from canary import CANARY
from conexxus_client import ClientConfig, ConfigurationError, Secret
from conexxus_client._secrets import FileSecret
from conexxus_sync import SyncConfig
from conexxus_sync.http import Access

from .matrix.row import answer


WELL = answer(b'{"success":true,"data":{"status":"ok"}}')
URL = {"CONEXXUS_API_URL": "https://x.example"}


@pytest.fixture
def key_file(tmp_path):
    """
    A key file, as an editor leaves it.
    """
    path = tmp_path / "key"
    path.write_text("the-first-key\n")
    return path


def test_key_in_a_file(key_file):
    """
    The line end is not part of the key, which shows itself nowhere.
    """
    config = ClientConfig.from_env({**URL, "CONEXXUS_API_KEY_FILE": str(key_file)})

    assert config.api_key.reveal() == "the-first-key"
    assert "the-first-key" not in repr(config)
    with pytest.raises(TypeError, match="does not pickle"):
        config.api_key.__reduce__()


def test_new_key_on_the_wire(connect, raw_server, key_file):
    """
    A client sends the new key from the next request on; neither is shown.
    """
    server = raw_server(WELL)
    client = connect(server.url, api_key=FileSecret(key_file))

    assert client.health().ok
    key_file.write_text("the-second-key\n")
    assert client.health().ok

    assert b"X-API-Key: the-first-key\r\n" in server.requests[0]
    assert b"X-API-Key: the-second-key\r\n" in server.requests[1]
    server._script = answer(b"no the-first-key the-second-key", status="422 No")
    assert client.test_connection().message == "Conexxus API error (422): no *** ***"


@pytest.mark.parametrize("text", ["", "\n", "two lines\nhere", "a blank", "caf\u00e9"])
def test_files_that_are_being_written(key_file, text):
    """
    What is no key is not used in place of the last one.
    """
    secret = FileSecret(key_file)

    key_file.write_text(text)
    assert secret.reveal() == "the-first-key"
    key_file.unlink()
    assert secret.reveal() == "the-first-key"
    key_file.write_text("the-second-key\r\n")
    assert secret.reveal() == "the-second-key"


def test_a_file_is_read_when_it_changed_only(key_file, monkeypatch):
    """
    As long as it is the same, one look at its date is enough.
    """
    reads = []
    secret = FileSecret(key_file)
    monkeypatch.setattr("conexxus_client._secrets._text_of", reads.append)

    assert {secret.reveal() for _ in range(9)} == {"the-first-key"}
    assert reads == []


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"CONEXXUS_API_KEY_FILE": "missing"}, "CONEXXUS_API_KEY_FILE can't be read: missing"),
        ({"CONEXXUS_API_KEY_FILE": "."}, "CONEXXUS_API_KEY_FILE can't be read: ."),
        ({"CONEXXUS_API_KEY_FILE": "empty"}, "CONEXXUS_API_KEY_FILE must hold visible ASCII"),
        ({"CONEXXUS_API_KEY_FILE": "binary"}, "CONEXXUS_API_KEY_FILE can't be read: binary (no"),
        (
            {"CONEXXUS_API_KEY_FILE": "key", "CONEXXUS_API_KEY": CANARY},
            "CONEXXUS_API_KEY and CONEXXUS_API_KEY_FILE are both set: keep one",
        ),
        ({}, "CONEXXUS_API_KEY is not configured"),
    ],
)
def test_files_that_hold_no_key(tmp_path, monkeypatch, variables, problem):
    """
    Each is a problem of the configuration, without what the file holds.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "key").write_text("k")

    with pytest.raises(ConfigurationError) as info:
        ClientConfig.from_env({**URL, **variables})

    assert info.value.problems[0].startswith(problem)
    assert CANARY not in str(info.value)


def test_other_secrets_in_files(tmp_path):
    """
    The shim's token and the webhook's address may be in files, too.
    """
    token, hook = tmp_path / "token", tmp_path / "hook"
    token.write_text("a-token-that-is-long\n")
    hook.write_text("https://hooks.example/services/x\n")
    config = SyncConfig.from_env(
        {"CONEXXUS_SHIM_TOKEN_FILE": str(token), "CONEXXUS_ALERT_WEBHOOK_FILE": str(hook)}
    )

    access = Access.on("0.0.0.0", token=config.shim_token)
    assert access.is_token("a-token-that-is-long")
    token.write_text("another-token-that-is-long\n")
    assert not access.is_token("a-token-that-is-long")
    assert access.is_token("another-token-that-is-long")
    assert isinstance(config.alert_webhook, Secret)
    assert config.alert_webhook.reveal() == "https://hooks.example/services/x"
    assert "token-that" not in repr(config) + repr(access)


def test_webhooks_in_files_are_checked(tmp_path):
    """
    An address in a file has to be one that may be used.
    """
    hook = tmp_path / "hook"
    hook.write_text("http://hooks.example/x")

    with pytest.raises(ConfigurationError, match="CONEXXUS_ALERT_WEBHOOK_FILE must start with"):
        SyncConfig.from_env({"CONEXXUS_ALERT_WEBHOOK_FILE": str(hook)})


@pytest.mark.skipif(os.name != "posix", reason="a mounted secret is a link elsewhere")
def test_links_that_are_replaced(tmp_path):
    """
    A mounted secret is renewed by another target of its link.
    """
    for number in (1, 2):
        (tmp_path / f"v{number}").write_text(f"the-key-of-v{number}")
    link = tmp_path / "key"
    link.symlink_to("v1")
    secret = FileSecret(link)

    link.unlink()
    link.symlink_to("v2")

    assert secret.reveal() == "the-key-of-v2"

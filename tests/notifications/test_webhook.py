"""
The webhook's address: which are admitted, how it is reached, and that it stays secret.
"""

import logging
import pickle
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import attrs
import pytest
import trustme
from databases import in_sqlite

from conexxus_client import ConfigurationError, Secret
from conexxus_sync.config import SyncConfig
from conexxus_sync.notifications import open_webhook
from peeks import peek


CANARIES = ("canary-4711", "canary-0815")


def waiting(desk):
    return peek(desk.service.store).notices.waiting()[0]


def events(caplog):
    return [(record.getMessage(), record.webhook) for record in caplog.records]


def test_a_certificate_of_nobody(desk, queue, caplog):
    """
    A webhook that can't prove who it is gets nothing.
    """
    queue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = Secret(f"https://localhost:{server.server_port}/canary-4711")
    thread = threading.Thread(target=server.handle_request)
    thread.start()

    with open_webhook(address, None) as webhook:
        attrs.evolve(desk.sender, webhook=webhook).send_due()
    thread.join()
    server.server_close()

    ((_, why),) = events(caplog)
    assert why == "its certificate can't be trusted, or it does not speak TLS"
    assert waiting(desk) == 1


@in_sqlite
def test_the_address_is_a_secret(hook, desk, queue, caplog):
    """
    It is in no repr, no log and no file, and a configuration that has it does
    not pickle.
    """
    caplog.set_level(logging.DEBUG)
    for number, answer in enumerate((500, 404, "redirect")):
        queue(number)
        hook.answers.append(answer)
        desk.sender.send_due()
    config, path = desk.service.config, desk.service.store.database.path

    said = repr([config, desk.sender, desk.watch, vars(desk.service)]) + caplog.text
    files = [file for file in path.parent.rglob("*") if file.is_file()]

    with pytest.raises(TypeError):
        pickle.dumps(config)
    assert not [canary for canary in CANARIES if canary in said]
    assert not [
        file for file in files for canary in CANARIES if canary.encode() in file.read_bytes()
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example/services/canary-4711?sig=x",
        "http://127.0.0.1:8065/hooks/canary-4711",
        "http://[::1]/canary-4711",
        "http://localhost/canary-4711",
        "HTTPS://hooks.example/canary-4711",
    ],
)
def test_addresses(address):
    """
    Addresses are https, or on this machine.
    """
    config = SyncConfig.from_env({"CONEXXUS_ALERT_WEBHOOK": address})

    assert config.alert_webhook.reveal() == address.replace("HTTPS", "https")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://hooks.example/canary-4711", "must start with https://, or set"),
        ("ftp://hooks.example/canary-4711", "must start with https://"),
        ("canary-4711", "must start with https://"),
        ("https://", "is not a valid URL: it names no host"),
        ("https://hooks.example:99999/canary-4711", "is not a valid URL: its port"),
        ("https://[canary-4711/", "is not a valid URL: the address between"),
        ("https://hooks.example/canary-4711\r\nX: y", "is not a valid URL: character 34"),
        ("https://hooks.example/canary-4711 ", "has a blank before or behind it: remove it"),
        ("https://hooks.example/canary-4711/\u00e9", "is not a valid URL: character 35 is a blank"),
        ("'https://hooks.example/canary-4711'", "is in quotes: remove them"),
        ("https://user:canary-4711@hooks.example/", "must not contain a user"),
        ("https://hooks.example/#canary-4711", "must not contain a user"),
    ],
)
def test_addresses_that_are_none(address, problem):
    """
    What can't be one is a problem beside the others, which does not show it.
    """
    with pytest.raises(ConfigurationError) as caught:
        SyncConfig.from_env({"CONEXXUS_ALERT_WEBHOOK": address, "CONEXXUS_PUSH_AT": "noon"})

    assert len(caught.value.problems) == 2
    assert f"CONEXXUS_ALERT_WEBHOOK {problem}" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_letters_of_an_address():
    """
    The host may have capitals, and letters of its language.
    """
    config = SyncConfig.from_env({"CONEXXUS_ALERT_WEBHOOK": "HTTPS://h\u00f6oks.example/X"})

    assert config.alert_webhook.reveal() == "https://xn--hoks-5qa.example/X"


def test_insecure_addresses_on_request():
    """
    Who allows http to the back office allows it to the webhook.
    """
    address = "http://hooks.example/canary-4711"

    config = SyncConfig.from_env(
        {"CONEXXUS_ALERT_WEBHOOK": address, "CONEXXUS_ALLOW_INSECURE": "1"}
    )

    assert config.alert_webhook.reveal() == address


def test_in_code():
    """
    A configuration made in code is checked, too, and keeps a text secret.
    """
    config = SyncConfig(alert_webhook="https://hooks.example/canary-4711")

    assert config.alert_webhook == Secret("https://hooks.example/canary-4711")
    assert "canary" not in repr(config)
    with pytest.raises(ConfigurationError, match="CONEXXUS_ALERT_WEBHOOK must start with https://"):
        SyncConfig(alert_webhook=Secret("canary-4711"))


def test_the_proxy_of_the_client(hook, desk, queue, new_client, office):
    """
    A webhook is reached through the client's proxy, without key or
    certificate of the back office.
    """
    queue()
    like = attrs.evolve(
        new_client(office).config, proxy=hook.url.partition("/services")[0], allow_insecure=True
    )

    with open_webhook(Secret("http://hooks.example/canary-4711"), like) as webhook:
        attrs.evolve(desk.sender, webhook=webhook).send_due()

    ((path, headers, _),) = hook.posts
    assert path == "http://hooks.example/canary-4711"
    assert "X-API-Key" not in headers
    assert office.api_key not in str(headers)

"""
Secure connections, to real servers with real certificates.
"""

import datetime as dt
import socket
import ssl
import threading

import pytest

from conexxus_client import ClientConfig, ConfigurationError, TlsError


def test_custom_authority(connect, tls_server, authority, ca_file):
    """
    A server whose certificate is signed by the configured authority is
    trusted.
    """
    url = tls_server(authority.issue_cert("localhost"))

    assert connect(url, ca_file=ca_file).health().ok is True


def test_unknown_authority(connect, tls_server, authority):
    """
    Without it, the connection is refused, and the reason is given.
    """
    url = tls_server(authority.issue_cert("localhost"))

    with pytest.raises(TlsError, match="certificate") as info:
        connect(url).health()

    assert info.value.delivery == "not_sent"
    assert info.value.retryable is False
    assert len(info.value.attempts) == 1


def test_wrong_host(connect, tls_server, authority, ca_file):
    """
    A certificate for somebody else is refused.
    """
    url = tls_server(authority.issue_cert("other.example"))

    with pytest.raises(TlsError, match="Hostname mismatch"):
        connect(url, ca_file=ca_file).health()


def test_expired(connect, tls_server, authority, ca_file):
    """
    An expired certificate is refused.
    """
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    url = tls_server(authority.issue_cert("localhost", not_after=past))

    with pytest.raises(TlsError, match="expired"):
        connect(url, ca_file=ca_file).health()


def test_old_tls(connect, tls_server, authority, ca_file):
    """
    A server that knows TLS 1.1 at most is refused.
    """
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        url = tls_server(authority.issue_cert("localhost"), highest=ssl.TLSVersion.TLSv1_1)

    with pytest.raises(TlsError):
        connect(url, ca_file=ca_file).health()


def test_plain_http_to_a_tls_port(connect):
    """
    http:// to a port that answers with a TLS alert says so.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_alert, args=(listener,))
        thread.start()

        with pytest.raises(TlsError, match="speaks TLS on this port"):
            connect(f"http://127.0.0.1:{listener.getsockname()[1]}", retries=0).health()

        thread.join()


def _alert(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def test_no_authority_file(tmp_path):
    """
    A CA file that is missing is said at once.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_CA_FILE is not a file"):
        ClientConfig(api_url="https://x", api_key="k", ca_file=tmp_path / "missing.pem")


def test_authority_file_without_certificates(connect, tmp_path):
    """
    One that holds no certificates is said when the client is made.
    """
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")

    with pytest.raises(ConfigurationError, match="holds no certificates"):
        connect("https://localhost:1", ca_file=empty)

"""
Secure connections, to real servers with real certificates.
"""

import datetime as dt
import socket
import ssl
import struct
import threading

import httpcore
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from conexxus_client import ClientConfig, ConfigurationError, ConnectError, Limits, TlsError
from conexxus_client.transports._error_translation import translated_error
from conexxus_client.transports._tls_errors import tls_message


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


@pytest.mark.case("B5", "The peer hangs up in the TLS handshake", "it says that, and what to check")
@pytest.mark.parametrize("how", ["politely", "by a reset"])
def test_hang_up_in_the_handshake(connect, hang_up, how):
    """
    It is no error of the system's, and nothing was sent.
    """
    with pytest.raises(ConnectError) as info:
        connect(hang_up(reset=how == "by a reset"), retries=1).health()

    assert "Exec format" not in str(info.value)
    assert "CONEXXUS_API_URL" in str(info.value) or "API URL" in str(info.value)
    assert ("TLS handshake" in str(info.value)) or how == "by a reset"
    assert info.value.delivery == "not_sent"
    assert len(info.value.attempts) == 2


@pytest.fixture
def hang_up():
    """
    A port that ends each handshake.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def start(*, reset: bool) -> str:
        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    if reset:
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        threads.append(threading.Thread(target=serve))
        threads[0].start()
        return f"https://localhost:{listener.getsockname()[1]}"

    yield start

    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join()


@pytest.mark.case("B5", "A certificate is not yet valid, or has expired", "the clock is named")
@pytest.mark.parametrize("when", ["not_before", "not_after"])
def test_certificates_of_another_time(connect, tls_server, authority, ca_file, when):
    """
    A clock that is wrong is the commonest cause of both.
    """
    moment = dt.datetime(2020 if when == "not_after" else 2126, 1, 1, tzinfo=dt.UTC)
    early = {"not_before": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)} if when == "not_after" else {}
    url = tls_server(authority.issue_cert("localhost", **{when: moment, **early}))

    with pytest.raises(TlsError, match="Check the clock of this machine"):
        connect(url, ca_file=ca_file).health()


@pytest.mark.case("B5", "The authority is unknown", "CONEXXUS_CA_FILE is named")
def test_advice_for_an_unknown_authority(connect, tls_server, authority):
    """
    The setting that admits another authority is named.
    """
    with pytest.raises(TlsError, match="Set CONEXXUS_CA_FILE to the certificates"):
        connect(tls_server(authority.issue_cert("localhost"))).health()


def test_advice_for_the_wrong_authority(connect, tls_server, authority, tmp_path):
    """
    A file of authorities that does not help is named as well.
    """
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    with pytest.raises(TlsError, match="where it is set, it has those of another"):
        connect(tls_server(authority.issue_cert("localhost")), ca_file=other).health()


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "Set CONEXXUS_CLIENT_CERT"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "Set CONEXXUS_CLIENT_CERT"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "Set CONEXXUS_CLIENT_CERT"),
        ("TLSV1_ALERT_UNKNOWN_CA", "Set CONEXXUS_CLIENT_CERT"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "TLS 1.2 or later"),
        ("UNSUPPORTED_PROTOCOL", "TLS 1.2 or later"),
        ("WRONG_VERSION_NUMBER", "does not speak TLS there. Check CONEXXUS_API_URL"),
        ("TLSV1_UNRECOGNIZED_NAME", "Check CONEXXUS_API_URL"),
        ("SOMETHING_NEW", "something new. Check the certificate and API URL."),
        (None, "no reason given. Check the certificate"),
    ],
)
def test_advice_by_reason(reason, advice):
    """
    OpenSSL's reason is reported with the setting that it is about.
    """
    error = ssl.SSLError(1, "x")
    error.reason = reason

    assert advice in tls_message(error)


@pytest.mark.parametrize("number", [8, 1, None])
def test_numbers_of_ssl(number):
    """
    An error number of `ssl` is no error number of the system.
    """
    error = httpcore.ConnectError()
    error.__cause__ = ssl.SSLEOFError(number, "EOF occurred in violation of protocol")

    found = translated_error(error, Limits(timeout_ms=1))

    assert str(found).startswith("Conexxus API connection ended in the TLS handshake.")


@pytest.fixture
def own(tmp_path, authority):
    """
    Writes a certificate of ours, and its key beside it.
    """

    def write(name, key=None):
        leaf = authority.issue_cert(name)
        pem = leaf.private_key_pem.bytes() if key is None else key(leaf.private_key_pem.bytes())
        (tmp_path / "key.pem").write_bytes(pem)
        (tmp_path / "own.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        return {"client_cert_file": tmp_path / "own.pem", "client_key_file": tmp_path / "key.pem"}

    return write


@pytest.mark.case("B11", "The back office asks for a certificate", "CONEXXUS_CLIENT_CERT is shown")
def test_client_certificate(connect, tls_server, authority, ca_file, own):
    """
    It is renewed while the client lives; while its files are being written, and
    do not belong together, the former one counts.
    """
    shown = []
    url = tls_server(authority.issue_cert("localhost"), clients=authority, shown=shown)
    files = own("till-1.example")
    client = connect(url, ca_file=ca_file, **files)

    assert client.health().ok
    key = files["client_key_file"].read_bytes()
    own("till-2.example")
    renewed = files["client_key_file"].read_bytes()
    files["client_key_file"].write_bytes(key)
    assert client.health().ok
    files["client_key_file"].write_bytes(renewed)
    assert client.health().ok

    assert shown == ["till-1.example", "till-1.example", "till-2.example"]


@pytest.mark.case(
    "B11", "No certificate is shown, or one that is not known", "its setting is named"
)
@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("is_shown", [False, True])
def test_client_certificates_that_are_refused(
    connect, tls_server, authority, ca_file, own, highest, is_shown
):
    """
    With TLS 1.3 the refusal comes with the answer; it is the same error.
    """
    clients = trustme.CA() if is_shown else authority
    url = tls_server(authority.issue_cert("localhost"), clients=clients, highest=highest)
    files = own("till-1.example") if is_shown else {}

    with pytest.raises(TlsError, match="Set CONEXXUS_CLIENT_CERT to a certificate"):
        connect(url, ca_file=ca_file, **files).health()


def test_encrypted_key(connect, own):
    """
    Its password is not asked for at the terminal, where a service would wait.
    """

    def encrypted(pem):
        key = serialization.load_pem_private_key(pem, None)
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"pass-word"),
        )

    with pytest.raises(ConfigurationError, match=r"the key is encrypted.*key\.pem"):
        connect("https://localhost:1", **own("till-1.example", encrypted))


def test_files_of_a_client_certificate(connect, own, tmp_path):
    """
    What is wrong with them is said, with their names.
    """
    other = tmp_path / "other.pem"
    own("till-1.example")
    other.write_bytes((tmp_path / "key.pem").read_bytes())
    files = own("till-2.example")

    with pytest.raises(ConfigurationError, match=r"do not belong together: .*own.*other\.pem"):
        connect("https://localhost:1", **files | {"client_key_file": other})
    with pytest.raises(ConfigurationError, match=r"holds no certificate and key: .*own\.pem$"):
        connect("https://localhost:1", **files | {"client_key_file": None})
    with pytest.raises(ConfigurationError, match="is set without CONEXXUS_CLIENT_CERT"):
        connect("https://localhost:1", **files | {"client_cert_file": None})

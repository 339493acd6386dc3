"""
TLS: authorities, and the client's own certificate.
"""

import ssl
from pathlib import Path
from typing import NoReturn

from conexxus_client.config import ClientConfig
from conexxus_client.errors import ConfigurationError


def ssl_context(config: ClientConfig) -> ssl.SSLContext:
    """
    The TLS settings of *config*: TLS 1.2 or later, with its certificates.

    Raises:
        ConfigurationError: A file holds no certificate, or no key.
    """
    files = (config.ca_file, config.client_cert_file)

    if not config.api_url.startswith("https:") and files == (None, None):
        # Loading the system's certificates takes 20 ms, and plain HTTP needs
        # none.  This context trusts no certificate.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    context = proxy_ssl_context(config)

    if config.client_cert_file is not None:
        _load_certificate(context, config.client_cert_file, config.client_key_file)

    return context


def proxy_ssl_context(config: ClientConfig) -> ssl.SSLContext:
    """
    Those for a proxy: the same authorities, but no certificate of ours.

    Raises:
        ConfigurationError: The file of authorities holds none.
    """
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            [f"CONEXXUS_CA_FILE holds no certificates in PEM format: {config.ca_file}"]
        ) from None

    context.minimum_version = ssl.TLSVersion.TLSv1_2

    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    named = f"{certificate}" if key is None else f"{certificate}, {key} (CONEXXUS_CLIENT_KEY)"

    try:
        # Without a callable, OpenSSL asks at the terminal, and waits.
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except _EncryptedKeyError:
        problem = f"the key is encrypted, decrypt it with `openssl pkey`: {key or certificate}"
    except (OSError, ssl.SSLError) as exc:
        problem = (
            f"certificate and key do not belong together: {named}"
            if "MISMATCH" in str(getattr(exc, "reason", ""))
            else f"holds no certificate and key: {named}"
        )
    else:
        return

    raise ConfigurationError([f"CONEXXUS_CLIENT_CERT {problem}"])


class _EncryptedKeyError(Exception):
    pass


def _refuse_password() -> NoReturn:
    raise _EncryptedKeyError

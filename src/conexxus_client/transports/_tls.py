"""
TLS: authorities, and the client's own certificate.
"""

import ssl

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

    try:
        context = ssl.create_default_context(cafile=config.ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            [f"CONEXXUS_CA_FILE holds no certificates in PEM format: {config.ca_file}"]
        ) from None

    context.minimum_version = ssl.TLSVersion.TLSv1_2

    if config.client_cert_file is not None:
        try:
            context.load_cert_chain(config.client_cert_file, config.client_key_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                [f"CONEXXUS_CLIENT_CERT holds no certificate and key: {config.client_cert_file}"]
            ) from None

    return context

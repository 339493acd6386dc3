"""
What a connection is opened with: certificates and proxy, as their files are then.
"""

import importlib
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from conexxus_client._config_validation import origin_of
from conexxus_client._secrets import file_stamp
from conexxus_client.config import ClientConfig
from conexxus_client.errors import ConfigurationError

from ._tls import proxy_ssl_context, ssl_context


KEEPALIVE_SECONDS = 15.0

_HTTPCORE_MODULES = {"httpx": "httpcore", "httpx2": "httpcore2"}


class ConnectionOptions:
    """
    The arguments of a connection.

    Attributes:
        proxy: Its address, without user and password; None if there is none.

    Raises:
        ConfigurationError: A file holds no certificate, or no key.
    """

    def __init__(self, httpcore: ModuleType, config: ClientConfig, backend: Any) -> None:
        self._httpcore, self._config, self._backend = httpcore, config, backend
        self._state = self._read_state()
        self._options = self._built()

    def current(self) -> dict[str, Any]:
        """
        Them, read anew if a file has changed.

        While a file is being replaced, the former certificates count.
        """
        state = self._read_state()

        if state != self._state:
            try:
                self._options = self._built()
            except ConfigurationError:
                return self._options
            self._state = state

        return self._options

    def _read_state(self) -> object:
        config = self._config
        files = (config.ca_file, config.client_cert_file, config.client_key_file)

        return config.proxy_url, [file_stamp(file) for file in files if file is not None]

    def _built(self) -> dict[str, Any]:
        proxy = self._config.proxy_url
        self.proxy = origin_of(proxy) if proxy else None

        return {
            "ssl_context": ssl_context(self._config),
            "proxy": self._proxy(proxy) if proxy else None,
            "max_connections": 1,
            "keepalive_expiry": KEEPALIVE_SECONDS,
            "network_backend": self._backend,
        }

    def _proxy(self, url: str) -> Any:
        """
        The proxy at *url*; its user and password, if any, go to it alone.
        """
        parts = urlsplit(url)
        context = proxy_ssl_context(self._config) if parts.scheme == "https" else None
        auth = None

        if parts.username is not None:
            texts = (parts.username, parts.password or "")
            auth = tuple(unquote(text).encode() for text in texts)

        return self._httpcore.Proxy(origin_of(url), auth=auth, ssl_context=context)


def load_httpcore(config: ClientConfig) -> ModuleType:
    """
    httpcore or httpcore2, for the configured family.

    Raises:
        ConfigurationError: It is not installed.
    """
    family = config.http_backend

    try:
        return importlib.import_module(_HTTPCORE_MODULES[family])
    except ImportError:
        raise ConfigurationError(
            [f"CONEXXUS_HTTP_BACKEND is {family}, which is not installed: pip install {family}"]
        ) from None

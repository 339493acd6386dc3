"""
The HTTP shim: what a host asks the SDK over HTTP, and how it is served.

Needs the extra `http`.
"""

from typing import Any

from starlette.responses import Response as HttpResponse

from conexxus_sync._moved import renamed

from ._access import Access
from ._api import ApiHandlers, Service
from ._middleware import AccessMiddleware
from ._page import page_routes
from ._routes import PREFIX, Scrape, api_document, create_app, integration, wsgi_app
from ._routing import Answer, Handler, HttpRequest, Route


__all__ = [
    "PREFIX",
    "Access",
    "AccessMiddleware",
    "Answer",
    "ApiHandlers",
    "Handler",
    "HttpRequest",
    "HttpResponse",
    "Route",
    "Scrape",
    "Service",
    "api_document",
    "create_app",
    "integration",
    "page_routes",
    "wsgi_app",
]


def __getattr__(name: str) -> Any:
    return renamed(globals(), name, {"Gate": "AccessMiddleware", "Shim": "ApiHandlers"})

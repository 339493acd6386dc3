"""
The HTTP shim: what a host asks the SDK over HTTP, and how it is served.

Needs the extra `http`.
"""

from ._access import Access
from ._api import Service, Shim
from ._asgi import Gate
from ._messages import Answer, HttpRequest, HttpResponse
from ._page import page_routes
from ._routes import PREFIX, Scrape, create_app, integration, wsgi_app
from ._routing import Handler, Route


__all__ = [
    "PREFIX",
    "Access",
    "Answer",
    "Gate",
    "Handler",
    "HttpRequest",
    "HttpResponse",
    "Route",
    "Scrape",
    "Service",
    "Shim",
    "create_app",
    "integration",
    "page_routes",
    "wsgi_app",
]

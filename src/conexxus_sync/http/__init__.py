"""
The HTTP shim: what a host asks the SDK over HTTP, and how it is served.

Needs the extra `http`.
"""

from ._access import Access
from ._routes import PREFIX, Gate, create_app, integration
from ._shim import Answer, Service, Shim


__all__ = ["PREFIX", "Access", "Answer", "Gate", "Service", "Shim", "create_app", "integration"]

"""
The page at `/`.

Rendered on the server from what the store has; it works without JavaScript,
and loads nothing from elsewhere.
"""

from ._pages import page_routes


__all__ = ["page_routes"]

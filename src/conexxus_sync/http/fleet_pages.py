"""
The page of a fleet, and those of its stores, as an ASGI application.

```python
app = create_fleet_app(fleet)
```
"""

from starlette.applications import Starlette

from ._access import Access
from ._page._fleet_routes import PageFleet, fleet_routes
from ._routes import Scrape, application, process_routes


__all__ = ["PageFleet", "create_fleet_app"]


def create_fleet_app(
    fleet: PageFleet, *, access: Access | None = None, metrics: Scrape | None = None
) -> Starlette:
    """
    `/fleet` and the pages of the stores, and `/health` for a monitor of the process.

    Args:
        fleet: A `Fleet`.
        access: Who may call; by default, callers that address this machine by a
            loopback name.
        metrics: Makes what `/metrics` answers; without it, there is none.
    """
    routes = [*process_routes(metrics), *fleet_routes(fleet, access=access)]

    return application(routes, access=access)

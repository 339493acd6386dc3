"""
Matches a path to a route.
"""

import re
from collections.abc import Callable, Iterable, Mapping

import attrs

from ._messages import Answer, HttpRequest, HttpResponse
from ._rate_limits import TRIGGERS, Rate


Handler = Callable[[HttpRequest], Answer | HttpResponse]

_PLACE = re.compile(r"\{([a-z_]+)(:path)?\}")


@attrs.frozen
class Route:
    """
    One method of one path.

    Attributes:
        pattern: Like `/runs/{id}`, or `/static/{name:path}` for the rest of
            the path, slashes included.
        handler: May block; it runs in a worker thread.
        trigger: It starts something: its rate is limited.
        public: It needs no token.
        inline: It does not block, and is answered on the event loop.
        rate: Its own limit, if not that of triggers.
        signed_out: Answers instead, and without one, where the token is
            missing; like with a form to enter it.
    """

    method: str
    pattern: str
    handler: Handler
    trigger: bool = attrs.field(default=False, kw_only=True)
    public: bool = attrs.field(default=False, kw_only=True)
    inline: bool = attrs.field(default=False, kw_only=True)
    rate: Rate | None = attrs.field(default=None, kw_only=True)
    signed_out: Handler | None = attrs.field(default=None, kw_only=True)

    @property
    def limit(self) -> Rate | None:
        """
        How often it may be called, if there is a limit.
        """
        return self.rate or (TRIGGERS if self.trigger else None)

    def beneath(self, prefix: str) -> "Route":
        """
        The same under *prefix*.
        """
        return attrs.evolve(self, pattern=prefix + self.pattern)


@attrs.frozen(kw_only=True)
class Match:
    """
    What a path leads to.

    Attributes:
        route: None if no route has the method.
        allowed: The methods that the path knows.
    """

    route: Route | None
    captured: Mapping[str, str]
    allowed: tuple[str, ...]


class RouteTable:
    """
    Finds the route of a request; the first of several that fit.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._paths: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}

        for route in routes:
            _, methods = self._paths.setdefault(route.pattern, (_compiled(route.pattern), {}))
            methods.setdefault(route.method, route)

    def find(self, method: str, path: str) -> Match | None:
        """
        Where *path* leads; None if nowhere.
        """
        for pattern, methods in self._paths.values():
            if found := pattern.fullmatch(path):
                # RFC 9110, 9.3.2: like GET, without the content.
                route = methods.get("GET" if method == "HEAD" else method)
                return Match(route=route, captured=found.groupdict(), allowed=_allowed(methods))

        return None


def _compiled(pattern: str) -> re.Pattern[str]:
    parts, end = [], 0

    for place in _PLACE.finditer(pattern):
        name, rest = place.groups()
        parts += [
            re.escape(pattern[end : place.start()]),
            f"(?P<{name}>{'.+' if rest else '[^/]+'})",
        ]
        end = place.end()

    return re.compile("".join([*parts, re.escape(pattern[end:])]), re.DOTALL)


def _allowed(methods: Iterable[str]) -> tuple[str, ...]:
    known = set(methods)

    return tuple(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))

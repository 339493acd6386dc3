"""
Renders templates, and escapes text.
"""

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from conexxus_sync.http._routing import Handler
from conexxus_sync.model.formatting import counted, money, weekday_date
from conexxus_sync.model.reconciled_table import HEADINGS, reconciled_cells


# Nothing but what this server serves; no inline style or script either, so
# that markup that slips through does nothing.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

MEDIA_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

# More than that of one name or error is no help to anybody.
SHOWN_CHARACTERS = 240


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """
    An HTML answer.

    Args:
        values: The names that the template uses.
    """
    text = _environment().get_template(template).render(values)

    return HTMLResponse(text, status, {"Content-Security-Policy": POLICY})


def static(name: str) -> Handler:
    """
    Answers with a file that never changes under its address.
    """
    headers = {
        "Content-Type": MEDIA_TYPES[name],
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    response = Response(_file(name), headers=headers)

    return lambda request: response


def shown(text: object, limit: int = SHOWN_CHARACTERS) -> str:
    """
    *text* without what could steer the page or turn it around, and not endless.

    Control characters and those that change the direction of what follows
    appear as escapes: ``\\u202e``.
    """
    plain = str(text)
    cut = plain if len(plain) <= limit else plain[:limit]
    visible = "".join(char if char.isprintable() else repr(char)[1:-1] for char in cut)

    return visible if cut is plain else f"{visible}… ({len(plain):,} characters)"


def quoted(key: str) -> str:
    """
    *key* for a hidden field: browsers rewrite line ends in forms.
    """
    return quote(key, safe="")


def with_code(text: str) -> Markup:
    """
    *text*, escaped, with what is between backticks as code.
    """
    parts = text.split("`")
    marked = (
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )

    return Markup("").join(marked)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("conexxus_sync.http._page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=shown,
        quoted=quoted,
        code=with_code,
        money=money,
        day=weekday_date,
        cells=reconciled_cells,
    )
    environment.globals["headings"] = HEADINGS
    environment.globals["counted"] = counted
    environment.globals["version"] = {name: _version(name) for name in MEDIA_TYPES}

    return environment


def _version(name: str) -> str:
    return blake2b(_file(name), digest_size=6).hexdigest()


@cache
def _file(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()

"""
The service, its schedule, its routes and its command in a Flask application.
"""

import atexit
import shlex
import sys
from collections.abc import Callable

import click
from flask import Blueprint, Flask, current_app, request
from flask.cli import with_appcontext
from werkzeug.wrappers import Response

from conexxus_client.settings import Document
from conexxus_sync.cli import main
from conexxus_sync.http import PREFIX, Access, wsgi_app
from conexxus_sync.protocols import HostStorage, OrderSource
from conexxus_sync.service import ConexxusService
from conexxus_sync.service.running_service import RunningService


class Conexxus:
    """
    The integration of one Flask application.

    Args:
        make: Makes the service.
        access: Who may call the routes; by default, callers that address this
            machine by a loopback name.
        prefix: Where the routes are.

    Example:
        ```python
        conexxus = Conexxus(lambda: ConexxusService.from_env(catalog=products, orders=orders))
        conexxus.init_app(app)
        ```
    """

    def __init__(
        self,
        make: Callable[[], ConexxusService] = ConexxusService.from_env,
        *,
        access: Access | None = None,
        prefix: str = PREFIX,
    ) -> None:
        self._running = RunningService(make)
        self._access = access
        self._prefix = prefix

    @property
    def service(self) -> ConexxusService:
        """
        The service of the application.

        Raises:
            RuntimeError: `init_app` was not called.
        """
        return self._running.service

    def init_app(self, app: Flask) -> None:
        """
        Make the service; add the blueprint `conexxus`, and the command
        `flask conexxus`, which is the whole command line in the application's
        context, with its storage and order source.

        Raises:
            ConfigurationError: The service can't be made, and why.
        """
        service = self._running.open()
        app.extensions["conexxus"] = self
        app.register_blueprint(self._blueprint(service))
        app.cli.add_command(_command)
        atexit.register(self.close)

    def start(self) -> None:
        """
        Do what is due, in a thread of this process.

        Several processes may do so: they take turns.  Where `conexxus run` or
        a task queue does it, this is not needed.
        """
        self._running.start()

    def close(self) -> None:
        """
        End the schedule and close the service; the interpreter's end does it, too.
        """
        atexit.unregister(self.close)
        self._running.close()

    def _blueprint(self, service: ConexxusService) -> Blueprint:
        blueprint = Blueprint("conexxus", __name__, url_prefix=self._prefix)
        shim = wsgi_app(service, access=self._access, prefix=self._prefix)

        @blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
        @blueprint.route("/<path:path>", methods=_METHODS)
        def conexxus(path: str) -> Response:
            return Response.from_app(shim, request.environ, buffered=True)

        return blueprint


# What the shim answers to others is its own business.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@click.command(
    "conexxus",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def _command(arguments: tuple[str, ...]) -> None:
    """Pull the catalogue, push sales, and look at both."""
    named = {key: f"{__name__}:{key}_of_app" for key in _hosts()}
    document = Document("the application", named)
    sys.exit(main(arguments, framework=document, program=_program()))


def _program() -> str:
    """
    How the command was called, with the options of Flask before its name.
    """
    words = sys.argv[1 : sys.argv.index("conexxus")] if "conexxus" in sys.argv else []
    return shlex.join(["flask", *words, "conexxus"])


def _hosts() -> dict[str, HostStorage | OrderSource]:
    conexxus: Conexxus = current_app.extensions["conexxus"]
    return conexxus._running.hosts


def catalog_of_app() -> object:
    """
    The storage of the current application, for its command.
    """
    return _hosts()["catalog"]


def orders_of_app() -> object:
    """
    The order source of the current application, for its command.
    """
    return _hosts()["orders"]

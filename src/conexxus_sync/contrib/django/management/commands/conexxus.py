"""
`manage.py conexxus …`: the command line, with the models loaded and the project's settings.
"""

import sys
from argparse import REMAINDER
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from conexxus_client import ConfigurationError
from conexxus_sync.cli import ExitCode, main
from conexxus_sync.contrib.django._project_settings import framework_settings


class Command(BaseCommand):
    """
    Hands its arguments to the command line of the SDK.
    """

    help = "The commands of the SDK; `manage.py conexxus --help` lists them."

    def run_from_argv(self, argv: list[str]) -> None:
        """
        Arguments from a shell; the process ends with the exit code of the command.
        """
        own = CommandParser(add_help=False, allow_abbrev=False)
        own.add_argument("--settings")
        own.add_argument("--pythonpath")
        sys.exit(_run(own.parse_known_args(argv[2:])[1]))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arguments", nargs=REMAINDER)

    def handle(self, *_: object, **options: Any) -> None:
        """
        Arguments from `call_command`.
        """
        if code := _run(options["arguments"]):
            msg = f"conexxus {' '.join(options['arguments'])} ended with exit code {code}"
            raise CommandError(msg, returncode=code)


def _run(arguments: list[str]) -> int:
    try:
        return main(arguments, framework=framework_settings(), program="python manage.py conexxus")
    except ConfigurationError as exc:
        sys.stderr.writelines(f"conexxus: {problem}\n" for problem in exc.problems)
        return ExitCode.USAGE
    finally:
        connections.close_all()

"""
A contract for import-linter: what starts with an underscore stays at home.

import-linter's own contracts name modules; this one knows the rule, so that a
new private module is covered on the day it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output


if TYPE_CHECKING:
    from grimp import ImportGraph


class PrivateModulesContract(Contract):
    """
    A private module is imported only from within one of the *homes*.

    A home is a top package: its modules are one team. `conexxus_sync` has to
    do with what `conexxus_client` publishes, like every other user.
    """

    type_name = "private_modules"

    homes = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """
        Collect each import that crosses from one home into another's private part.
        """
        homes = set(self.homes)  # type: ignore[call-overload]  # the base types its fields loosely
        strays = sorted(
            (importer, imported)
            for imported in graph.modules
            if _is_private(imported) and _top(imported) in homes
            for importer in graph.find_modules_that_directly_import(imported)
            if _top(importer) != _top(imported)
        )
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """
        Name the imports, one a line.
        """
        for importer, imported in check.metadata["strays"]:
            output.print_error(f"{importer} imports the private module {imported}", bold=False)
            output.new_line()


def _is_private(module: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in module.split("."))


def _top(module: str) -> str:
    return module.partition(".")[0]

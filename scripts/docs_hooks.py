"""
Adds the runbooks to the documentation: they are data of the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files


if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig


RUNBOOKS = Path(__file__).resolve().parent.parent / "src/conexxus_sync/views/runbooks"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """
    Each is a page below `runbooks/`.
    """
    for path in sorted(RUNBOOKS.glob("*.md")):
        files.append(
            File.generated(config, f"runbooks/{path.name}", abs_src_path=str(path)),
        )

    return files

"""
Writes what Zensical builds: the pages with runbooks and pictures, and mkdocs.yml without hooks.

    python scripts/docs_stage.py FOLDER

Zensical reads the settings of MkDocs, but runs no hooks.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from docs_hooks import PICTURES, POLICY, ROOT, RUNBOOKS, examples_archive, with_pictures


# Keys of mkdocs.yml that Zensical does not take, with the lines below them.
HOOKS = re.compile(r"^(hooks|watch|exclude_docs|validation):.*\n(?:[ -].*\n)*", re.M)
CUSTOM = re.compile(r"^  custom_dir: .*\n", re.M)


def main(folder: Path) -> int:
    """
    Write it anew.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "docs"
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("theme"))
    shutil.copytree(RUNBOOKS, pages / "runbooks", ignore=shutil.ignore_patterns("*.py", "__*"))
    if PICTURES.exists():
        shutil.copytree(PICTURES, pages / "pictures")
    shutil.copy(ROOT / "SECURITY.md", pages / POLICY)
    (pages / "examples.zip").write_bytes(examples_archive())

    for page in pages.rglob("*.md"):
        depth = len(page.relative_to(pages).parts) - 1
        page.write_text(with_pictures(page.read_text("utf-8"), depth=depth), "utf-8")

    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    settings = CUSTOM.sub("", HOOKS.sub("", settings))
    (folder / "mkdocs.yml").write_text(settings.replace("[src]", f"[{ROOT / 'src'}]"), "utf-8")

    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

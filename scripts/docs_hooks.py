"""
What the documentation has beyond its files: runbooks, pictures, examples, version, llms.txt.
"""

from __future__ import annotations

import io
import re
import runpy
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page


ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
RUNBOOKS = ROOT / "src/conexxus_sync/views/runbooks"
POLICY = "security-policy.md"
# Made by scripts/docs_pictures.py; without them the pages have none.
PICTURES = ROOT / "build/pictures"

# `<!-- picture NAME: what it shows -->`, on a line of its own.
PICTURE = re.compile(r"^<!-- picture ([a-z-]+): (.+) -->$", re.M)
SCHEMES = ("light", "dark")

pages: list[Page] = []
summaries: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """
    Each page says which version it is about.
    """
    version = runpy.run_path(str(ROOT / "src/conexxus_client/_version.py"))["__version__"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    config.copyright = f"Version {version}. Not affiliated with Conexxus."
    config.repo_url = project.get("urls", {}).get("Repository", config.repo_url)

    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """
    Runbooks are data of the package, each a page below `runbooks/`; pictures are
    made; the examples are there for those who have the wheel alone.
    """
    # Not above: the tests read this module without MkDocs.
    from mkdocs.structure.files import File

    for path in sorted(RUNBOOKS.glob("*.md")):
        files.append(File.generated(config, f"runbooks/{path.name}", abs_src_path=str(path)))
    for path in sorted(PICTURES.glob("*.png")):
        files.append(File.generated(config, f"pictures/{path.name}", abs_src_path=str(path)))
    files.append(File.generated(config, "examples.zip", content=examples_archive()))
    files.append(File.generated(config, POLICY, abs_src_path=str(ROOT / "SECURITY.md")))

    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """
    Where a picture was made, it is shown, light or dark as the page is.
    """
    summaries[page.file.src_uri] = summary(markdown)

    return with_pictures(markdown, depth=page.file.src_uri.count("/"))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """
    A line breaks before a name and after a folder, not elsewhere.
    """
    return with_whole_names(html)


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> None:
    """
    The order of `llms.txt` is that of the navigation.
    """
    pages[:] = nav.pages


def on_post_build(config: MkDocsConfig) -> None:
    """
    `llms.txt`, as llmstxt.org describes it, lists the pages with a sentence about each.
    """
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", "## Pages", ""]
    lines += [f"- [{it.title}]({it.url or './'}): {summaries[it.file.src_uri]}" for it in pages]

    (Path(config.site_dir) / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def examples_archive() -> bytes:
    """
    The folder `examples`, the same bytes for the same files.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(EXAMPLES.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                # An entry without a date of its own has the first one there is.
                entry = zipfile.ZipInfo(path.relative_to(ROOT).as_posix())
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
                archive.writestr(entry, path.read_bytes())

    return made.getvalue()


def with_pictures(markdown: str, depth: int) -> str:
    """
    Put images in the place of the marks of a page that is so many folders deep.
    """

    def images(mark: re.Match[str]) -> str:
        name, text = mark.groups()
        found = [it for it in SCHEMES if (PICTURES / f"{name}-{it}.png").exists()]
        folder = "../" * depth + "pictures"
        return "\n".join(
            f"![{text}]({folder}/{name}-{it}.png#only-{it}){{ .picture loading=lazy }}"
            for it in found
        )

    return PICTURE.sub(images, markdown)


def with_whole_names(html: str) -> str:
    """
    Mark what is one word in `code`, and where a path may go on in the next line.
    """
    html = re.sub(
        r"<code>((?:tests|examples|scripts|docs)/[^<\s]+)</code>",
        lambda path: f"<code>{path[1].replace('/', '/<wbr>')}</code>",
        html,
    )

    return re.sub(r"<code>([^<\s]{1,36})</code>", r'<code class="word">\1</code>', html)


def summary(markdown: str) -> str:
    """
    The first sentence of the first paragraph.
    """
    prose = re.sub(r"^```.*?^```$", "", markdown, flags=re.M | re.S)
    paragraphs = re.findall(r"^(?![#<|!:\-*\d])\S.*$", prose, re.M)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraphs[0]) if paragraphs else ""

    return text.partition(". ")[0].rstrip(".:") + "."

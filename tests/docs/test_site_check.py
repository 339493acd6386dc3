"""
What is added to the built site, and the check that finds what is wrong with it.
"""

import io
import zipfile
from pathlib import Path

import pytest

from scripts import docs_hooks, docs_site


GOOD = '<h1 id="errors">Errors</h1><a href="../#start">Start</a>'
START = '<h1 id="start">Start</h1><a href="errors/#errors">Errors</a><img src="logo.svg">'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "errors").mkdir()
    (tmp_path / "search").mkdir()
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "site.css").write_text("a { background: url(logo.svg) }")
    (tmp_path / "errors/index.html").write_text(GOOD)
    (tmp_path / "index.html").write_text(START)
    (tmp_path / "search/search_index.json").write_text(
        '{"docs": [{"title": "Errors", "text": "<p><code>Check\\n API key.</code></p>"}]}'
    )

    return tmp_path


def findings(site, messages=("Check API key.",)):
    docs_site.parts.cache_clear()
    return [
        *docs_site.broken_links(site),
        *docs_site.other_hosts(site),
        *docs_site.unlisted_messages(site, list(messages)),
    ]


def test_examples():
    """
    The archive has the files of `examples/`, as they are, and is the same each time.
    """
    made = docs_hooks.examples_archive()
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = archive.namelist()
        units = archive.read("examples/deploy/conexxus.service")

    assert made == docs_hooks.examples_archive()
    assert {"examples/runner.py", "examples/docker/Dockerfile"} < {*names}
    assert not [it for it in names if it.endswith(".pyc")]
    assert units == (docs_hooks.EXAMPLES / "deploy/conexxus.service").read_bytes()


def test_sound_site(site):
    assert findings(site) == []


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("index.html", '<a href="gone/">x</a>', "index.html: gone/ leads to no file"),
        ("index.html", '<a href="errors/#no">x</a>', "index.html: errors/#no leads to no anchor"),
        ("index.html", '<a href="#no">x</a>', "index.html: #no leads to no anchor"),
        ("index.html", '<img src="gone.png">', "index.html: gone.png leads to no file"),
        (
            "index.html",
            '<script src="https://cdn.example/x.js"></script>',
            "index.html: loads https://cdn.example/x.js",
        ),
        (
            "index.html",
            '<link rel="preconnect" href="//fonts.example">',
            "index.html: loads //fonts.example",
        ),
        (
            "site.css",
            "@font-face { src: url('https://fonts.example/a') }",
            "site.css: loads https://fonts.example/a",
        ),
    ],
)
def test_fault(site, file, text, found):
    """
    Each is named with its page.
    """
    (site / file).write_text((site / file).read_text() + text)

    assert findings(site) == [found]


def test_unlisted_message(site):
    """
    An error message that the search would not find is a fault.
    """
    assert findings(site, ["Check API key.", "It is closed."]) == [
        "search/search_index.json: the search does not find 'It is closed.'"
    ]


def test_messages_of_the_page():
    """
    The texts are those of the table, up to what is filled in.
    """
    page = (Path(__file__).parents[2] / "docs/reference/errors.md").read_text()

    messages = docs_site.error_messages(page)

    assert "Conexxus API authentication failed. Check API key." in messages
    assert "Conexxus API error (422):" in messages
    assert len(messages) >= 16


def test_summary():
    """
    `llms.txt` has the first sentence of a page, without its links.
    """
    page = """# Run in Flask

```sh
pip install 'conexxus-sdk[flask]'
```

`Conexxus` adds a [blueprint](x.md) to your application. It has routes.
"""

    assert docs_hooks.summary(page) == "`Conexxus` adds a blueprint to your application."


def test_pictures(tmp_path, monkeypatch):
    """
    A picture is shown in the schemes in which it was made; where none was, nothing is.
    """
    monkeypatch.setattr(docs_hooks, "PICTURES", tmp_path)
    page = "Before\n\n<!-- picture page-well: All is well -->\n\nAfter"

    assert docs_hooks.with_pictures(page, depth=1) == "Before\n\n\n\nAfter"

    for scheme in docs_hooks.SCHEMES:
        (tmp_path / f"page-well-{scheme}.png").touch()
    shown = docs_hooks.with_pictures(page, depth=1)

    assert "![All is well](../pictures/page-well-light.png#only-light)" in shown
    assert "![All is well](../pictures/page-well-dark.png#only-dark)" in shown


def test_names_stay_whole():
    """
    An option is not divided behind its hyphens; a path is divided behind a folder.
    """
    html = docs_hooks.with_whole_names("<code>--config</code> <code>tests/docs/test_x.py</code>")

    assert html == (
        '<code class="word">--config</code> <code>tests/<wbr>docs/<wbr>test_x.py</code>'
    )

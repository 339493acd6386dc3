import json
import signal

import pytest

from conexxus_client.testing import Ledger


def test_sandbox_says_what_to_copy(bare_shell):
    """
    Its two lines, pasted into a shell, make a pull work; the key is shown where a
    variable has the same.
    """
    bare_shell.environ["CONEXXUS_API_KEY"] = "sandbox-key"

    with bare_shell.start("sandbox", "--port", "0", "--items", "12") as sandbox:
        exports = {}
        while len(exports) < 2:
            line = sandbox.stdout.readline()
            assert line
            if line.startswith("export "):
                name, _, text = line.removeprefix("export ").strip().partition("=")
                exports[name] = text
        bare_shell.environ.update(exports)

        run = bare_shell.json("pull")
        sandbox.send_signal(signal.SIGINT)
        _, err = sandbox.communicate(timeout=5)

    assert run["created"] == 12
    assert sandbox.returncode == 130
    assert "Traceback" not in err


def test_sandbox_keeps_its_books(shell):
    """
    With `--ledger`, what was sold is known after the next start.
    """
    books = shell.folder / "books.ndjson"

    for _ in range(2):
        with shell.start("sandbox", "--json", "--port", "0", "--ledger", str(books)) as sandbox:
            ready = json.loads(sandbox.stdout.readline())
            shell.environ.update(CONEXXUS_API_URL=ready["url"], CONEXXUS_API_KEY=ready["apiKey"])
            shell.run("push", "--orders", "sales.ndjson", "--date", "2026-01-02")
            sandbox.terminate()

    ledger = Ledger(books)
    assert [entry.id for entry in ledger.transactions()] == ["t1", "t2"]
    assert not ledger.doubled()


@pytest.mark.parametrize("broken", [b"{sku: 1}", b"\x89PNG\r\n\x1a", b"\xff"])
def test_sandbox_refuses_a_file_that_is_no_catalogue(cli, shell, broken):
    """
    A line that is not JSON is named at the start.
    """
    path = shell.folder / "items.ndjson"
    path.write_bytes(b'{"sku":"A","name":"a","price":1}\n\nnull\n' + broken + b"\n")

    code, _, err = cli("sandbox", "--port", "0", "--catalog", str(path))

    assert code == 2
    assert f"--catalog {path}, line 4 is not JSON" in err


@pytest.fixture
def demo(bare_shell):
    return bare_shell.run("demo")


def test_demo_ends_with_books_that_agree(demo, bare_shell):
    """
    The demonstration tells its story, and leaves nothing behind.
    """
    assert demo.returncode == 0
    assert demo.stdout.count("36 sales, 2,552.52") == 3
    assert "OLIV003: Item has invalid price" in demo.stdout
    assert "Everything agrees to the cent." in demo.stdout
    assert list(bare_shell.folder.iterdir()) == []


def test_demo_fails_when_the_books_do_not_agree(cli, monkeypatch):
    """
    A sale that is booked twice is found.
    """
    monkeypatch.setattr(Ledger, "doubled", lambda self: self.transactions()[:1])

    code, out, _ = cli("demo")

    assert code == 1
    assert "do NOT agree" in out

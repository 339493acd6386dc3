"""
Shell blocks of the pages run as they stand, and print what the pages show.
"""

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_client.testing import BackOffice, SandboxServer


ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^( *)```sh\n(?P<command>.*?)^\1```\n(?:\n^\1```text\n(?P<output>.*?)^\1```\n)?",
    re.M | re.S,
)
# What differs each time: moments, ids, numbers of a kind of measure.
VARYING = [
    (r"\d{8}T\d{9}Z-[0-9a-f]{8}", "RUN"),
    (r"20\d\d-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", "MOMENT"),
    (r"\b\d\d:\d\d\b", "TIME"),
    (r"\d+\.\d s\b", "DURATION"),
    (r"\b\d+ ms\b", "DURATION"),
    (r"[\d,]+ bytes", "SIZE"),
    (r"http://127\.0\.0\.1:\d+", "ADDRESS"),
    (r"/\S+/", "FOLDER/"),
    (r" +", " "),
]
# What is typed in another terminal, or is about another folder.
APART = ("conexxus sandbox", "conexxus init")
# Pages whose blocks are not typed here, with the reason or the test that does it.
ELSEWHERE = {
    "README.md": "the commands of tests, demo and the home page",
    "docs/explanation/business-days.md": "tests/sales: adoption of what was delivered",
    "docs/how-to/another-back-office.md": "a module of the reader; tests/conformance",
    "docs/how-to/django.md": "tests/docs/test_django_page.py, and a step of pip",
    "docs/how-to/docker.md": "needs a Docker daemon and a cluster: tests/examples/test_docker.py",
    "docs/how-to/fastapi.md": "a step of pip",
    "docs/how-to/flask.md": "a step of pip",
    "docs/how-to/migrate-from-naxml.md": "tests/docs/test_migration_page.py",
    "docs/how-to/monitor.md": "tests/examples/test_monitoring.py, and a step of pip",
    "docs/how-to/order-source.md": "tests/sales: corrections that a person asks for",
    "docs/how-to/run-unattended.md": "needs root: tests/examples/test_deploy.py",
    "docs/how-to/sandbox.md": "it runs until it is stopped: tests/cli",
    "docs/how-to/serve-over-http.md": "addresses of the reader; tests/http",
    "docs/how-to/sql-tables.md": "a step of pip",
    "docs/how-to/use-postgresql.md": "a server of the reader; tests/stores",
}
SALE = (
    '{{"id":"{id}","timestamp":"2026-01-02T15:00:00Z","total":49.98,'
    '"items":[{{"sku":"WINE001","quantity":2,"price":24.99}}]}}\n'
)
TWO_TRADES = """\
{"id":"A-1","timestamp":"2026-01-02T15:00:00Z","total":53.39,"register":"2",\
"items":[{"sku":"WINE001","quantity":2,"price":24.99,"discounts":[{"code":"LOYAL","amount":1.00}]}],\
"taxes":[{"code":"STATE","amount":4.41,"included":false}],\
"tenders":[{"type":"cash","amount":60.00,"change":6.61}]}
{"id":"A-2","timestamp":"2026-01-02T15:01:00Z","total":18.97,"register":"2",\
"items":[{"sku":"WINE001","quantity":1,"price":18.97}],\
"tenders":[{"type":"card","amount":18.97}]}
"""
FLEET = """
[defaults]
store = "sqlite:///chain.db"
api.url = "{CONEXXUS_API_URL}"
api.key_env = "CONEXXUS_API_KEY"
timezone = "America/New_York"

[[store]]
location = "0001"

[[store]]
location = "0002"
timezone = "America/Chicago"
push_at = "22:30"
group = "canary"
"""
FAULTY_SHOP = """
import sqlite3
from decimal import Decimal

db = sqlite3.connect("shop.db", check_same_thread=False)
db.execute("CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, price TEXT)")


class Catalog:
    def apply(self, changes):
        with db:
            for it in changes.created:
                db.execute("INSERT INTO product VALUES (?, ?, ?)", (it.sku, it.name, str(it.price)))
            for it in changes.updated:
                db.execute("UPDATE product SET price = ? WHERE sku = ?", (str(it.price), it.sku))
            for it in changes.removed:
                db.execute("DELETE FROM product WHERE sku = ?", (it.sku,))

    def prices(self):
        rows = db.execute("SELECT sku, price FROM product")
        return {sku: Decimal(price) for sku, price in rows}


class Orders:
    def transactions(self, location_id, business_date):
        return [
            {"id": id, "timestamp": f"{business_date}T15:00:00-05:00", "total": total,
             "items": [{"sku": "S", "quantity": 1, "price": price}]}
            for id, total, price in [("t3", 5, 5), ("t4", Decimal("4.2"), 4.2)]
        ]


catalog, orders = Catalog(), Orders()
"""
CONTRADICTION = 'sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")'
WINE = [
    {"sku": f"WINE{number:03}", "name": f"Cabernet {1990 + number}", "price": f"{9 + number}.99"}
    for number in range(30)
]


def blocks(page):
    """
    The commands of a page, with the output that it shows.
    """
    for found in BLOCK.finditer((ROOT / page).read_text()):
        yield found["command"], found["output"]


def shape(line):
    for pattern, instead in VARYING:
        line = re.sub(pattern, instead, line)

    return line.strip()


def unlike(shown, printed):
    """
    The lines of *shown* that are not in *printed* in this order; a line `…`
    stands for any.
    """
    rest = iter([shape(line) for line in printed.splitlines()])

    return [
        line
        for line in shown.splitlines()
        if line.strip() not in ("", "…") and shape(line) not in rest
    ]


@attrs.define
class Reader:
    """
    Types what a page shows, in a folder and with a back office of its own.
    """

    folder: Path
    office: BackOffice
    env: dict
    printed: str = ""

    def type(self, command, *, answer="yes\n"):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed = done.stdout
        assert "Traceback" not in done.stderr
        if done.returncode:
            print(command, done.stdout, done.stderr, sep="\n")
        return done.returncode

    def sell(self, *ids):
        """
        Put sales into the file of the till.
        """
        with (self.folder / "sales.ndjson").open("a") as till:
            till.writelines(SALE.format(id=it) for it in ids)

    def push(self, *, faults=""):
        self.office.faults(faults)
        return self.type("conexxus push --orders sales.ndjson --date 2026-01-02")

    def park(self, sale):
        """
        A batch of one more sale, of unknown fate: its key.
        """
        self.sell(sale)
        assert self.push(faults=CONTRADICTION) == 5, self.printed
        assert self.type("conexxus outbox list") == 0
        (key,) = re.findall("^(20260102-[0-9a-f]+) .* parked", self.printed, re.M)
        return key

    def read(self, page, *, exits=(0,), instead=()):
        """
        Type all blocks of *page*, with words of it replaced; returns how many.
        """
        shown = [*blocks(page)]
        for command, output in shown:
            for old, new in instead:
                if old in command:
                    command = command.replace(old, new() if callable(new) else new)
            code = self.type(command)
            assert code in exits, (command, self.printed)
            assert unlike(output or "", self.printed) == [], (command, self.printed)

        return len(shown)


@pytest.fixture
def reader(tmp_path):
    """
    With the command on the path, and the settings of the tutorial.
    """
    office = BackOffice()
    with SandboxServer(office) as server:
        yield Reader(
            folder=tmp_path,
            office=office,
            env={
                **os.environ,
                **server.env,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "CONEXXUS_TIMEZONE": "America/New_York",
                "CONEXXUS_STORE": f"sqlite:///{tmp_path}/conexxus.db",
                "LOCATION_ID": "loc-001",
                "COLUMNS": "200",
            },
        )


def test_each_page():
    """
    Each page with a shell block is typed here, or says why not.
    """
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    with_blocks = {str(it.relative_to(ROOT)) for it in pages if "```sh\n" in it.read_text()}
    typed = set(re.findall(r'(?:blocks|read)\(\s*"(docs/[^"]+)"', Path(__file__).read_text()))

    assert typed | {*ELSEWHERE} == with_blocks
    assert typed & {*ELSEWHERE} == set()


def test_a_difference_is_found():
    """
    What varies is equal; another text, order or number is not.
    """
    printed = "run 20260102T233004776Z-d4c98b3a took 0.5 s\n28 items\n2 gone\n"

    assert unlike("run 20261129T163127275Z-c3859407 took 1.2 s\n…\n2 gone\n", printed) == []
    assert unlike("27 items\n", printed) == ["27 items"]
    assert unlike("2 gone\n28 items\n", printed) == ["28 items"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_demo_of_the_home_page(reader):
    """
    The demonstration prints what the page shows; the package is installed.
    """
    ((command, output),) = [it for it in blocks("docs/index.md") if it[1]]

    assert reader.type(command.splitlines()[-1]) == 0
    assert unlike(output, reader.printed) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_recover_from_a_bad_catalogue(reader):
    """
    A refused catalogue is looked at, accepted and explained; then one with a
    bad item comes.
    """
    reader.office.catalog = WINE
    assert reader.type("conexxus pull") == 0
    reader.office.catalog = [{**item, "price": "1.99"} for item in WINE[:28]]

    def run():
        return re.search(r"\d{8}T\d{9}Z-[0-9a-f]{8}", reader.printed)[0]

    def with_a_bad_item():
        reader.office.catalog = [*WINE[:29], {**WINE[29], "price": "free"}]
        assert reader.type("conexxus pull --force") == 3
        return "quarantine list"

    read = reader.read(
        "docs/how-to/recover-from-a-bad-catalogue.md",
        exits=(0, 4),
        instead=[("RUN", run), ("quarantine list", with_a_bad_item)],
    )

    assert read == 6


@pytest.mark.long
@pytest.mark.timeout(600)
def test_back_up_the_store(reader):
    """
    Backup, check and restore, in a folder of the reader.
    """
    assert reader.type("conexxus pull") == 0

    commands = [command for command, _ in blocks("docs/how-to/back-up-the-store.md")]
    for command in commands:
        typed = command.replace("/mnt/backup/", f"{reader.folder}/")
        assert reader.type(typed) == 0, (typed, reader.printed)

    assert len(commands) == 3
    assert "is now what" in reader.printed


@pytest.mark.long
@pytest.mark.timeout(600)
def test_tutorial(reader):
    """
    It prints what it shows, and can be read a second time: nothing is sent twice.
    """
    del reader.env["CONEXXUS_STORE"]
    shown = [it for it in blocks("docs/tutorial.md") if not it[0].startswith(APART)]
    assert len(shown) == 7

    for is_first in (True, False):
        for command, output in shown:
            typed = command.replace("http://127.0.0.1:8080", reader.env["CONEXXUS_API_URL"])
            assert reader.type(typed) == 0, (command, reader.printed)
            assert not is_first or unlike(output or "", reader.printed) == [], reader.printed

    assert [entry.times for entry in reader.office.ledger.transactions()] == [1]
    assert reader.office.ledger.doubled() == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_settle_a_parked_batch(reader):
    """
    A batch is shown, and settled in each way, by a key that is shortened; then
    sales are let out of quarantine, dismissed and taken for known.
    """
    assert reader.type("conexxus pull") == 0
    reader.sell("txn-002")
    assert reader.push() == 0
    key = reader.park("txn-001")
    later = iter(f"txn-1{number:02}" for number in range(9))
    seen = []

    for command, output in blocks("docs/how-to/settle-a-parked-batch.md"):
        seen.append(command)
        if "resolve" in command and "resolve 20260102-a18bde6b --delivered" not in command:
            key = reader.park(next(later))
        if "quarantine" in command:
            refused = next(later)
            reader.office.reject = {refused: "no such SKU"}
            reader.sell(refused)
            assert reader.push() == 3, reader.printed
            command = command.replace("txn-001", refused)
        if "accept-discrepancy" in command:
            till = reader.folder / "sales.ndjson"
            till.write_text(
                re.sub('("txn-002".*)49.98(.*)24.99', r"\g<1>20.00\g<2>10.00", till.read_text())
            )
            assert reader.push() == 3, reader.printed
        if "outbox resend 2026" in command:
            # Those of before are delivered first: the office has recovered.
            assert reader.push() == 0, reader.printed
            key = reader.park(next(later))
        typed = command.replace("20260102-a18bde6b", key)
        code = reader.type(typed)
        assert code == 0, (typed, reader.printed)
        assert unlike((output or "").replace("20260102-a18bde6b", key), reader.printed) == []

    assert len(seen) == 8


@pytest.mark.long
@pytest.mark.timeout(600)
def test_reconcile(reader):
    """
    A sale that the back office lost is named, with each sum that differs.
    """
    (reader.folder / "sales.ndjson").write_text(TWO_TRADES)
    assert reader.type("conexxus pull") == 0
    assert reader.push(faults="forget(A-2)") == 0, reader.printed

    read = reader.read(
        "docs/how-to/reconcile.md", exits=(3,), instead=[("myshop:orders", "sales.ndjson")]
    )

    assert read == 1


@pytest.mark.long
@pytest.mark.timeout(600)
def test_examine_a_back_office(reader):
    """
    A back office whose order changes from one read to the next is told so.
    """
    items = [{"sku": f"S{it:04}", "name": "Wine", "price": "9.99"} for it in range(4_312)]
    handle = reader.office.handle

    def unsorted(method, path, *rest, **options):
        if "inventory" in path:
            items.reverse()
            reader.office.catalog = items
        found = handle(method, path, *rest, **options)
        headers = tuple(it for it in found.headers if it[0] != "ETag")
        return attrs.evolve(found, headers=headers)

    reader.office.handle = unsorted

    read = reader.read(
        "docs/how-to/examine-a-back-office.md",
        exits=(1,),
        instead=[
            ("CONEXXUS_API_KEY=…", "CONEXXUS_API_KEY=sandbox-key"),
            ("https://back-office.example", reader.env["CONEXXUS_API_URL"]),
        ],
    )

    assert read == 2


@pytest.mark.long
@pytest.mark.timeout(600)
def test_check_the_status(reader):
    """
    After yesterday's sales were pushed, the terminal says what the page shows.
    """
    yesterday = datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1)
    totals = [Decimal("19.00")] * 212 + [Decimal("154.77")]
    (reader.folder / "sales.ndjson").write_text(
        "".join(
            SALE.format(id=f"t{number}")
            .replace("2026-01-02", str(yesterday))
            .replace("49.98", str(total))
            .replace('"quantity":2,"price":24.99', f'"quantity":1,"price":{total}')
            for number, total in enumerate(totals)
        )
    )
    assert reader.type("conexxus pull") == 0
    assert reader.type(f"conexxus push --orders sales.ndjson --date {yesterday}") == 0

    ((command, output),) = [it for it in blocks("docs/how-to/check-the-status.md") if it[1]]

    assert reader.type(command) == 0
    # It was sent today, and not at 23:31.
    assert unlike(output.partition("accepted")[0].rpartition("\n")[0], reader.printed) == []
    assert "\nYesterday: 213 sales, 4,182.77, accepted " in reader.printed
    assert "Yesterday: 213 sales, 4,182.77, accepted 23:31." in output


@pytest.mark.long
@pytest.mark.timeout(600)
def test_run_a_fleet(reader):
    """
    The fleet of the page starts, is examined, and gives its group a catalogue.
    """
    (reader.folder / "fleet.toml").write_text(FLEET.format(**reader.env))
    reader.office.catalog = WINE
    for location in ("0001", "0002"):
        assert reader.type(f"conexxus fleet pull fleet.toml --location {location}") == 0
    reader.office.catalog = [{**item, "price": "1.99"} for item in WINE]
    typed = 0

    def run():
        return re.search(r"\d{8}T\d{9}Z-[0-9a-f]{8}", reader.printed)[0]

    for shown, _ in blocks("docs/how-to/run-a-fleet.md"):
        for command in shown.splitlines():
            if command.startswith(("conexxus fleet adopt", "conexxus why")):
                continue  # tests/cli: the state of another store, and a sale
            if command.startswith("conexxus fleet run"):
                command += " --once"
            if command.startswith("conexxus fleet accept"):
                command = re.sub(r"\d{8}T\S+", run(), command)
            if command.startswith("conexxus"):
                # A mass change of prices is refused, as the page says.
                refused = 4 if command.endswith("--plan") else 0
                assert reader.type(command) == refused, (command, reader.printed)
                typed += 1

    assert typed >= 7


@pytest.mark.long
@pytest.mark.timeout(600)
def test_test_your_adapters(reader):
    """
    An adapter with the two faults of the page is told both, and how to mend them.
    """
    (reader.folder / "my_shop").mkdir()
    (reader.folder / "my_shop/conexxus.py").write_text(FAULTY_SHOP)

    assert reader.read("docs/how-to/test-your-adapters.md", exits=(1,)) == 1


@pytest.mark.long
@pytest.mark.timeout(600)
def test_single_commands(reader):
    """
    The commands of the other pages: completion in a shell, doctor, a folder of files.
    """
    reader.env["HOME"] = str(reader.folder)
    for folder in (".local/share/bash-completion/completions", ".config/fish/completions", "zsh"):
        (reader.folder / folder).mkdir(parents=True)
    (reader.folder / "inbox").mkdir()

    zsh = ("/usr/local/share/zsh/site-functions", f"{reader.folder}/zsh")
    assert reader.read("docs/reference/cli.md", instead=[zsh]) == 1
    assert all(it.stat().st_size > 1_000 for it in reader.folder.rglob("*conexxus*"))

    assert reader.type("conexxus pull") == 0
    assert reader.read("docs/how-to/troubleshoot.md") == 1
    inbox = ("/srv/inbox", f"{reader.folder}/inbox")
    assert reader.read("docs/reference/naxml.md", exits=(0, 1), instead=[inbox]) == 1
    assert f"{reader.folder}/inbox" in reader.printed

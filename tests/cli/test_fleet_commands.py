"""
`conexxus fleet`: many stores from one file.
"""

import json
import stat

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.cli._fleet_serving import fleet_figures
from conexxus_sync.fleet import Fleet, read_fleet_file


SECRET = "key-of-store-two-9876"
FLEET = """\
[defaults]
timezone = "America/New_York"
api.key_env = "CONEXXUS_API_KEY"

[[store]]
location = "0001"
orders = "sales.ndjson"
sales_since = 2026-01-01

[[store]]
location = "0002"
api.key_env = "KEY_0002"
group = "canary"
"""
WRONG = '\n[[store]]\nlocation = "0003"\ntimezone = "America/Nowhere"\n'


@pytest.fixture
def fleet(shell, monkeypatch):
    """
    The file of a fleet of two stores, whose second has a wrong key.
    """
    for name in ("LOCATION_ID", "CONEXXUS_TIMEZONE"):
        del shell.environ[name]
    shell.environ["KEY_0002"] = SECRET
    file = shell.folder / "fleet.toml"
    file.write_text(FLEET.replace("2026-01-01", '"2026-01-01"'))
    return file


@pytest.fixture
def run(fleet, cli):
    """
    A command in this process, which never shows the key.
    """

    def run(*arguments):
        code, out, err = cli("fleet", *arguments)
        assert SECRET not in out + err
        return code, out, err

    return run


def test_run_once(run, office):
    """
    Each store has its turn; the code is that of the gravest run.
    """
    code, out, _ = run("run", "--once")

    assert code == 1
    assert "Catalogue of 0001: 30 items received" in out
    assert "Catalogue of 0002: the pull failed" in out
    assert "authentication failed" in out
    assert office.requests["catalog"] == 2


def test_run_one_of_them(run, office):
    """
    `--location` picks one store.
    """
    code, out, _ = run("run", "--once", "--location", "0001", "--json")

    assert code == 0
    assert {it["locationId"] for it in json.loads(out)} == {"0001"}
    assert run("run", "--location", "0009")[0] == 2


@pytest.mark.long
def test_run_of_more_than_a_hundred(run, fleet):
    """
    The runs of all stores are shown, and count for the exit code.
    """
    store = """[[store]]\nlocation = "{:04}"\napi.url = "http://127.0.0.1:9"\n"""
    options = "[fleet]\nrate = 1000\nburst = 1000\n[defaults]\nretries = 0\n"
    fleet.write_text(options + "".join(map(store.format, range(101))))
    code, out, _ = run("run", "--once", "--json")

    assert (code, len(json.loads(out))) == (1, 101)


def test_run_with_a_wrong_store(run, fleet, office):
    """
    The others run; the wrong one is named with line and key.
    """
    fleet.write_text(fleet.read_text() + WRONG)
    code, out, err = run("run", "--once")

    assert code == 2
    assert "Catalogue of 0001: 30 items received" in out
    assert "timezone in fleet.toml, line 17, must be an IANA time zone" in err


@pytest.mark.parametrize(("address", "code"), [("127.0.0.1:0", 1), ("0.0.0.0:0", 2), ("x", 2)])
def test_run_with_pages(run, address, code):
    """
    `--serve` answers meanwhile; beyond this machine it needs a token.
    """
    found, _, err = run("run", "--once", "--serve", address)

    assert found == code
    assert ("Conexxus shim listens" in err) == (code == 1)


def test_status(run, fleet):
    """
    The worst come first; what is well is counted.
    """
    assert run("status")[1].splitlines()[0] == "2 stores: 2 new"

    run("run", "--once")
    fleet.write_text(fleet.read_text() + WRONG)
    code, out, _ = run("status")
    lines = out.splitlines()

    assert code == 0
    assert lines[0] == "3 stores: 1 wrong, 1 failing, 1 good"
    assert lines[1].startswith(
        "critical  The settings of 1 store are wrong: timezone in fleet.toml"
    )
    assert "refuses the key KEY_0002 for 1 store: Conexxus API authentication" in lines[2]
    assert [line.split()[0] for line in lines[5:]] == ["0003", "0002"]
    assert "0001" in run("status", "--everything")[1]


def test_status_for_programs(run):
    """
    Counts by state, and each store.
    """
    run("run", "--once")
    document = json.loads(run("status", "--json")[1])

    assert document["counts"]["failing"] == 1
    assert [(it["locationId"], it["state"], it["group"]) for it in document["stores"]] == [
        ("0002", "failing", "canary"),
        ("0001", "good", None),
    ]
    assert document["stores"][1]["lastPull"] is not None
    assert [(it["name"], it["locations"]) for it in document["alerts"]] == [
        ("ConexxusApiDown", ["0002"])
    ]


def test_status_without_a_store(run, shell):
    """
    None is made to find out; the file may name the wrong one.
    """
    shell.environ["CONEXXUS_STORE"] = "sqlite:///other.db"
    code, _, err = run("status", "--store", "sqlite:///other.db")

    assert code == 2
    assert "There is no store at" in err
    assert not (shell.folder / "other.db").exists()


def test_doctor(run, fleet):
    """
    It names line and key of what is wrong, and which key is refused where.
    """
    fleet.write_text(fleet.read_text() + WRONG)
    code, out, _ = run("doctor")

    assert code == 2
    assert "store 0003: timezone in fleet.toml, line 17, must be an IANA time zone" in out
    assert "2 stores can start" in out
    assert "for 1 store: 0002 (key: KEY_0002): Conexxus API authentication failed" in out
    assert "sales.ndjson can be used, for 1 store" in out


def test_doctor_of_a_back_office_that_is_down(run, fleet):
    """
    What is wrong with many stores is said once.
    """
    more = "".join(f'[[store]]\nlocation = "b{it}"\n' for it in range(5))
    fleet.write_text(f'{fleet.read_text()}\n{more}'.replace("[[store]]\nlocation = \"b",
                     "[[store]]\napi.url = \"http://127.0.0.1:9\"\nlocation = \"b"))  # fmt: skip
    found = json.loads(run("doctor", "--json")[1])
    (down,) = [it for it in found if "http://127.0.0.1:9" in it["message"]]

    assert down["message"].startswith("http://127.0.0.1:9, for 5 stores: b0, b1, b2 …")


def test_doctor_when_all_is_well(run, fleet):
    """
    Exit code 0.
    """
    with SandboxServer(BackOffice([], api_key=SECRET)) as other:
        text = fleet.read_text().replace('group = "canary"', f'api.url = "{other.url}"')
        fleet.write_text(text)
        code, out, _ = run("doctor")

    assert (code, "problem" in out) == (0, False)


def test_add(run, fleet):
    """
    A store that is right is added at the end; its key is named and not given.
    """
    before = fleet.read_text()
    fleet.chmod(0o640)
    code, out, _ = run("add", "0004", "--key-env", "KEY_0002", "--timezone", "America/Chicago")

    assert code == 0
    assert "Store 0004 is in fleet.toml." in out
    assert fleet.read_text() == (
        f'{before}\n[[store]]\nlocation = "0004"\napi.key_env = "KEY_0002"\n'
        'timezone = "America/Chicago"\n'
    )
    assert stat.S_IMODE(fleet.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0001"], "location in fleet.toml, line 16, is that of another store, too"),
        (["0005", "--key-env", "NONE"], "api.key_env in fleet.toml, line 17, names no variable"),
        (["0005", "--url", "ftp://x"], "api.url in fleet.toml, line 17, must start with http"),
        (["0005", "--timezone", "x"], "timezone in fleet.toml, line 17, must be an IANA time zone"),
    ],
)
def test_add_nothing_wrong(run, fleet, arguments, said):
    """
    What is wrong is not added, and says where it would be.
    """
    before = fleet.read_text()
    code, _, err = run("add", *arguments)

    assert (code, fleet.read_text()) == (2, before)
    assert said in err
    assert [it.name for it in fleet.parent.glob("*.toml")] == ["fleet.toml"]


def test_add_the_first(run, fleet):
    """
    The file is made where there is none.
    """
    fleet.unlink()

    assert run("add", 'the "first"')[0] == 0
    assert 'location = "the \\"first\\""' in fleet.read_text()
    assert run("doctor")[0] == 0


def test_file_that_is_not_there(run, fleet):
    """
    A configuration error.
    """
    code, _, err = run("doctor", "none.toml")

    assert code == 2
    assert "none.toml can't be read: No such file or directory" in err


def test_figures(run, fleet):
    """
    What Prometheus reads of a fleet: states, alerts by the number of stores, and load.
    """
    run("run", "--once")
    found = read_fleet_file(fleet, {"CONEXXUS_API_KEY": "a-key-of-all", "KEY_0002": SECRET,
                                    "CONEXXUS_API_URL": "http://127.0.0.1:9"})  # fmt: skip
    with Fleet(found.stores) as one:
        figures = fleet_figures(one)

    assert (figures.stores["good"], figures.stores["failing"]) == (1, 1)
    assert figures.alerts == {"ConexxusApiDown": 1}
    assert (figures.due, figures.at_work) == (0, 0)

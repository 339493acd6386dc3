"""
`fleet.toml`: what holds for all stores, what for one, and what is wrong where.
"""

import logging
import re
import threading
from pathlib import Path

import attrs
import pytest

from conexxus_client import ConfigurationError
from conexxus_client.settings import Document
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings
from conexxus_sync.fleet._fleet_file import read_fleet_file
from conexxus_sync.fleet._fleet_options import read_options
from conexxus_sync.fleet._toml_lines import table_lines


DATABASES = ("sqlite",)
SECRET = "the-key-that-nothing-shows"
ENVIRON = {"KEY_1": SECRET, "KEY_2": f"{SECRET}-2"}
DEFAULTS = """\
[defaults]
timezone = "America/New_York"
api.url = "http://127.0.0.1:9"
api.key_env = "KEY_1"
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "fleet.toml"
        path.write_text(text)
        return read_fleet_file(path, ENVIRON)

    return read_text


def problem(read, line):
    """
    What is said of a store with this line, which is the seventh.
    """
    file = read(f'{DEFAULTS}[[store]]\nlocation = "a"\n{line}\n')
    (wrong,) = file.wrong
    (text,) = wrong.problems
    return text


def test_a_store_goes_before_the_defaults(read):
    """
    What a store says goes before what is said of all.
    """
    file = read(
        f'{DEFAULTS}[[store]]\nlocation = "a"\n'
        '[[store]]\nlocation = "b"\ntimezone = "Europe/Berlin"\ngroup = "canary"\n'
        '[store.api]\nkey_env = "KEY_2"\ncatalog_query = {location = "7"}\n'
    )
    first, second = file.stores

    assert (first.location_id, str(first.sync.timezone), first.group) == (
        "a",
        "America/New_York",
        None,
    )
    assert (second.location_id, str(second.sync.timezone), second.group) == (
        "b",
        "Europe/Berlin",
        "canary",
    )
    assert [it.client.api_key.reveal() for it in file.stores] == [*ENVIRON.values()]
    assert [it.credential for it in file.stores] == ["KEY_1", "KEY_2"]
    assert second.profile.catalog_query == {"location": "7"}
    assert [it.client.location_id for it in file.stores] == ["a", "b"]


def test_the_environment_stands_between(tmp_path):
    """
    A variable goes before the defaults, and after what a store says; it names no
    location.
    """
    path = tmp_path / "fleet.toml"
    path.write_text(
        f'{DEFAULTS}[[store]]\nlocation = "a"\n[[store]]\nlocation = "b"\nretries = 2\n'
    )
    more = {"CONEXXUS_RETRIES": "7", "LOCATION_ID": "other", "CONEXXUS_CONFIG": "none.toml"}
    file = read_fleet_file(path, {**ENVIRON, **more})

    assert [(it.location_id, it.client.retries) for it in file.stores] == [("a", 7), ("b", 2)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'timezone = "America/New_Yrk"',
            "timezone in fleet.toml, line 7, must be an IANA time zone like America/New_York, got",
        ),
        (
            'api.key_env = "KEY_3"',
            "api.key_env in fleet.toml, line 7, names no variable that is set",
        ),
        (
            f'api.key = "{SECRET}"',
            "api.key in fleet.toml, line 7, is a secret in the clear: name a file with",
        ),
        ('zone = "UTC"', "zone in fleet.toml, line 7, is no setting: did you mean timezone?"),
        (
            'store = "sqlite:///other.db"',
            "store in fleet.toml, line 7, is one for the whole fleet: set it in the defaults",
        ),
        ('push_at = "25:00"', "push_at in fleet.toml, line 7, must be a time of day like 23:30"),
    ],
)
def test_wrong_store(read, line, said):
    """
    What is wrong with a store has its line and its key, and shows no secret.
    """
    text = problem(read, line)

    assert text.startswith(said)
    assert SECRET not in text


def test_what_is_missing_has_the_line_of_its_store(read):
    """
    A key that is nowhere has no line; its store has.
    """
    file = read('[[store]]\nlocation = "a"\n\n[[store]]\napi.url = "http://127.0.0.1:9"\n')

    assert [(it.name, it.problems) for it in file.wrong] == [
        (
            "a",
            (
                "api.url of [[store]] in fleet.toml, line 1, is not configured",
                "api.key of [[store]] in fleet.toml, line 1, is not configured",
            ),
        ),
        ("line 4", ("location of [[store]] in fleet.toml, line 4, is not given",)),
    ]


def test_sales_need_a_zone(read):
    """
    The zone of the machine is that of no store.
    """
    text = '[[store]]\nlocation = "a"\napi.url = "http://127.0.0.1:9"\napi.key_env = "KEY_1"\n'
    (store,) = read(text).stores
    (wrong,) = read(f'{text}orders = "sales.ndjson"\n').wrong

    assert store.sync.timezone is None
    assert wrong.problems[0].startswith(
        "timezone of [[store]] in fleet.toml, line 1, is not given, and sales belong to the days"
    )


def test_two_stores_of_one_location(read):
    """
    The second is wrong, and the first starts.
    """
    row = '[[store]]\nlocation = "a"\n'
    file = read(f"{DEFAULTS}{row}{row}")

    assert len(file.stores) == 1
    assert file.wrong[0].problems == (
        "location in fleet.toml, line 8, is that of another store, too",
    )


def test_one_wrong_among_five_hundred(tmp_path, caplog):
    """
    The others start; the wrong one is logged, and nothing shows a key.
    """
    rows = [f'[[store]]\nlocation = "s{number}"\n' for number in range(500)]
    rows[250] += 'timezone = "Nowhere/Town"\n'
    path = tmp_path / "fleet.toml"
    store = f'store = "sqlite:///{tmp_path}/conexxus.db"\n'
    path.write_text(DEFAULTS + store + "".join(rows))
    stop = threading.Event()
    stop.set()

    with Fleet.from_config(path, environ=ENVIRON) as fleet, caplog.at_level(logging.ERROR):
        fleet.run_forever(stop)

        assert len(fleet.locations) == 499
    assert [it.name for it in fleet.wrong] == ["s250"]
    assert "timezone in fleet.toml, line 508, must be an IANA" in caplog.text
    assert SECRET not in f"{caplog.text}{fleet.wrong}{fleet.locations['s1'].settings}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[defaults\n", "fleet.toml can't be read: Expected"),
        ("[stores]\n", "stores in fleet.toml is no table of a fleet"),
        ("[fleet]\n\nworker = 3\n", "worker in fleet.toml, line 3, is no option of a fleet"),
        ("[fleet]\nbudget = 3\n", "budget in fleet.toml, line 2, can't be read: '3'"),
        ("[fleet]\nworkers = 0\n", "fleet.workers must be at least 1"),
        ("[store]\nlocation = 1\n", "store in fleet.toml must be tables, like [[store]]"),
        ("defaults = 1\n", "defaults in fleet.toml must be a table, like [defaults]"),
    ],
)
def test_file_that_is_none(read, text, said):
    """
    What is wrong with the whole file is an error.
    """
    with pytest.raises(ConfigurationError) as caught:
        read(text)

    assert said in caught.value.problems[0]


def test_options(read):
    """
    `[fleet]` says how much of the machine is used.
    """
    options = read('[fleet]\nworkers = 4\nbudget = "90s"\nrate = 0.5\n').options

    assert (options.workers, options.budget.total_seconds(), options.rate) == (4, 90, 0.5)


def test_documented_options():
    """
    The how-to names each option with its default.
    """
    page = (Path(__file__).parents[2] / "docs/how-to/run-a-fleet.md").read_text()
    found = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE))
    options = read_options(Document("the page", found), problems := [])

    assert (options, problems) == (FleetOptions(), [])
    assert found.keys() == attrs.fields_dict(FleetOptions).keys()


def test_rows_of_a_table():
    """
    Settings need no file; what is wrong has the row's location.
    """
    defaults = {"api": {"url": "http://127.0.0.1:9", "key_env": "KEY_1"}}
    store = StoreSettings.of({"location": "7", "group": "canary"}, defaults, environ=ENVIRON)

    assert (store.location_id, store.group, store.client.api_url) == (
        "7",
        "canary",
        "http://127.0.0.1:9",
    )
    with pytest.raises(ConfigurationError, match=r"^timezone in the row of 7 must be an IANA"):
        StoreSettings.of({"location": "7", "timezone": "x/y"}, defaults, environ=ENVIRON)


def test_lines_of_keys():
    """
    Dotted keys, tables within and texts of several lines are where they are.
    """
    text = '[a]\n"x" . y = 1\n\n[[s]]\nk = """\nno = 1\n"""\n[s.api]\nurl=1\n[[s]]\n k=2 # c\n'

    assert [(it.name, it.line, it.keys) for it in table_lines(text)[1:]] == [
        ("a", 1, {"x.y": 2}),
        ("s", 4, {"k": 5, "api.url": 9}),
        ("s", 10, {"k": 11}),
    ]

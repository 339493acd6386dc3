"""
Every setting can be given as a keyword, a variable, a key of the file, and an option.
"""

import json
import os
import re
import sys
from pathlib import Path

import attrs
import pytest
from setting_samples import SAMPLES

from conexxus_client import ApiProfile, ClientConfig, ConfigurationError, Secret
from conexxus_client.settings import BY_VARIABLE, OTHER_VARIABLES, SETTINGS, Settings
from conexxus_sync import SyncConfig
from conexxus_sync.cli._arguments import plain_invocation, settings_of
from conexxus_sync.cli._command_table import COMMANDS
from conexxus_sync.service import ConexxusService


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/configuration.md"
OWNERS = {"client": ClientConfig, "profile": ApiProfile, "sync": SyncConfig}
REQUIRED = {"CONEXXUS_API_URL": "https://office.example", "CONEXXUS_API_KEY": "a-key"}

SHOP = """
from conexxus_client import ApiProfile

class Login:
    def flow(self, key): return {}
    def refused(self): return False

login, profile = Login(), ApiProfile(data_key="items")
"""


def rows():
    """
    The rows of the generated table: variable, key and option.
    """
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines]
    return [(row[0], row[-2], row[-1]) for row in cells]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """
    The folder of an operator, with a module and a certificate.
    """
    (tmp_path / "given_shop.py").write_text(SHOP)
    (tmp_path / "given.pem").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("given_shop", None)


def in_toml(setting, text):
    """
    A value as people write it in a file.
    """
    if setting.default in ("0", "1"):
        return "true" if text == "1" else "false"
    if re.fullmatch(r"[0-9.]+", text):
        return text
    if setting.key == "api.unprocessed_statuses":
        return f"[{text}]"
    if setting.key == "api.catalog_query":
        return '{location = "7", kind = "wine"}'
    return text if setting.key == "sales_since" else json.dumps(text)


def write_file(folder, setting, text):
    path = folder / "conexxus.toml"
    group, _, name = setting.key.rpartition(".")
    path.write_text(f"{f'[{group}]' if group else ''}\n{name} = {in_toml(setting, text)}\n")
    return {"CONEXXUS_CONFIG": str(path)}


def value(setting, environ, given=None):
    """
    What the settings come to in Python.
    """
    # Its certificate is a setting of its own.
    more = {"CONEXXUS_CLIENT_CERT": "given.pem"} if setting.key == "client_key" else {}
    merged = Settings.of({**REQUIRED, **more, **environ}, given)
    found = OWNERS[setting.owner].from_env(merged)
    for name in setting.field.split("."):
        found = getattr(found, name)
    return found.reveal() if isinstance(found, Secret) else found


def options_of(setting, text):
    """
    What the command line makes of the option.
    """
    return plain_invocation(["config", "show", setting.option, text]).settings


@pytest.mark.parametrize(("variable", "key", "option"), rows())
def test_each_way(folder, variable, key, option):
    """
    A setting means the same as a variable, in the file, as an option and as a
    keyword; the argument goes before the environment, and that before the file.
    """
    setting, text = BY_VARIABLE[variable], SAMPLES[key]
    environ, file = {variable: text}, write_file(folder, setting, text)
    default = None if setting.is_required else value(setting, {})

    wanted = value(setting, environ)

    assert (setting.key, wanted != default) == (key, True)
    assert (
        value(
            setting,
            {
                "CONEXXUS_API_URL": "",
                "CONEXXUS_API_KEY": "",
                **file,
                **{name: text for name, text in REQUIRED.items() if name != variable},
            },
        )
        == wanted
    )
    assert keyword(setting, wanted) == wanted
    assert Settings.of(file).origin(setting) == f"{key} in {folder / 'conexxus.toml'}"
    assert Settings.of({**file, variable: text}).origin(setting) == variable

    if setting.is_secret:
        assert option == "-"
        assert all(setting not in settings_of(name).values() for name in COMMANDS)
    else:
        given = options_of(setting, text)
        assert (setting.option, value(setting, {}, given)) == (option, wanted)
        assert Settings.of({**file, variable: "x"}, given).origin(setting) == option


def keyword(setting, wanted):
    """
    What the constructor makes of the value.
    """
    group, _, name = setting.field.rpartition(".")
    more = {"api_url": "https://x", "api_key": "k"} if setting.owner == "client" else {}
    if name == "client_key_file":
        more["client_cert_file"] = "given.pem"
    owner = OWNERS[setting.owner]
    if group:
        made = type(getattr(owner(), group))(**{name: wanted})
        return getattr(getattr(owner(**{group: made}), group), name)
    found = getattr(owner(**{**more, name: wanted}), name)
    return found.reveal() if isinstance(found, Secret) else found


def test_table_is_complete():
    """
    Everything that the three classes can say is in the table, once, and the
    service takes what it names as an object.
    """
    fields = {
        (owner, f"{it.name}.{part.name}" if it.name.endswith("guards") else it.name)
        for owner, kind in OWNERS.items()
        for it in attrs.fields(kind)
        for part in (attrs.fields(it.default.factory) if it.name.endswith("guards") else (it,))
    } - {("client", "location_id")}

    assert sorted((it.owner, it.field) for it in SETTINGS) == sorted(fields)
    assert len({it.variable for it in SETTINGS}) == len(SETTINGS) == len(SAMPLES)
    assert {"catalog", "orders"} <= ConexxusService.from_env.__annotations__.keys()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda it: it.key)
def test_defaults(setting):
    """
    The default of the table is that of the code.
    """
    if setting.default is not None:
        assert value(setting, {setting.variable: setting.default}) == value(setting, {})


def test_reference():
    """
    The reference is written from the table, with CONEXXUS_WRITE_DOCS=1.
    """
    before, after = re.split(r"(?m)(?:^\|.*\n)+", PAGE.read_text())
    written = [
        f"| `{it.variable}` | {it.meaning} | {f'`{it.default}`' if it.default else '-'} "
        f"| {'yes' if it.is_required else 'no'} | `{it.key}` "
        f"| {'-' if it.is_secret else f'`{it.option}`'} |"
        for it in SETTINGS
    ]
    head = [
        "| Variable | Meaning | Default | Required | Key | Option |",
        "|---|---|---|---|---|---|",
    ]
    text = before + "\n".join([*head, *written]) + "\n" + after

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(text)

    assert PAGE.read_text() == text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("CONEXXUS_RETIRES", "did you mean CONEXXUS_RETRIES?"),
        ("CONEXXUS_GUARD_GONE", "did you mean CONEXXUS_GUARDS_GONE?"),
        ("CONEXXUS_QQQQ", "`conexxus config show` names all"),
    ],
)
def test_unknown_variable(name, near):
    """
    It is an error, with the nearest name, for client, service and commands alike.
    """
    for read in (ClientConfig.from_env, ApiProfile.from_env, SyncConfig.from_env):
        with pytest.raises(ConfigurationError) as caught:
            read({**REQUIRED, name: "1"})
        assert caught.value.problems == (f"{name} is no setting: {near}",)


@pytest.mark.parametrize(
    "name",
    [
        *OTHER_VARIABLES,
        "CONEXXUS_X_REGION",
        "CONEXXUS_SERVICE_HOST",
        "CONEXXUS_SERVICE_PORT_HTTP",
        "CONEXXUS_SHIM_PORT_3000_TCP_ADDR",
        "CONEXXUS_PORT",
    ],
)
def test_variables_of_others(name):
    """
    The host's own, and those that a cluster sets for a service called conexxus,
    are no mistakes.
    """
    assert SyncConfig.from_env({name: "tcp://10.0.0.1:3000"}) == SyncConfig.from_env({})


def test_variables_in_the_project():
    """
    The project itself uses no other variable than settings and the known others.
    """
    files = [
        path
        for folder in ("src", "scripts", "examples", "docs", "benchmarks")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".png")
    ]
    text = "\n".join(path.read_text(errors="replace") for path in files)
    used = set(re.findall(r"CONEXXUS_[A-Z_]*[A-Z]\b", text)) - {"CONEXXUS_CONFIG"}
    files_of = {f"{it.variable}_FILE" for it in SETTINGS if it.is_secret}

    assert used - BY_VARIABLE.keys() - files_of <= {
        *OTHER_VARIABLES,
        "CONEXXUS_X",
        "CONEXXUS_SERVICE_HOST",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[guard]\ngone = 0.3", "guard.gone in {} is no setting: did you mean guards.gone?"),
        ("retires = 3", "retires in {} is no setting: did you mean retries?"),
        ("[guards]\ngone = 3", "guards.gone in {} must be a fraction from 0 to 1, like 0.2, got"),
        ("removals = 'drop'", "removals in {} must be keep or deactivate, got 'drop'"),
        ("push_at = 2026-01-02T10:00:00", "push_at in {} must be a text, a number"),
        ("retries = ", "CONEXXUS_CONFIG {} can't be read: "),
    ],
)
def test_wrong_file(folder, cli, text, problem):
    """
    The message names the key and the file; the command exits with 2.
    """
    path = folder / "mine.toml"
    path.write_text(text)

    code, _, err = cli("status", "--config", str(path))

    assert (code, problem.format(path) in err) == (2, True), err


def test_missing_file(cli):
    """
    A file that is named has to be there.
    """
    code, _, err = cli("pull", "--config", "nothing.toml")

    assert (code, "nothing.toml can't be read: No such file" in err) == (2, True)


def test_secret_of_a_nearer_source(folder):
    """
    A secret in the environment goes before a file of it that the settings file names.
    """
    (folder / "key").write_text("from-a-file\n")
    (folder / "c.toml").write_text(f"[api]\nkey_file = '{folder / 'key'}'\nurl = 'https://x'\n")
    file = {"CONEXXUS_CONFIG": str(folder / "c.toml")}

    assert ClientConfig.from_env(file).api_key.reveal() == "from-a-file"
    assert ClientConfig.from_env({**file, **REQUIRED}).api_key.reveal() == "a-key"


def test_config_show(folder, cli, monkeypatch):
    """
    Each value has its origin, and neither secrets nor passwords in addresses
    are shown.
    """
    (folder / "c.toml").write_text("lookback_days = 3\n[guards]\ngone = 0.3\nrepriced = 0.4\n")
    monkeypatch.setenv("CONEXXUS_GUARDS_REPRICED", "0.6")
    monkeypatch.setenv("CONEXXUS_PROXY", "http://user:hush-hush@proxy.example:3128")
    monkeypatch.setenv("CONEXXUS_STORE", "postgresql://me:hush-hush@db/x?password=hush-hush")
    arguments = ["config", "show", "--config", "c.toml", "--lookback-days", "5"]

    code, out, _ = cli(*arguments, "--json")
    found = {it["key"]: (it["value"], it["origin"]) for it in json.loads(out)}

    assert (code, len(found)) == (0, len(SETTINGS))
    assert found["guards.gone"] == ("0.3", "guards.gone in c.toml")
    assert found["guards.repriced"] == ("0.6", "CONEXXUS_GUARDS_REPRICED")
    assert found["lookback_days"] == ("5", "--lookback-days")
    assert found["guards.invalid"] == ("0.5", "default")
    assert found["proxy"] == ("***", "CONEXXUS_PROXY")
    assert found["store"][0] == "postgresql://me:***@db/x?password=***"
    assert "hush" not in out + cli(*arguments)[1]


def test_config_show_of_an_open_proxy(folder, cli, monkeypatch):
    """
    The address of a proxy without a user is no secret; that of a webhook is.
    """
    monkeypatch.setenv("CONEXXUS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("CONEXXUS_ALERT_WEBHOOK", "https://hooks.example/hush-hush")

    out = cli("config", "show", "--json")[1]
    found = {it["key"]: it["value"] for it in json.loads(out)}

    assert found["proxy"] == "http://proxy.example:3128"
    assert "hush" not in out


def test_named_by_the_settings(folder, shell, monkeypatch):
    """
    A service without arguments has the order source and the storage of the settings.
    """
    (folder / "till.py").write_text(
        "class Till:\n"
        "    def transactions(self, location_id, business_date): return []\n"
        "    def apply(self, changes): pass\n"
    )
    monkeypatch.chdir(shell.folder)
    named = {"CONEXXUS_ORDERS": "till:Till", "CONEXXUS_CATALOG": "till:Till"}

    with ConexxusService.from_env({**shell.environ, **named}) as service:
        assert type(service.sales.orders).__name__ == "Till"
    sys.modules.pop("till")

"""
Alert rules and dashboard fit what the metrics are called, and work.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from conexxus_sync import RunKind, RunStatus
from conexxus_sync.health._health import ServiceState
from conexxus_sync.metrics._families import FAMILIES
from conexxus_sync.metrics.prometheus import CALLS, OUTCOMES
from conexxus_sync.model.alerts import SEVERITIES, AlertName
from conexxus_sync.model.sales import BatchState
from conexxus_sync.views.runbooks import DOWN, runbook_for


FOLDER = Path(__file__).parents[2] / "examples/monitoring"
RULES = (FOLDER / "conexxus.rules.yml").read_text()
RULE = re.compile(
    r"- alert: (?P<name>\w+)\n\s+expr: (?P<expr>.+)\n\s+for: \w+\n\s+labels:\n"
    r"\s+severity: (?P<severity>\w+)\n\s+annotations:\n\s+summary: (?P<summary>.+)\n"
    r"(?:\s+description: .+\n)?\s+runbook_url: (?P<url>\S+)"
)
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())

VALUES = {
    "alert": set(AlertName),
    "call": set(CALLS),
    "kind": set(RunKind),
    "status": set(RunStatus),
    "state": {*ServiceState, *BatchState},
    "outcome": {*OUTCOMES, "processed", "succeeded", "failed"},
}


def names(family):
    """
    The series that Prometheus has of *family*.
    """
    if family.type != "histogram":
        return {family.name}

    return {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}


# What the library tells of the process on Linux.
PROCESS = {"conexxus_process_resident_memory_bytes"}
KNOWN = set().union(PROCESS, *map(names, FAMILIES))


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    """
    Every expression in rules and dashboard.
    """
    told = [match["expr"] for match in RULE.finditer(RULES)]
    drawn = [target["expr"] for panel in panels() for target in panel["targets"]]

    return told + drawn


@pytest.mark.parametrize("what", [("check", "rules"), ("check", "config"), ("test", "rules")])
def test_promtool_is_content(promtool, what):
    """
    Rules and configuration are valid; in their unit tests each alert fires,
    and clears again.
    """
    names = {"config": "prometheus.yml", "rules": "conexxus.rules.yml"}
    name = "conexxus.rules.test.yml" if what[0] == "test" else names[what[1]]

    done = subprocess.run(
        [promtool, *what, name], cwd=FOLDER, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_rule():
    """
    There is a rule for each alert of the service, and one for its absence;
    each has the alert's severity, a sentence and a runbook that exists.
    """
    rules = {match["name"]: match for match in RULE.finditer(RULES)}

    assert set(rules) == {*AlertName, DOWN}
    assert RULES.count("- alert:") == len(rules)
    for name, rule in rules.items():
        assert rule["url"] == f"http://localhost:3000/runbooks/{name}"
        assert runbook_for(name) is not None
        assert rule["summary"].strip('"').endswith(".")
        if name != DOWN:
            assert rule["severity"] == SEVERITIES[AlertName(name)]
            assert rule["expr"] == f'conexxus_alert_active{{alert="{name}"}} == 1'


def test_every_rule_has_a_test():
    """
    Each rule's unit test sees it silent, firing, and silent again.
    """
    tests = (FOLDER / "conexxus.rules.test.yml").read_text()

    for name in (*AlertName, DOWN):
        looks = re.findall(rf"- alertname: {name}\n\s+eval_time: \d+m\n(\s+exp_alerts)?", tests)
        fires = [bool(expected) for expected in looks]
        assert fires[0] is False
        assert True in fires
        assert False in fires[fires.index(True) :], name


@pytest.mark.parametrize("expression", expressions())
def test_expressions_name_what_exists(expression):
    """
    Each metric is one that there is, and each value of a label can occur.
    """
    metrics = set(re.findall(r"\bconexxus_\w+", expression))

    assert metrics <= KNOWN
    assert metrics or "up{" in expression
    for label, values in re.findall(r'(\w+)=~?"([^"$]+)"', expression):
        if label != "job":
            assert set(values.split("|")) <= VALUES[label]


def test_metrics_are_rendered(busy):
    """
    What may be named is what a service really says, but for shadow mode.
    """
    assert {name for name, *_ in busy.scrape()} >= KNOWN - {"conexxus_shadow_differences"}


def test_expressions_are_promql(promtool, tmp_path):
    """
    Prometheus can read each expression of the dashboard.
    """
    plain = [
        each.replace("$location", ".*").replace("$__rate_interval", "5m") for each in expressions()
    ]
    rules = [{"record": f"it:{number}", "expr": expr} for number, expr in enumerate(plain)]
    file = tmp_path / "rules.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    done = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard_is_one():
    """
    It asks whatever source is chosen, its panels have names of their own, do
    not lie over each other, and say what they show.
    """
    taken = set()

    for panel in panels():
        box = panel["gridPos"]
        area = {
            (x, y)
            for x in range(box["x"], box["x"] + box["w"])
            for y in range(box["y"], box["y"] + box["h"])
        }
        assert not area & taken, panel["title"]
        assert box["x"] + box["w"] <= 24
        taken |= area

    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]} == {
        "${datasource}"
    }
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {
        "datasource",
        "location",
    }


@pytest.mark.parametrize("unit", ["amount", "transactions"])
def test_sums_of_a_business_date(promtool, tmp_path, unit):
    """
    Sales of several stores are added for one business date alone: a store
    that has not pushed it yet counts nothing, and one that two processes tell
    of counts once.
    """
    (expr,) = (
        each
        for each in expressions()
        if each.startswith("sum") and f"conexxus_sales_date_{unit}" in each
    )
    facts = [("a", "one", 2 * 86_400, 10), ("b", "one", 2 * 86_400, 5)]
    facts += [("b", "two", 2 * 86_400, 5), ("late", "one", 86_400, 1_000)]
    series = [
        {
            "series": f'conexxus_sales_date_{name}{{location="{shop}",instance="{instance}"}}',
            "values": f"{value}x2",
        }
        for shop, instance, moment, count in facts
        for name, value in (("timestamp_seconds", moment), (unit, count))
    ]
    asked = {
        "expr": expr.replace("$location", ".*"),
        "eval_time": "1m",
        "exp_samples": [{"labels": "{}", "value": 15}],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"tests": [{"input_series": series, "promql_expr_test": [asked]}]}))

    done = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr

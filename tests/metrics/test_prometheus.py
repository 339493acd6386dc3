"""
Metrics that Prometheus can read, of whatever the shop went through.
"""

import re
import subprocess
import threading
from contextlib import closing

import attrs
import prometheus_client
import pytest
from databases import destroy
from prometheus_client import CollectorRegistry, generate_latest

import conexxus_client
from conexxus_client import AttemptDetails, ConexxusError, ConnectError, ServerError
from conexxus_sync import ConexxusService, RunKind, RunStatus, SyncRun
from conexxus_sync.metrics._families import FAMILIES
from conexxus_sync.metrics._fleet_gauges import FLEET_FAMILIES, FleetFigures, FleetGauges
from conexxus_sync.metrics.prometheus import CALLS, OUTCOMES, PrometheusMetrics, outcome_of
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.stores.sqlite import SqliteStore
from shops import MORNING


LABELS = {
    *("location", "kind", "status", "outcome", "call", "alert", "severity", "state"),
    *("change", "version", "le"),
}


def test_promtool_accepts_them(busy, promtool):
    """
    Prometheus's own linter has nothing to say against names, units and help.
    """
    text, content_type = busy.metrics.render()

    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert content_type.startswith("text/plain; version=")


def test_each_family_is_there(busy):
    """
    Whatever the table of metrics names is in the text, with that help, type
    and labels, and nothing else is but the process's own; differences are only
    there in shadow mode.
    """
    families = {
        metric.name + ("_total" if metric.type == "counter" else ""): metric
        for metric in busy.metrics.registry.collect()
        if not metric.name.startswith("conexxus_process_")
    }

    shown = [family for family in FAMILIES if family.name != "conexxus_shadow_differences"]
    assert set(families) == {family.name for family in shown}
    for family in shown:
        metric = families[family.name]
        labels = set().union(*(sample.labels for sample in metric.samples)) - {"le"}
        assert (metric.type, metric.documentation) == (family.type, family.help)
        assert labels == {"location", *family.labels}, family.name


def test_labels_are_few(busy):
    """
    No SKU, no id, no URL and no text of an error becomes a label.
    """
    busy.office.faults('catalog: 500(body="<script>"); sales: reset')
    busy.service.sync_inventory()
    text = busy.metrics.render()[0].decode()

    assert set(re.findall(r'[{,]([a-z]+)="', text)) <= LABELS
    values = " ".join(set(re.findall(r'="([^"]*)"', text)))
    assert not re.search(r"<script>|127\.0\.0\.1|S1|B0|t1|ServerError", values)


def test_all_names_begin_alike(busy):
    """
    A name says whose it is.
    """
    lines = busy.metrics.render()[0].decode().splitlines()

    assert {line for line in lines if not line.startswith(("#", "conexxus_"))} == set()
    assert "_created" not in "".join(lines)


def test_amounts_are_exact_to_the_cent(busy):
    """
    What is added up as `Decimal` is shown with its cents.
    """
    text = busy.metrics.render()[0].decode()

    assert 'conexxus_sales_delivered_amount{location="loc-001"} 3365.54\n' in text
    assert 'conexxus_sales_date_amount{location="loc-001"} 2182.77\n' in text


def test_global_registry_is_left_alone(busy):
    """
    A host's own metrics do not get ours among them.
    """
    names = {metric.name for metric in prometheus_client.REGISTRY.collect()}

    assert not [name for name in names if name.startswith("conexxus")]


def test_registry_of_the_host(shop):
    """
    A host that wants them among its own says so.
    """
    registry = CollectorRegistry()

    PrometheusMetrics(shop.service, registry=registry)

    assert b"conexxus_state" in generate_latest(registry)


def test_one_service_of_each_location(shop):
    """
    A second service of one location would be counted twice.
    """
    with pytest.raises(ValueError, match="loc-001 already"):
        shop.metrics.watch(shop.service)


def test_several_services(busy, tmp_path):
    """
    One exposition has several locations, and each its own state.
    """
    other = attrs.evolve(busy, folder=tmp_path / "other", location="loc-002")
    other.folder.mkdir()
    service = other.open(store=other.new_store(other.folder / "conexxus.db"))
    with closing(service):
        busy.metrics.watch(service)
        service.sync_inventory()
        (attempts,) = [
            metric
            for metric in busy.metrics.registry.collect()
            if metric.name == "conexxus_api_attempts"
        ]
        (up,) = [it for it in busy.metrics.registry.collect() if it.name == "conexxus_api_up"]

    assert {sample.labels["location"] for sample in up.samples} == {"loc-001", "loc-002"}
    assert any(
        sample.value for sample in attempts.samples if sample.labels["location"] == "loc-002"
    )


@pytest.mark.parametrize(
    ("most", "labels"),
    [(None, {"a", "b", "c"}), (2, {"a", "b", "other"}), (0, {"all"})],
)
def test_bounded_locations(most, labels):
    """
    The label of the location is that of each, of the first, or of none.
    """
    metrics = PrometheusMetrics(most_locations=most)
    run = SyncRun(id="r", kind=RunKind.INVENTORY, location_id="a", start_time=MORNING,
                  end_time=MORNING, status=RunStatus.SUCCESS)  # fmt: skip
    for location in "abcc":
        metrics.run_finished(attrs.evolve(run, location_id=location))
    (runs,) = [it for it in metrics.registry.collect() if it.name == "conexxus_runs"]
    counted = {
        it.labels["location"]: it.value for it in runs.samples if it.name == "conexxus_runs_total"
    }

    assert set(counted) == labels
    assert sum(counted.values()) == 4


def test_figures_of_a_fleet(promtool):
    """
    Few lines for any number of stores, which Prometheus's linter accepts; without
    them where they can't be read.
    """
    figures = FleetFigures(
        stores={"good": 4_999, "late": 1}, alerts={"ConexxusApiDown": 1}, due=3,
        longest_due_s=2.5, at_work=7, oldest_overdue=MORNING.date(),
    )  # fmt: skip
    metrics = PrometheusMetrics(most_locations=0)
    metrics.watch_fleet(lambda: figures)
    text = metrics.render()[0]
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)

    assert (done.returncode, done.stdout) == (0, b"")
    assert b'conexxus_fleet_stores{state="good"} 4999.0' in text
    assert b"conexxus_fleet_longest_due_seconds 2.5" in text
    assert {it.name.encode() for it in FLEET_FAMILIES} <= set(
        re.findall(rb"conexxus_fleet\w+", text)
    )
    assert [*FleetGauges(lambda: None).collect()] == []


def test_store_that_cannot_be_read(busy, caplog):
    """
    The scrape goes on, says so, and leaves out what it does not know; the log
    is not filled with it.
    """
    destroy(busy.service.store)

    found = busy.scrape()

    assert found["conexxus_store_readable",] == 0
    assert found["conexxus_alert_active", AlertName.STORE_UNUSABLE, "critical"] == 1
    assert ("conexxus_catalogue_items",) not in found
    assert caplog.records == []
    assert found["conexxus_runs_total", "inventory", "partial"] == 1


def test_run_that_no_one_can_read(busy, caplog):
    """
    Whatever is wrong with the store, the scrape gets an answer; the log has
    the rest.
    """
    busy.office.faults("catalog: 500")
    busy.service.sync_inventory()
    with busy.service.store.write() as state:
        state.session.execute(
            "UPDATE runs SET document = '{' WHERE kind = 'inventory' AND status <> 'failed'"
        )

    assert busy.scrape()["conexxus_store_readable",] == 0
    assert "The metrics can't be read from the store" in caplog.text


def test_what_another_process_did(busy):
    """
    Gauges speak of the store, whoever wrote to it; counters of this process.
    """
    before = busy.scrape()

    busy.open()

    after = busy.scrape()
    for name in ("conexxus_last_run_timestamp_seconds", "conexxus_last_run_items"):
        assert [before[key] for key in before if key[0] == name] == [
            after[key] for key in after if key[0] == name
        ]
    assert after["conexxus_sales_delivered_transactions",] == 2
    assert after["conexxus_runs_total", "inventory", "partial"] == 0
    assert after["conexxus_api_up",] == 1


def test_last_success_is_kept(shop):
    """
    However many runs failed since, the last that did not is known.
    """
    shop.service.sync_inventory()
    ended = shop.clock.now().timestamp()
    shop.office.faults("catalog: 500*99")

    for _ in range(55):
        shop.clock.advance(hours=1)
        shop.service.sync_inventory()

    assert shop.scrape()["conexxus_last_success_timestamp_seconds", "inventory"] == ended


def test_run_at_work(shop):
    """
    A run is seen while it is at work, and no longer.
    """
    entered, go_on = threading.Event(), threading.Event()

    class SlowStorage:
        def apply(self, changes):
            entered.set()
            go_on.wait(10)

    shop.open(catalog=SlowStorage())
    worker = threading.Thread(target=shop.service.sync_inventory)
    worker.start()
    assert entered.wait(10)
    during = shop.scrape()
    go_on.set()
    worker.join()

    assert during["conexxus_run_in_progress", "inventory"] == 1
    assert during["conexxus_run_in_progress", "sales"] == 0
    assert shop.scrape()["conexxus_run_in_progress", "inventory"] == 0


def test_plans_are_no_runs(shop):
    """
    A pull that only planned is not counted.
    """
    shop.service.sync_inventory(plan=True)

    assert shop.scrape()["conexxus_runs_total", "inventory", "success"] == 0


def test_requests_and_retries(shop):
    """
    Each request is counted by how it ended; those after the first are retries.
    """
    shop.open(client=shop.client(retries=2))
    shop.office.faults("catalog: 503*2")

    shop.service.sync_inventory()

    found = shop.scrape()
    assert found["conexxus_api_attempts_total", "catalogue", "server_error"] == 2
    assert found["conexxus_api_attempts_total", "catalogue", "success"] == 1
    assert found["conexxus_api_retries_total", "catalogue"] == 2
    assert found["conexxus_api_attempt_duration_seconds_count", "catalogue"] == 3
    assert found["conexxus_api_up",] == 1


def test_unknown_words_are_other(shop):
    """
    A call that does not exist yet makes no new series.
    """

    class NewError(ConexxusError):
        pass

    shop.metrics(
        AttemptDetails(
            call="prices", method="GET", url="/", number=1, duration=0.1, error=NewError("?")
        )
    )

    assert shop.scrape()["conexxus_api_attempts_total", "other", "other"] == 1


def test_every_error_has_a_word():
    """
    Each error of the client is one of the outcomes, and the special ones are
    told from the general.
    """
    transport = [
        cls
        for cls in vars(conexxus_client).values()
        if isinstance(cls, type) and issubclass(cls, ConexxusError)
    ]

    assert {outcome_of(cls.__new__(cls)) for cls in transport} <= set(OUTCOMES)
    assert outcome_of(ConnectError.__new__(ConnectError)) == "refused"
    assert outcome_of(ServerError.__new__(ServerError)) == "server_error"
    assert CALLS == ("health", "catalogue", "sales", "summary")


def test_service_without_back_office(shop):
    """
    A service that is switched off is watched like any other.
    """
    service = ConexxusService(
        None,
        store=SqliteStore(shop.folder / "conexxus.db"),
        config=shop.service.config,
        missing=["no key"],
    )

    text = PrometheusMetrics(service, clock=shop.clock).render()[0].decode()

    assert 'conexxus_state{location="loc-001",state="disabled"} 1.0' in text

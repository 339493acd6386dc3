"""
What a host holds.
"""

import threading
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from databases import destroy

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import (
    ConexxusService,
    InMemoryCollector,
    RunInProgressError,
    RunKind,
    RunStatus,
    StoreError,
    SyncConfig,
)


def test_sync_inventory(service):
    """
    A pull returns its run, and the metrics show it.
    """
    run = service.sync_inventory()

    assert (run.status, run.created) == (RunStatus.SUCCESS, 2)
    assert service.metrics().latest == run
    assert service.metrics().history == (run,)


def test_plans_feed_nothing(service):
    """
    A plan is neither the latest run nor the last sync.
    """
    service.sync_inventory(plan=True)

    assert service.metrics().latest is None
    assert service.health().last_sync_time is None


def test_second_pull_is_refused(service):
    """
    One run per location.
    """
    service._engines.inventory(lambda: False).acquire()

    with pytest.raises(RunInProgressError):
        service.sync_inventory()


def test_disabled():
    """
    Without URL and key it is disabled: runs are skipped, and say so.
    """
    service = ConexxusService.from_env({"CONEXXUS_STORE": "sqlite:///never.db"})

    assert service.missing == (
        "CONEXXUS_API_URL is not configured",
        "CONEXXUS_API_KEY is not configured",
    )
    assert "CONEXXUS_API_URL is not configured" in service.sync_inventory().last_error
    assert service.trigger_sync().run_id is None
    assert service.push_sales() == []
    assert service.run_due(datetime.now(UTC)) == []
    assert not service.test_connection().success


def test_wrong_settings_are_not_missing():
    """
    A wrong setting is an error, not a state.
    """
    environ = {"CONEXXUS_API_URL": "ftp://x", "CONEXXUS_API_KEY": "k"}

    with pytest.raises(ConfigurationError, match="http"):
        ConexxusService.from_env(environ)


def test_from_env_takes_what_no_variable_says(tmp_path, clock):
    """
    How the back office speaks, all of the settings, and the clock.
    """
    profile = ApiProfile(catalog_path="/v2/catalogue")
    config = SyncConfig(
        location_id="loc-007", store=f"sqlite:///{tmp_path / 'a.db'}", removals="deactivate"
    )

    with (
        SandboxServer(BackOffice([], profile=profile)) as server,
        ConexxusService.from_env(
            server.env, profile=profile, config=config, clock=clock
        ) as service,
    ):
        run = service.sync_inventory()

    assert (run.status, run.location_id, run.start_time) == (
        RunStatus.SUCCESS,
        "loc-007",
        clock.now(),
    )
    assert service.config.removals == "deactivate"


def test_metrics_of_a_broken_store(service):
    """
    History that can't be read is an error, not an empty history.
    """
    said = destroy(service.store)

    with pytest.raises(StoreError, match=said):
        service.metrics()


def test_trigger(new_service):
    """
    A trigger returns the run's id at once; another one gets the same id; in
    the end the run is there.
    """
    reached, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    class Watch(InMemoryCollector):
        def run_started(self, run):
            reached.set()
            go_on.wait()

        def run_finished(self, run):
            finished.set()

    service = new_service(collectors=[Watch()])

    first = service.trigger_sync()
    reached.wait()
    second = service.trigger_sync()
    go_on.set()
    finished.wait()

    assert not first.already_running
    assert (second.run_id, second.already_running) == (first.run_id, True)
    assert service.metrics().latest.id == first.run_id


def test_close_day(new_service, office, till):
    """
    The till's own end of day pushes at once.
    """
    service = new_service(orders=till)

    service.close_day(date(2026, 1, 2))

    assert office.effective_batches == [{"t2026-01-02"}]


def test_settings_of_sales(new_service, till):
    """
    What is to become of changed sales, and of summaries, is a setting.
    """
    config = SyncConfig(
        location_id="loc-001", timezone=ZoneInfo("UTC"), on_changed="resend", summary=True
    )

    given = new_service(orders=till, config=config).sales.context.config

    assert (given.on_changed, given.summary) == ("resend", True)


def test_without_orders_there_are_no_sales(service, clock):
    """
    Without an order source no sales run is recorded.
    """
    clock.advance(days=3)
    service.run_due(clock.now())

    assert service.push_sales(date(2026, 1, 2)) == []
    assert service.close_day(date(2026, 1, 2)) == []
    assert service.metrics(kind=RunKind.SALES).latest is None

"""
The key stays where it belongs.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from conexxus_client import Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService, InMemoryCollector, LoggingCollector


CANARY = "canary-77aa01"


class Orders:
    def transactions(self, location_id, business_date):
        line = TransactionLine(sku="S", quantity=1, price=Decimal("9.99"))
        moment = datetime(2026, 1, 2, 15, tzinfo=UTC)
        yield Transaction(id="t1", timestamp=moment, total=Decimal("9.99"), items=[line])


def test_no_file_and_no_log_holds_the_key(tmp_path, caplog, capsys):
    """
    After pulls and pushes that failed and succeeded, the key is in no file,
    no log, no run and no health.
    """
    caplog.set_level("DEBUG")
    office = BackOffice(api_key=CANARY, faults="500, reset, 401, truncate*9, after_commit(reset)")
    watch = InMemoryCollector()

    with SandboxServer(office) as server:
        settings = {
            **server.env,
            "CONEXXUS_STORE": f"sqlite:///{tmp_path}/state.db",
            "CONEXXUS_TIMEZONE": "America/New_York",
        }
        assert settings["CONEXXUS_API_KEY"] == CANARY
        with ConexxusService.from_env(
            settings, orders=Orders(), collectors=[watch, LoggingCollector()]
        ) as service:
            for _ in range(4):
                service.sync_inventory()
                service.push_sales(date(2026, 1, 2))
            said = repr(service.health()) + repr(service.metrics()) + repr(vars(service))

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert office.ledger.sales("default", date(2026, 1, 2))
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
    assert CANARY not in said + caplog.text + "".join(capsys.readouterr())


def test_a_planted_key_is_found(tmp_path):
    """
    The search finds what it looks for.
    """
    (tmp_path / "leak.db").write_bytes(b"\0" + CANARY.encode())

    assert [p for p in tmp_path.rglob("*") if CANARY.encode() in p.read_bytes()]

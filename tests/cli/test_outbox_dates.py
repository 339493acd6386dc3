"""
`conexxus outbox dates`: do till and back office agree?
"""

import json


def sale(name, total="1.10", day="2026-01-02"):
    return {
        "id": name,
        "timestamp": f"{day}T15:00:00Z",
        "total": f"<{total}>",
        "items": [{"sku": "A1", "quantity": 1, "price": f"<{total}>"}],
    }


def write(path, *sales):
    """
    Amounts are written with their digits, which a float would lose.
    """
    lines = [json.dumps(one).replace('"<', "").replace('>"', "") + "\n" for one in sales]
    path.write_text("".join(lines))


def dates(cli, *options):
    code, out, _ = cli("outbox", "dates", "--since", "2026-01-01", "--json", *options)
    return code, json.loads(out)


def test_dates_that_agree(cli, tmp_path):
    """
    What the till tells is what the back office took, to the cent.
    """
    write(tmp_path / "till.ndjson", sale("a"), sale("b", "2.20"), sale("c", day="2026-01-03"))
    for day in ("2026-01-02", "2026-01-03"):
        cli("push", "--orders", "till.ndjson", "--date", day)

    code, found = dates(cli, "--orders", "till.ndjson")

    assert code == 0
    assert found[0] == {
        "businessDate": "2026-01-02",
        "delivered": 2,
        "total": "3.30",
        "waiting": 0,
        "setAside": 0,
        "contradicted": 0,
        "till": 2,
        "tillTotal": "3.30",
        "agrees": True,
    }
    assert [one["agrees"] for one in found] == [True, True]


def test_dates_that_do_not(cli, tmp_path):
    """
    A sale that the till tells and the back office has not makes a
    difference, and the exit code says so.
    """
    write(tmp_path / "till.ndjson", sale("a"))
    cli("push", "--orders", "till.ndjson", "--date", "2026-01-02")
    write(tmp_path / "till.ndjson", sale("a"), sale("late", "5.00"))

    code, (found,) = dates(cli, "--orders", "till.ndjson")
    alone, _ = dates(cli)
    _, out, _ = cli("outbox", "dates", "--since", "2026-01-01", "--orders", "till.ndjson")

    assert (code, found["delivered"], found["till"], found["agrees"]) == (3, 1, 2, False)
    assert alone == 0
    assert "differs" in out


def test_what_waits_does_not_agree(cli, tmp_path, office):
    """
    Sales of unknown fate are no agreement.
    """
    office.faults("sales: after_commit(500)*forever")
    write(tmp_path / "till.ndjson", sale("a"))
    cli("push", "--orders", "till.ndjson", "--date", "2026-01-02")

    code, (found,) = dates(cli)

    assert (code, found["waiting"], found["delivered"]) == (3, 1, 0)

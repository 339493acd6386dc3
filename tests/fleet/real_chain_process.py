"""
A real chain's year, and the processes that push it, for the proof that these may be
killed.

    real_chain_process.py data FOLDER STORES
    real_chain_process.py workers STORE URL FOLDER

The first writes the baskets of all stores (of so many small ones, if STORES is a number)
of the grocery data: products, amounts, discounts and coupons are mapped as by
`examples/grocery_data.py`, without taxes, so that a basket's total is the data's own
`sales_value`.  The sales of a month are those of one business date, the days after
which are long over: what is proven here is about many stores, not about many dates.

The second forks a process of the fleet for each line on its standard input, and
answers with its number.  They have in common what takes seconds to import, and
nothing else.
"""

import json
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from conexxus_client import Transaction, decode_transaction, encode_transaction
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, _dbos_executor, _fleet


MIDDLING = 50
KEY = "the-key-of-the-stores"
EXPECTED = "expected.json"
COLUMNS = ["store_id", "basket_id", "transaction_timestamp", "product_id", "quantity"]


class Till:
    """
    One file for each location and date.
    """

    def __init__(self, folder):
        self.folder = folder

    def transactions(self, location_id, business_date):
        path = self.folder / location_id / f"{business_date}.ndjson"
        if path.exists():
            with path.open("rb") as file:
                yield from map(decode_transaction, file)


def write_data(folder, count):
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    import grocery_data as grocery

    sold = grocery.get_data("transactions")["transactions"]
    for name, cents in grocery.AMOUNTS.items():
        sold[cents] = (sold[name] * 100).round().astype("int64")
    sold["tax"] = None
    baskets = sold.groupby("store_id")["basket_id"].nunique().sort_values()
    chosen = baskets.index if count is None else baskets[baskets >= MIDDLING].index[:count]
    sold = sold[sold["store_id"].isin(set(chosen))]
    first = datetime.now(UTC).date() - timedelta(days=16)
    # The table itself, which shares nothing with the receipts.
    of_store = sold.groupby("store_id")
    expected = {
        str(store): [sorted(map(str, ids)), int(cents)]
        for store, ids, cents in zip(
            of_store.groups,
            of_store["basket_id"].unique(),
            of_store["cents"].sum(),
            strict=True,
        )
    }
    in_order = sold.sort_values(["store_id", "transaction_timestamp", "basket_id"], kind="stable")
    rows = in_order[[*COLUMNS, *grocery.AMOUNTS.values(), "tax"]].itertuples(index=False)
    for (store, month), of_month in groupby(
        rows, lambda row: (row.store_id, row.transaction_timestamp.month)
    ):
        day = first + timedelta(days=month)
        path = folder / str(store) / f"{day}.ndjson"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            for basket, lines in groupby(of_month, lambda row: row.basket_id):
                file.write(encode_transaction(receipt(grocery, basket, list(lines), day)) + b"\n")

    (folder / EXPECTED).write_text(json.dumps(expected))


def receipt(grocery, basket, lines, day):
    total = sum(int(line.cents) for line in lines)

    return Transaction(
        id=str(basket),
        timestamp=datetime.combine(day, lines[0].transaction_timestamp.time(), UTC),
        total=grocery.money(total),
        items=[grocery.line(line) for line in lines],
        register=str(basket % grocery.REGISTERS + 1),
        tenders=grocery.tenders(total, sum(int(line.coupon) for line in lines)),
        currency="USD",
    )


def settings(store, url, names):
    defaults = {
        "store": store,
        "api.url": url,
        "api.key_env": "KEY",
        "timezone": "UTC",
        "retry_delay": 1,
        "sync_every": "7d",
    }

    return [StoreSettings.of({"location": it}, defaults, environ={"KEY": KEY}) for it in names]


def work(store, url, folder):
    logging.basicConfig(level=logging.WARNING)
    # What takes seconds in a store takes less in this proof.
    _fleet.ROUND_S, _dbos_executor.POLLED_S = 1.0, 0.2
    names = sorted(json.loads((folder / EXPECTED).read_text()))
    options = FleetOptions(workers=4, rate=1_000, burst=1_000, executor="dbos")

    with Fleet(settings(store, url, names), options=options, orders=Till(folder)) as fleet:
        fleet.run_forever(threading.Event())


def fork_workers(*arguments):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work(*arguments)
        print(pid, flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["data", folder, count]:
            write_data(Path(folder), int(count) if count.isdigit() else None)
        case ["workers", store, url, folder]:
            fork_workers(store, url, Path(folder))

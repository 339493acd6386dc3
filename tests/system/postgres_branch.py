"""
A location whose store is in a PostgreSQL that fails, and what must be right in the end.
"""

from itertools import count

import attrs

from conexxus_sync import RunStatus, StoreError
from conexxus_sync.collectors import FanOut
from conexxus_sync.sales import BatchLimits
from conexxus_sync.stores.postgres import PostgresStore
from peeks import peek
from sites import Site
from tills import DAY

from .hostile_shop import KeptTill
from .store_contents import catalog


PULL_STEPS = [
    *("leased", "request", "page", "read", "compared", "merge", "merged", "commit", "committed"),
    "release",
]
PUSH_STEPS = ["leased", "read", "frozen", "sending", "sent", "settled", "visited"]
KINDS = {"pull": PULL_STEPS, "push": PUSH_STEPS}

# Many rows are copied, few are inserted.
OLD, NEW = catalog(40), [*catalog(15, "2.00"), *catalog(60)[15:]]

_numbers = count()


def new_schema():
    return f"branch_{next(_numbers)}"


@attrs.define
class Branch:
    """
    One location; each run is by a new engine, all of one process.
    """

    store: PostgresStore
    sales: int = 5
    new: list = NEW
    site: Site = attrs.field(init=False)
    till: KeptTill = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.site = Site("unused", store=lambda _: self.store)
        self.till = KeptTill(
            "unused",
            limits=BatchLimits(transactions=max(2, self.sales // 5)),
            options={"store": self.site.store, "observer": FanOut([])},
        )

    @classmethod
    def of(cls, url, **options):
        """
        A branch with a catalogue, a newer one to pull, and sales to push.
        """
        branch = cls(PostgresStore(url), **options)
        branch.site.pull(OLD)
        branch.site.office.catalog = branch.new
        branch.till.orders.add(*map(branch.till.sale, branch.sold))

        return branch

    def by(self, url):
        """
        The same branch, with another way to its store.
        """
        other = attrs.evolve(self, store=PostgresStore(url))
        other.site.office, other.till.office = self.site.office, self.till.office
        other.site.client, other.till.orders = self.site.client, self.till.orders

        return other

    @property
    def sold(self):
        return [f"t{number:03}" for number in range(self.sales)]

    def run(self, kind, failpoint=lambda _: None):
        """
        What a pull or a push says: the error of its run, or the one that it raised.
        """
        try:
            if kind == "pull":
                runs = [self.site.pull(failpoint=failpoint)]
            else:
                runs = self.till.engine(failpoint=failpoint).push(DAY)
        except StoreError as exc:
            return str(exc)

        assert all(run.status is RunStatus.SUCCESS or run.last_error for run in runs)
        return "; ".join(run.last_error for run in runs if run.last_error)

    @property
    def mirror(self):
        """
        The name and the price of each item.
        """
        return {sku: (item.name, str(item.price)) for sku, item in self.site.shelf.items()}

    def problems(self, kind):
        """
        What is wrong after a fault, and after the next run.
        """
        if kind == "pull":
            yield from self._after_pull()
        else:
            yield from self._after_push()

    def _after_pull(self):
        if self.mirror not in (of(OLD), of(self.new)):
            yield "a mixed mirror"
        if said := self.run("pull"):
            yield f"the next pull fails: {said}"
        if self.mirror != of(self.new):
            yield "the next pull does not end at the new catalogue"
        created = sum(run.created for run in peek(self.site.store).runs.history())
        if created != len(self.new):
            yield f"the history counts {created} items"

    def _after_push(self):
        if said := self.run("push"):
            yield f"the next push fails: {said}"
        asked = self.till.office.requests["sales"]
        if self.run("push") or self.till.office.requests["sales"] != asked:
            yield "a push of the same sales sends something"
        if sorted(self.till.effective(DAY)) != self.sold:
            yield f"the back office has {self.till.effective(DAY)}"
        if self.till.open_batches() or self.till.quarantined():
            yield "something is left"
        delivered = self.site.dump("delivered")["delivered"]
        if len(delivered) != self.sales:
            yield f"{len(delivered)} sales are marked as delivered"


def of(items):
    """
    The mirror of *items*.
    """
    return {each["sku"]: (each["name"], each["price"]) for each in items}

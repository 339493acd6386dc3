"""
The table of all figures: what is measured, against what, and the goal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Compare(StrEnum):
    """
    How two measurements become a figure.
    """

    SPEED = "times as fast"
    COST = "times the cost"
    GROWTH = "MB more"
    MEMORY = "MB"
    TIME = "ms"
    COUNT = "flushes"

    @property
    def more_is_better(self) -> bool:
        return self is Compare.SPEED

    @property
    def is_single(self) -> bool:
        """
        Whether there is nothing to compare with.
        """
        return self in (Compare.MEMORY, Compare.TIME, Compare.COUNT)


@dataclass(frozen=True, kw_only=True)
class Work:
    """
    One measurement.

    Attributes:
        workload: The function of `benchmarks` that does it, `module.name`.
        variant: The catalogue that is measured.
        before: The catalogue that the store holds when measuring begins.
        items: The size of both.
        count: Of sales, days, calls, commands or bytes.
        keep: The folder whose store the next measurement finds, if any does.
        postgres: Whether the store is in a PostgreSQL, whose CPU counts, too.
        flushes: Whether `fsync` is counted.
    """

    workload: str
    variant: str = "plain"
    before: str = ""
    items: int = 10
    count: int = 0
    keep: str = ""
    postgres: bool = False
    flushes: bool = False

    @property
    def is_peer(self) -> bool:
        return not self.workload.startswith(("sdk.", "loop.", "psycopg_hand.", "naxml_files."))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """
    A row of the table; `base` is what `work` is compared with, and `against`
    its name.
    """

    name: str
    title: str
    against: str = ""
    work: Work
    base: Work | None = None
    compare: Compare = Compare.SPEED
    goal: float | None = None
    stretch: float | None = None

    def value(self, work: dict[str, float], base: dict[str, float]) -> float:
        """
        The figure of one pair of measurements.
        """
        match self.compare:
            case Compare.SPEED:
                return base["cpu"] / work["cpu"]
            case Compare.COST:
                return work["cpu"] / base["cpu"]
            case Compare.GROWTH:
                return work["peak"] - base["peak"]
            case Compare.MEMORY:
                return work["peak"]
            case Compare.TIME:
                return work["ms"]
            case Compare.COUNT:
                return work["flushes"] / work["dates"]

    def reaches(self, value: float, goal: float) -> bool:
        return value >= goal if self.compare.more_is_better else value <= goal


SMALL = 100_000
MANY = 400_000
MILLION = 1_000_000

# Seconds of a machine on which `import httpx` takes 0.13.
HTTPX_SECONDS = 0.13


def figures() -> list[Figure]:
    return [
        *_first_loads(),
        *_further_pulls(),
        *_postgres(),
        *_peers(),
        *_memory(),
        *_reading(),
        *_naxml(),
        *_sales(),
        *_small_things(),
        *_bad_catalogues(),
    ]


def _pull(variant: str = "plain", items: int = MANY, before: str = "") -> Work:
    """
    A pull by the SDK; with *before*, of what another is changed into.
    """
    keep = f"pulled-{items}" if before else ""

    return Work(workload="sdk.pull", variant=variant, items=items, before=before, keep=keep)


def _by_hand(work: Work, workload: str = "hand.load") -> Work:
    return replace(work, workload=workload, keep=work.keep and f"by-hand-{work.items}")


FIRST = _by_hand(_pull())


def _first_loads() -> Iterator[Figure]:
    for name, items in (("400k", MANY), ("1m", MILLION)):
        work = _pull(items=items)
        yield Figure(
            name=f"first-load-{name}",
            title=f"First load, {items:,} items, sorted",
            against="the hand pipeline",
            work=work,
            base=_by_hand(work),
            goal=0.5,
            stretch=0.6,
        )
    for variant, title, goal in (("shuffled", "shuffled", 1.2), ("six-keys", "six keys more", 0.5)):
        work = _pull(variant)
        yield Figure(
            name=f"first-load-{variant}",
            title=f"First load, {title}",
            against="the hand pipeline",
            work=work,
            base=_by_hand(work),
            goal=goal,
        )
    yield Figure(
        name="first-load-six-columns",
        title="First load, six keys more",
        against="a hand pipeline with six more columns",
        work=_pull("six-keys"),
        base=_by_hand(_pull("six-keys"), "hand.load_six_keys"),
    )
    yield Figure(
        name="first-load-paged",
        title="First load, pages of 1,000",
        against="the hand pipeline",
        work=_pull("paged"),
        base=_by_hand(_pull("paged"), "hand.load_pages"),
        goal=0.45,
    )


def _further_pulls() -> Iterator[Figure]:
    for variant, title, goal, stretch in (
        ("plain", "Same items, new timestamp", 3.5, 5),
        ("one-changed", "One item changed", 2.5, 4),
        ("one-inserted", "One item inserted in the middle", 2.5, 4),
    ):
        yield Figure(
            name="same-items" if variant == "plain" else variant,
            title=title,
            against="the hand pipeline's first load",
            work=_pull(variant, before="plain"),
            base=FIRST,
            goal=goal,
            stretch=stretch,
        )
    changed = _pull("repriced", before="plain")
    yield Figure(
        name="repriced",
        title="5 % repriced, scattered",
        against="the hand pipeline on the same",
        work=changed,
        base=_by_hand(changed),
        goal=0.45,
    )


def _postgres() -> Iterator[Figure]:
    by_hand = Work(workload="psycopg_hand.load", items=MANY, postgres=True)
    yield Figure(
        name="postgres-executemany",
        title=f"PostgreSQL: First load, {MANY:,} items",
        against="httpx, json, cattrs, `executemany` of psycopg",
        work=replace(_pull(), postgres=True),
        base=replace(by_hand, workload="psycopg_hand.cattrs_executemany"),
        goal=4,
    )
    for name, variant, before, title, goal in (
        ("first-load", "plain", "", "First load", 4),
        ("same-items", "plain", "plain", "Same items, new timestamp", 3.5),
        ("one-changed", "one-changed", "plain", "One item changed", 2.5),
    ):
        yield Figure(
            name=f"postgres-{name}",
            title=f"PostgreSQL: {title}, {MANY:,} items",
            against="the hand pipeline's first load by `executemany` of psycopg",
            work=replace(_pull(variant, before=before), postgres=True),
            base=by_hand,
            goal=goal,
        )


def _peers() -> Iterator[Figure]:
    for workload, title, goal in (
        ("dlt_merge", "dlt, REST source, merged by key", 7),
        ("find_then_update", "httpx, json, find-then-update", 2),
        ("cattrs_executemany", "httpx, json, cattrs, executemany", 1.7),
        ("polars_frame", "httpx, polars, executemany", 1),
    ):
        work = _pull(items=SMALL)
        yield Figure(
            name=workload.replace("_", "-"),
            title=f"First load, {SMALL:,} items",
            against=title,
            work=work,
            base=_by_hand(work, f"peers.{workload}"),
            goal=goal,
        )


def _memory() -> Iterator[Figure]:
    for variant, before in (("sorted", ""), ("shuffled", ""), ("repriced", "plain")):
        work = _pull(variant.replace("sorted", "plain"), MILLION, before)
        yield Figure(
            name=f"memory-{variant}",
            title=f"Peak memory, {MILLION:,} items, {variant}",
            work=work,
            compare=Compare.MEMORY,
            goal=64,
        )
        yield Figure(
            name=f"memory-growth-{variant}",
            title=f"Peak memory, {MILLION:,} items, {variant}",
            against=f"{SMALL:,} items",
            work=work,
            base=_pull(work.variant, SMALL, before),
            compare=Compare.GROWTH,
            goal=8,
        )


def _reading() -> Iterator[Figure]:
    for variant, title, goal in (("plain", "", 0.45), ("six-keys", ", six keys more", 0.35)):
        work = Work(workload="sdk.iter_items", variant=variant, items=MANY)
        yield Figure(
            name=f"iter-items-{variant}",
            title=f"`iter_items`{title}",
            against="bare msgspec Structs",
            work=work,
            base=_by_hand(work, "hand.structs"),
            goal=goal,
        )


def _naxml() -> Iterator[Figure]:
    work = Work(workload="naxml_files.read", count=200_000_000)
    yield Figure(
        name="naxml",
        title="A NAXML file of 200 MB: every item",
        against="a bare `iterparse` of lxml, texts and attributes alone",
        work=work,
        base=replace(work, workload="naxml_files.bare"),
        goal=0.6,
    )
    yield Figure(
        name="naxml-memory",
        title="Peak memory, a NAXML file of 200 MB",
        work=work,
        compare=Compare.MEMORY,
        goal=64,
    )


def _sales() -> Iterator[Figure]:
    push = Work(workload="sdk.push", count=100_000)
    yield Figure(
        name="push",
        title="100,000 sales of five lines",
        against="msgspec and httpx in the same batches",
        work=push,
        base=replace(push, workload="peers.bare_push"),
        goal=0.5,
    )
    yield Figure(
        name="push-stored",
        title="100,000 sales of five lines",
        against="the same by hand, stored before they are sent",
        work=push,
        base=replace(push, workload="hand.push"),
    )
    aged = Work(workload="sdk.dates", count=400, keep="aged")
    yield Figure(
        name="day-400",
        title="A date of 12 sales on day 400",
        against="one on day 1",
        work=aged,
        base=replace(aged, count=1, keep=""),
        compare=Compare.COST,
        goal=1.2,
    )
    for workload in ("next_due", "health"):
        yield Figure(
            name=workload.replace("_", "-"),
            title=f"`{workload}` on day 400",
            work=replace(aged, workload=f"sdk.{workload}"),
            compare=Compare.TIME,
            goal=3,
        )
    yield Figure(
        name="flushes",
        title="Flushes of a date of 12 sales",
        work=replace(aged, count=1, keep="", flushes=True),
        compare=Compare.COUNT,
        goal=4,
    )
    yield Figure(
        name="loop",
        title="Lag of an application's event loop during a pull of 100,000 items, 99th percentile",
        work=Work(workload="loop.lag", items=SMALL),
        compare=Compare.TIME,
        goal=50,
    )


def _small_things() -> Iterator[Figure]:
    for workload, title, seconds in (
        ("command_help", "`conexxus --help`", 0.15),
        ("command_status", "`conexxus status`", 0.25),
        ("command_pull", "`conexxus pull`, ten items", 0.30),
        ("import_client", "`import conexxus_client`", HTTPX_SECONDS),
    ):
        yield Figure(
            name=workload.replace("_", "-"),
            title=title,
            against="`import httpx`",
            work=Work(workload=f"sdk.{workload}", count=10, keep="commands"),
            base=Work(workload="sdk.import_httpx", count=10),
            compare=Compare.COST,
            goal=round(seconds / HTTPX_SECONDS, 2),
        )
    calls = Work(workload="sdk.injected_client", count=1_000)
    yield Figure(
        name="injected-client",
        title="A small call over an injected httpx client",
        against="bare httpx",
        work=calls,
        base=replace(calls, workload="peers.bare_calls"),
        compare=Compare.COST,
        goal=1.2,
    )


def _bad_catalogues() -> Iterator[Figure]:
    for variant, title, items in (
        ("scalars", "3,000,000 numbers instead of items", 3_000_000),
        ("bad", f"{SMALL:,} items, every one bad", SMALL),
    ):
        yield Figure(
            name=variant,
            title=title,
            against="good items of as many bytes",
            work=Work(workload="sdk.pull_bad", variant=variant, items=items),
            base=_pull(f"as-{variant}", items),
            compare=Compare.COST,
            goal=3,
        )

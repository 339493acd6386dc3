"""
The command of the benchmarks; `scripts/bench` prepares what it needs.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks import report
from benchmarks.driver import ROOT, Driver
from benchmarks.figures import Figure, figures


EPILOG = """
Each figure is measured in pairs, one after the other (the SDK, what it is
compared with, the SDK …), each in a process of its own; the median of the
pairs' ratios counts. CPU seconds are those of the reading process after its
imports, with HTTP over the loopback address; the server is another process.

examples:
  scripts/bench                             all figures: an hour on two busy cores
  scripts/bench --quick                     small sizes, one pair: does it all work?
  scripts/bench --only first-load           every figure whose name begins so
  scripts/bench --only push --pairs 9       one figure, more exactly
  scripts/bench --json figures.json         keep the numbers
  scripts/bench --write-docs                all figures, and the page and plot of the docs
  scripts/bench fleet                       thousands of stores: a simulated day, a process at rest
  scripts/bench --from figures.json --write-docs
                                            the page and plot of figures that were kept
  scripts/bench --from figures.json --only postgres --json figures.json
                                            some figures anew, the others as they were kept
"""


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.write_docs and (options.quick or (options.only and not options.source)):
        parser.error("the docs show a whole run: neither --quick nor --only")
    # Told to end, it still removes its folder and stops its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    document = json.loads(options.source.read_text()) if options.source else {}
    if options.only or not options.source:
        document = report.merged(document, _measure(options), [each.name for each in figures()])

    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    if options.write_docs:
        report.write_docs(document, ROOT / "docs/reference")


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(figure.name for figure in figures())
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=f"Measure how fast the SDK is, as ratios within one run.\n\nfigures: {names}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="figures that begin so")
    parser.add_argument("--pairs", type=int, help="how many pairs of each figure (5; 1 if quick)")
    parser.add_argument("--quick", action="store_true", help="1/200 of the size, one pair")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="read, not measure; with --only, measure these and read the others",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write docs/reference/benchmarks.*"
    )
    parser.add_argument("--folder", type=Path, help="for catalogues and stores, 3 GB; on a disk")
    parser.add_argument(
        "--peers", default=sys.executable, help="Python that has the other libraries"
    )

    return parser


def _measure(options: argparse.Namespace) -> dict[str, object]:
    chosen = list(_chosen(options.only))
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    pairs = options.pairs or (1 if options.quick else 5)
    driver = Driver(folder, options.peers, pairs=pairs, quick=options.quick)
    rows = []

    try:
        with driver.serving():
            for number, figure in enumerate(chosen, 1):
                print(f"[{number}/{len(chosen)}] {figure.name} …", file=sys.stderr, flush=True)
                rows.append(driver.measure(figure).as_json())
                print(report.line(rows[-1]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    return {
        **report.conditions(options.peers),
        "pairs": pairs,
        "quick": options.quick,
        "figures": rows,
    }


def _chosen(names: list[str] | None) -> Iterable[Figure]:
    known = figures()
    for name in names or []:
        if not any(figure.name.startswith(name) for figure in known):
            sys.exit(f"There is no figure {name!r}: scripts/bench --help lists them.")

    return (each for each in known if not names or each.name.startswith(tuple(names)))


if __name__ == "__main__":
    main()

"""
Measures how many mutants of a package its tests notice.

Run as a module: `mutation.score PACKAGE [MODULE …]`, see `scripts/mutate --help`.
"""

import argparse
import os
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from .loop import KILLED, TIMED_OUT, MutantLoop
from .mutants import mutants_of
from .packages import PACKAGES, ROOT


SOURCE = ROOT / "src"
LISTED = Path(__file__).with_name("survivors.toml")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Of 100 mutants, so many have to be noticed.
ENOUGH = 90
OPTIONS = [
    *(
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
        # What an earlier test left open is no fault of a mutant.
        "-p",
        "no:unraisableexception",
        "-q",
        "--tb=native",
        "--no-header",
    ),
    *("-o", "timeout=0", "-o", "tmp_path_retention_policy=none"),
]


def listed(package: str) -> Counter[str]:
    """
    The survivors that are listed with a reason.
    """
    groups = tomllib.loads(LISTED.read_text()).get(package, [])

    return Counter(change for group in groups for change in group["mutants"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("modules", nargs="*", help="names of modules; all of the package if none")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each Nth mutant only")
    parser.add_argument("--most", type=int, metavar="N", help="other tests a mutant")
    parser.add_argument("--change", default="", metavar="TEXT", help="those with TEXT in them")
    parser.add_argument("--tests", nargs="*", help="other tests than those of the package")
    options = parser.parse_args(arguments)
    package = PACKAGES[options.package]

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        paths = [
            path
            for path in package.paths(SOURCE)
            if not options.modules or path.stem in options.modules
        ]
        all_mutants = [mutant for path in paths for mutant in mutants_of(SOURCE, path)]
        mutants = [one for one in all_mutants if options.change in one.change][:: options.every]
        loop = MutantLoop(mutants, package.about, options.most or package.most)
        tests = [str(ROOT / "tests" / name) for name in options.tests or package.tests]
        code = pytest.main(
            [*OPTIONS, f"--basetemp={folder}/tests", f"-knot {package.without}", *tests],
            plugins=[loop],
        )

    if loop.failed or len(loop.outcomes) < len(mutants):
        print(f"Without a mutant, tests fail (pytest: {code}): {loop.failed}")
        return 2

    known = listed(options.package)
    survivors = Counter(
        mutant.change
        for mutant, outcome in loop.outcomes.items()
        if outcome not in (KILLED, TIMED_OUT)
    )
    counts = Counter(loop.outcomes.values())
    caught = counts[KILLED] + counts[TIMED_OUT]
    score = 100 * caught / len(mutants)
    print(f"{options.package}: {caught} of {len(mutants)} noticed, {score:.1f} %; {dict(counts)}")
    new = survivors - known
    for change in sorted(new.elements()):
        print(f"  survives, and is not listed: {change}")
    if len(mutants) == len(all_mutants) and not options.modules:
        for change in sorted((known - survivors).elements()):
            print(f"  is listed, and noticed or gone: {change}")

    return 1 if new or score < ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

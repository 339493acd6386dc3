"""
The program behind `scripts/simulate`.
"""

import argparse
import sys

from .events import draw
from .replay import failure, play


def main():
    """
    Tell the story of one seed, or find failures among several.
    """
    parser = argparse.ArgumentParser(prog="scripts/simulate")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--first", action="store_true", help="end with the first one, as it is")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    given = parser.parse_args()
    failed, days = 0, 0

    for seed in range(given.seed, given.seed + given.seeds):
        setup, events = draw(seed, given.events)
        if given.seeds == 1:
            print(setup)
        log = print if given.seeds == 1 else None
        found = play(setup, events, log=log, store=given.store)
        days += found.store_days
        if found.error is not None:
            failed += 1
            if given.first:
                print(f"seed {seed}: {found.error}")
                break
            print(failure(seed, length=given.events, store=given.store), flush=True)

    print(f"{given.seeds} worlds, {days:,} store-days, {failed} failed")

    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

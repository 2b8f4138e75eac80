"""``python3 start.py soak [MINUTES] [--only NAME ...]``: each promise in full, or as far as the time allows."""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from tests.soak.promises import PROMISES, Promise


def main() -> int:
    """Hold all promises; 1 where one is broken."""
    parser = argparse.ArgumentParser(prog="start.py soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=20.0, help="for all of them (default: 20)")
    parser.add_argument("--only", nargs="+", choices=PROMISES, help="these promises (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: 0)")
    options = parser.parse_args()
    broken = []
    names = options.only or list(PROMISES)
    for name in names:
        promise = PROMISES[name]
        try:
            count, began = _count(promise, options.minutes * 60 / len(names), options.seed), time.monotonic()
            told = promise.hold(count, Random(options.seed + 1))
            print(
                f"held    {promise.text:<55} {count:>8,} trials, {time.monotonic() - began:5.0f} s: {told}", flush=True
            )
        except AssertionError as error:
            broken.append(name)
            print(f"BROKEN  {promise.text:<55} {error}", flush=True)
    return 1 if broken else 0


def _count(promise: Promise, seconds: float, seed: int) -> int:
    """How many trials fit into so many seconds, measured by a few of them."""
    if not promise.probe:
        return promise.trials
    promise.hold(promise.probe, Random(seed))  # what it needs is loaded
    began = time.monotonic()
    promise.hold(promise.probe, Random(seed))
    each = (time.monotonic() - began) / promise.probe
    return max(promise.probe, min(promise.trials, int(seconds / each)))


if __name__ == "__main__":
    sys.exit(main())

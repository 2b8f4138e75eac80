"""``python3 start.py soak [MINUTES] [--only NAME ...]``: each promise in full, or as far as the time allows."""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from tests.soak.promises import PROMISES

_PROBE = 20  # trials that tell how long one takes


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
            promise.hold(_PROBE, Random(options.seed))  # what it needs is loaded
            began = time.monotonic()
            promise.hold(_PROBE, Random(options.seed))
            each = (time.monotonic() - began) / _PROBE
            count = max(_PROBE, min(promise.trials, int(options.minutes * 60 / len(names) / each)))
            told = promise.hold(count, Random(options.seed + 1))
            print(
                f"held    {promise.text:<55} {count:>8,} trials, {time.monotonic() - began:5.0f} s: {told}", flush=True
            )
        except AssertionError as error:
            broken.append(name)
            print(f"BROKEN  {promise.text:<55} {error}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

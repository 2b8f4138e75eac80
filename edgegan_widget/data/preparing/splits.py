"""Which source pictures are validated on: the same share of every class, chosen by their content.

After Sechidis et al., "On the Stratification of Multi-Label Data", ECML PKDD 2011: rare classes choose first, and a
picture of several classes counts for each of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

__all__ = ["held_out", "lot", "split_of"]


def lot(source_sha256: str) -> float:
    """A number from 0 to below 1, a pure function of the source picture's content."""
    return float(int(hashlib.sha256(f"split {source_sha256}".encode()).hexdigest()[:12], 16) / 16**12)


def split_of(source_sha256: str, val_share: float) -> str:
    """Where a picture goes as long as the others are not known: ``train`` or ``val``."""
    return "val" if lot(source_sha256) < val_share else "train"


def held_out(sources: Mapping[str, set[str]], val_share: float) -> set[str]:
    """Sources to validate on: of each class those with the lowest lots, as many as its share, one at least of two.

    Parameters
    ----------
    sources
        Digests of the source pictures, each with the classes of the objects in it.
    val_share
        From 0, none, to below 1.
    """
    of_class: dict[str, list[str]] = {}
    for source, classes in sources.items():
        for name in classes:
            of_class.setdefault(name, []).append(source)
    chosen: set[str] = set()
    decided: set[str] = set()
    for _, found in sorted(of_class.items(), key=lambda item: (len(item[1]), item[0])):
        missing = _share(len(found), val_share) - len(chosen.intersection(found))
        free = sorted((source for source in found if source not in decided), key=lambda source: (lot(source), source))
        chosen.update(free[: max(0, missing)])
        decided.update(free)
    return chosen


def _share(count: int, val_share: float) -> int:
    """How many of a class are validated on."""
    if not val_share or count < 2:
        return 0
    return min(count - 1, max(1, round(count * val_share)))

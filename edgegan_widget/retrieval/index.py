"""The nearest real pictures of a sketch, as Sketch2Photo (Chen et al., SIGGRAPH Asia 2009) and PhotoSketcher (Eitz et
al., CG&A 2011) look them up; every picture of the index is compared, so none is missed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import F32, U8
from edgegan_widget.retrieval.build import SOURCES, build
from edgegan_widget.retrieval.lines import I8, describe
from edgegan_widget.retrieval.store import NAME, Stored, read_stored

__all__ = ["FOLDER", "Found", "Index"]

FOLDER = "index"  # of a data folder
_BLOCK = 4096  # rows at once: as float32 they stay in a core's cache
_SPARE = 4  # times as many are looked at, since pictures may be gone by now


@dataclass(frozen=True)
class Found:
    """A picture, its class, and how far its lines are from the sketch's: 0 the same, 1 unlike, 2 the opposite.

    ``mirrored``: it is so near once it is mirrored, left for right.
    """

    path: Path
    label: str
    distance: float
    mirrored: bool = False


class Index:
    """An index on disk, mapped into memory.

    Examples
    --------
    >>> index = Index.build("DATA")  # doctest: +SKIP
    >>> index.nearest(sketch, "sneaker", count=8)[0].path  # doctest: +SKIP
    """

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    @classmethod
    def build(
        cls,
        data: str | os.PathLike[str],
        out: str | os.PathLike[str] | None = None,
        sources: str = SOURCES,
        workers: int = 0,
    ) -> Index:
        """Index a folder's pictures, or bring its index up to date, and open it.

        See :func:`edgegan_widget.retrieval.build.build`; without ``out`` the index goes into the folder ``index`` of
        the data.
        """
        folder = Path(data) / FOLDER if out is None else Path(out)
        for _ in build(Path(data), folder, sources, workers):
            pass
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Index:
        """Open an index by its folder, or by the data folder that it lies in.

        Raises
        ------
        DataError
            There is none, or it is not whole.
        """
        place = Path(folder).expanduser()
        inside = place / FOLDER
        return cls(read_stored(inside if not (place / NAME).is_file() and (inside / NAME).is_file() else place))

    def __len__(self) -> int:
        return len(self._stored.rows)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._stored.classes

    @property
    def root(self) -> Path:
        """The folder whose pictures these are."""
        return self._stored.root

    def nearest(self, sketch_u8: U8, label: str | None = None, count: int = 12) -> list[Found]:
        """The pictures whose lines run most like a sketch's, as they are or mirrored.

        Parameters
        ----------
        sketch_u8
            uint8 [H, W], 255 is paper.
        label
            Look among this class alone; None looks among all.
        count
            How many, at least 1.

        Returns
        -------
        Nearest first; fewer where there are not as many, none of a blank sketch. Files that are gone are left out.

        Raises
        ------
        DataError
            The array is no sketch, ``count`` is below 1, or the index has no such class.
        """
        self._check(sketch_u8, label, count)
        first, last = self._range(label)
        raw = np.stack([describe(sketch_u8), describe(np.ascontiguousarray(sketch_u8[:, ::-1]))])
        if not raw.any() or first == last:
            return []
        rows, basis = self._stored.rows, self._stored.basis
        return self._there(_likeness(rows.features[first:last], basis.seen(raw) * basis.step), first, count)

    def _range(self, label: str | None) -> tuple[int, int]:
        if label is None:
            return 0, len(self)
        number = self.classes.index(label)
        return self._stored.starts[number], self._stored.starts[number + 1]

    def _there(self, likeness: F32, first: int, count: int) -> list[Found]:
        """The best rows whose files are still there."""
        best = likeness.max(axis=0)
        found = []
        for place in _best(best, _SPARE * count):
            path = self.root / self._stored.rows.paths[first + place].decode("utf-8", "surrogateescape")
            if path.is_file():
                distance, mirrored = round(1 - float(best[place]), 6), bool(likeness[:, place].argmax())
                found.append(Found(path, self._label(first + place), distance, mirrored))
            if len(found) == count:
                break
        return found

    def _label(self, row: int) -> str:
        return self.classes[int(np.searchsorted(self._stored.starts, row, side="right")) - 1]

    def _check(self, sketch_u8: U8, label: str | None, count: int) -> None:
        if sketch_u8.dtype != np.uint8 or sketch_u8.ndim != 2 or not sketch_u8.size:
            raise DataError(f"the sketch is {sketch_u8.dtype} {list(sketch_u8.shape)}; give a grey one, uint8 [H, W].")
        if label is not None and label not in self.classes:
            raise DataError(f"the class is {label!r}; this index has {', '.join(self.classes)}.")
        if count < 1:
            raise DataError(f"count is {count}; ask for one picture or more.")


def _likeness(features: I8, queries: F32) -> F32:
    """Products of int8 [N, D] with each of float32 [Q, D], a block at a time: [Q, N]."""
    found = np.empty((len(queries), len(features)), np.float32)
    block = np.empty((min(_BLOCK, len(features)), features.shape[1]), np.float32)
    for first in range(0, len(features), _BLOCK):
        some = features[first : first + _BLOCK]
        np.copyto(block[: len(some)], some)
        for query, row in zip(queries, found):  # for so few, several times as quick as one product
            np.matmul(block[: len(some)], query, out=row[first : first + len(some)])
    return found


def _best(likeness: F32, count: int) -> list[int]:
    """Places of the largest, largest first."""
    some = np.argpartition(-likeness, count - 1)[:count] if count < len(likeness) else np.arange(len(likeness))
    return [int(place) for place in some[np.argsort(-likeness[some], kind="stable")]]

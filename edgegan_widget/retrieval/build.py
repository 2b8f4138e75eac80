"""A folder of pictures -> its index, a part at a time: a killed run goes on, and what is there already is left.

A picture is known by its path, size and time of change. Parts are whole files of a few thousand rows each; once there
is nothing left to draw, all rows are ordered by class and written as one index.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock, Timeout

from edgegan_widget.base.errors import DataError, EdgeGANError
from edgegan_widget.base.files import sweep, telling
from edgegan_widget.base.layout import split_folders
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.units import F32
from edgegan_widget.data.preparing.pool import in_order
from edgegan_widget.retrieval.lines import I8, LEAST_LEARNED, RAW_SIZE, SIDE_PX, Basis, describe
from edgegan_widget.retrieval.store import (
    I64,
    NAME,
    Rows,
    Stored,
    Text,
    read_basis,
    read_rows,
    read_stored,
    write_basis,
    write_rows,
    write_stored,
)
from edgegan_widget.sketch.edges import edge_folder, edge_map, parse_sources

__all__ = ["SOURCES", "Progress", "build"]

SOURCES = "full,contour"
_PARTS = "parts"
_LEARNED_FROM = 4096  # pictures, spread evenly
_AT_ONCE = 64  # pictures that a process is handed
_PART_ROWS = 8192


@dataclass(frozen=True)
class Progress:
    """How far an index is: pictures described of those that were new, and a sentence for each that cannot be read."""

    done: int
    new: int
    pictures: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Listed:
    """The pictures of a folder, ordered by class and path."""

    paths: Text
    stamps: I64
    classes: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass
class _Work:
    """What a run has in hand."""

    root: Path
    folder: Path
    sources: tuple[str, ...]
    workers: int
    listed: _Listed
    problems: list[str] = field(default_factory=list)

    @property
    def parts(self) -> Path:
        """Where parts of exactly this index are; another source or version has another place."""
        key = hashlib.sha256(json.dumps([str(self.root), self.sources, RAW_SIZE]).encode()).hexdigest()[:12]
        return self.folder / _PARTS / key

    def describe(self, numbers: Sequence[int]) -> Iterator[tuple[list[int], F32]]:
        """Descriptions of pictures by their numbers, some at a time; what cannot be read is noted and left out."""
        lots = [list(numbers[first : first + _AT_ONCE]) for first in range(0, len(numbers), _AT_ONCE)]
        items = ((lot, [_decoded(self.listed.paths[number]) for number in lot]) for lot in lots)
        work = functools.partial(_described, self.root, self.sources)
        # A few pictures are described sooner than further processes begin.
        for lot, made in in_order(work, items, self.workers if len(lots) > 1 else 1):
            rows = [(number, one) for number, one in zip(lot, made or ()) if not isinstance(one, str)]
            self.problems += [one for one in made or () if isinstance(one, str)]
            yield [number for number, _ in rows], np.array([one for _, one in rows], np.float32).reshape(-1, RAW_SIZE)


def build(data: Path, folder: Path, sources: str = SOURCES, workers: int = 0) -> Iterator[Progress]:
    """Index the pictures of a folder, or bring its index up to date.

    Parameters
    ----------
    data
        Folder ``<split>/<class>/*.png``, or one with a folder of pictures for each class.
    folder
        Where the index goes; what is there of the same folder and sources is gone on with.
    sources
        How edge maps are drawn, see :mod:`edgegan_widget.sketch.edges`; of several the mean description counts.
    workers
        Processes; 0 takes one for each core.

    Yields
    ------
    How far it is; the index counts once the last one has come.

    Raises
    ------
    DataError
        There is no such folder, it holds no pictures, or the index cannot be written or is being made elsewhere.
    ConfigError
        A source is unknown.
    """
    asked = parse_sources(sources)
    listed = _listed(data)
    with _locked(folder), telling(folder, "written", "choose another place with --out"):
        sweep(folder)
        yield from _build(_Work(data.resolve(), folder, asked, workers, listed))


def _build(work: _Work) -> Iterator[Progress]:
    before, total = _before(work), len(work.listed.paths)
    for basis, described in _basis(work, before):
        if basis is None:
            yield Progress(len(described), total, total)
        else:
            yield from _with_basis(work, before, basis, described)


def _with_basis(work: _Work, before: Stored | None, basis: Basis, described: dict[int, F32]) -> Iterator[Progress]:
    total = len(work.listed.paths)
    old = [before.rows] if before is not None and _same(before.basis, basis) else []
    parts = _Parts(work, basis, [*old, *_read_parts(work.parts)])
    missing = np.flatnonzero(_places(work.listed, parts.all()) < 0).tolist()
    done = 0
    for numbers, raw in _with(described, missing, work):
        parts.add(numbers, raw)
        done += len(numbers)
        yield Progress(done + len(work.problems), len(missing), total, tuple(work.problems))
    parts.write()
    if missing or before is None or len(before.rows) != total:
        write_stored(work.folder, _ordered(work, basis, parts.all()))
    shutil.rmtree(work.folder / _PARTS, ignore_errors=True)
    yield Progress(len(missing), len(missing), total, tuple(work.problems))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with telling(folder, "written", "choose another place with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise DataError(f"the index in {folder} is being made already; wait until that is done.") from error
    try:
        yield
    finally:
        lock.release()


# Which pictures there are -----------------------------------------------------------------------------------------


def _listed(data: Path) -> _Listed:
    if not data.is_dir():
        raise DataError(f"{data} is not a folder; name one with <split>/<class>/*.png, or a folder for each class.")
    with telling(data, "read", "choose another folder"):
        found = sorted(_pictures(data))
    if not found:
        raise DataError(f"{data} holds no picture; put pictures into <split>/<class>/, or into a folder each class.")
    classes = tuple(sorted({label for label, *_ in found}))
    labels = [label for label, *_ in found]
    starts = (bisect.bisect_left(labels, name) for name in classes)
    paths = np.array([path.encode("utf-8", "surrogateescape") for _, path, _ in found])
    return _Listed(paths, np.array([stamp for *_, stamp in found], np.int64), classes, (*starts, len(found)))


def _pictures(data: Path) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Class, path below the folder, and stamp of each picture."""
    splits = [folder.name for folder in split_folders(data).values()]
    for above in [f"{name}/" for name in splits] or [""]:
        for entry in os.scandir(data / above):
            if entry.is_dir() and not entry.name.startswith(".") and not (Path(entry.path) / NAME).is_file():
                for path, stamp in _pictures_in(Path(entry.path)):
                    yield entry.name, f"{above}{entry.name}/{path}", stamp


def _pictures_in(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for entry in os.scandir(folder):
        if is_picture(Path(entry.name)) and entry.is_file():
            facts = entry.stat()
            yield entry.name, (facts.st_size, facts.st_mtime_ns)


def _decoded(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


# What is known of them --------------------------------------------------------------------------------------------


def _before(work: _Work) -> Stored | None:
    """The index that is there, if it is of the same folder and sources."""
    try:
        stored = read_stored(work.folder)
    except DataError:
        return None
    return stored if (stored.root, stored.source) == (work.root, ",".join(work.sources)) else None


def _basis(work: _Work, before: Stored | None) -> Iterator[tuple[Basis | None, dict[int, F32]]]:
    """The basis of the rows that are there, or a new one with the descriptions that it is learned from.

    While it is learned, None with the descriptions so far.
    """
    known = _known_basis(work, before)
    if known is not None:
        yield known, {}
        return
    shutil.rmtree(work.parts, ignore_errors=True)
    count = len(work.listed.paths)
    spread = np.unique(np.linspace(0, count - 1, min(count, _LEARNED_FROM)).astype(int)).tolist()
    described: dict[int, F32] = {}
    for numbers, raw in work.describe(spread):
        described |= dict(zip(numbers, raw))
        yield None, described
    work.problems.clear()  # each is told when its turn comes
    basis = Basis.learned(np.array([*described.values()], np.float32).reshape(-1, RAW_SIZE))
    write_basis(work.parts / "basis.npz", basis)
    yield basis, described


def _known_basis(work: _Work, before: Stored | None) -> Basis | None:
    """That of the index, or of its parts; one that was made without enough pictures only as long as these are few."""
    enough = len(work.listed.paths) >= LEAST_LEARNED
    found = [] if before is None else [before.basis]
    with contextlib.suppress(OSError, ValueError, KeyError):
        found.append(read_basis(work.parts / "basis.npz"))
    return next((basis for basis in found if basis.is_learned or not enough), None)


def _same(one: Basis, other: Basis) -> bool:
    return one is other or (one.step.shape == other.step.shape and bool((one.directions == other.directions).all()))


def _read_parts(folder: Path) -> list[Rows]:
    found = []
    for path in sorted(folder.glob("[0-9]*.npz")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            found.append(read_rows(path))
    return found


def _places(listed: _Listed, rows: Rows) -> I64:
    """The row of each picture, int64 [N]; -1 where there is none of it as it is now. The last one counts."""
    of_path = {path: row for row, path in enumerate(rows.paths.tolist())}
    place = np.array([of_path.get(path, -1) for path in listed.paths.tolist()], np.int64)
    found = place >= 0
    found[found] = (rows.stamps[place[found]] == listed.stamps[found]).all(axis=1)
    return np.where(found, place, -1)


# What is new ------------------------------------------------------------------------------------------------------


class _Parts:
    """Rows of before, and those that are made now, which go to disk as soon as they are enough for a file."""

    def __init__(self, work: _Work, basis: Basis, before: list[Rows]) -> None:
        self._work, self._basis, self._lots = work, basis, before
        self._numbers: list[int] = []
        self._features: list[I8] = []

    def all(self) -> Rows:
        """All that was written."""
        none = Rows(np.empty((0, len(self._basis.step)), np.int8), np.empty(0, "S1"), np.empty((0, 2), np.int64))
        lots = [none, *self._lots]
        features, paths, stamps = ([getattr(lot, name) for lot in lots] for name in ("features", "paths", "stamps"))
        return Rows(np.concatenate(features), np.concatenate(paths), np.concatenate(stamps))

    def add(self, numbers: list[int], raw: F32) -> None:
        self._numbers += numbers
        self._features.append(self._basis.kept(raw))
        if len(self._numbers) >= _PART_ROWS:
            self.write()

    def write(self) -> None:
        """Put on disk what is waiting."""
        if self._numbers:
            listed, numbers = self._work.listed, self._numbers
            rows = Rows(np.concatenate(self._features), listed.paths[numbers], listed.stamps[numbers])
            last = max((int(path.stem) for path in self._work.parts.glob("[0-9]*.npz")), default=0)
            write_rows(self._work.parts / f"{last + 1:06d}.npz", rows)
            self._lots.append(rows)
            self._numbers, self._features = [], []


def _with(described: dict[int, F32], missing: Sequence[int], work: _Work) -> Iterator[tuple[list[int], F32]]:
    """What is described already, then the others."""
    at_hand = [number for number in missing if number in described]
    if at_hand:
        yield at_hand, np.array([described[number] for number in at_hand], np.float32)
    yield from work.describe([number for number in missing if number not in described])


def _described(root: Path, sources: tuple[str, ...], paths: Sequence[str]) -> list[F32 | str]:
    """In a worker: what each picture's edge maps look like, or why it cannot be read."""
    found: list[F32 | str] = []
    for path in paths:
        try:
            found.append(_described_one(root, root / path, sources))
        except (EdgeGANError, OSError) as error:
            found.append(str(error))
    return found


def _described_one(root: Path, picture: Path, sources: tuple[str, ...]) -> F32:
    side_px = 2 * SIDE_PX
    large = [edge_map(picture, source, edge_folder(root, source, side_px), side_px, keep=False) for source in sources]
    small = [cv2.resize(one, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for one in large]
    mean = np.mean([describe(np.asarray(one, np.uint8)) for one in small], axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)


def _ordered(work: _Work, basis: Basis, rows: Rows) -> Stored:
    """All rows in the order of the listing; what is gone or cannot be read is not in it."""
    listed = work.listed
    place = _places(listed, rows)
    there = place >= 0
    before = np.concatenate([[0], np.cumsum(there)])
    starts = tuple(before[list(listed.starts)].tolist())
    kept = Rows(rows.features[place[there]], listed.paths[there], listed.stamps[there])
    return Stored(work.root, ",".join(work.sources), listed.classes, starts, kept, basis)

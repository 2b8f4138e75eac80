"""The original's ``[edge | image]`` files: into a data folder, and out of one so that the original can train on it.

Its layouts: ``train/*.png`` and ``test/*.png`` for one class, ``train/<number>/*.png`` for several.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.layout import SPLITS, left_out, pictures_in, split_folder, split_folders, unused_splits
from edgegan_widget.base.pictures import encode_png, is_picture, open_picture
from edgegan_widget.base.settings import setting
from edgegan_widget.base.units import U8
from edgegan_widget.data.readers import ReaderKind, path_of, register, split_names
from edgegan_widget.data.readers.sketchycoco import CATEGORIES
from edgegan_widget.data.sources import Region, Source, object_id
from edgegan_widget.sketch.edges import squared
from edgegan_widget.sketch.pairs import ORDERS, found_orders, halves
from edgegan_widget.sketch.sources.trained import edge_styles

__all__ = ["PairReader", "write_pairs"]

_LOOKED_AT = 24  # pairs, to see which half holds the drawing
ORIGINAL_SIZE_PX = 64


class PairReader:
    """Sources of a folder of pairs.

    Parameters
    ----------
    folder
        With ``train`` and ``test`` (or ``val``), or with pairs themselves.
    classes
        Names by number; default: of 14 numbered folders the published model's classes, else the folders' own names.
        For the single-class layout one name.
    order
        Which half is the edge map, one of :data:`~edgegan_widget.sketch.pairs.ORDERS`; ``auto`` looks at each pair,
        and takes that of most where neither half of one is drawn.

    Attributes
    ----------
    found
        Of ``auto``: how many of some pairs have which order, under an empty name those of which it cannot be told.

    Raises
    ------
    DataError
        The folder holds no pairs.
    """

    def __init__(self, folder: Path, classes: Sequence[str] = (), order: str = "auto") -> None:
        self._folder, self._classes, self.order = folder, tuple(classes), "edge-picture"
        self.found: Counter[str] = Counter()
        self._half = "left half"
        self.problems: list[str] = []
        if not folder.is_dir() or next(iter(self), None) is None:
            raise DataError(f"{folder} holds no pairs; lay them out as train/*.png or train/<class number>/*.png.")
        self.found = found_orders(self._some()) if order == "auto" else self.found
        mostly = "picture-edge" if self.found["picture-edge"] > self.found["edge-picture"] else "edge-picture"
        self.order = mostly if order == "auto" else order
        half = "left half" if self.order == "edge-picture" else "right half"
        self._half = f"drawn half, else {half}" if order == "auto" else half

    def _some(self) -> Iterator[Image.Image]:
        """Some of the pairs, to be looked at."""
        for source in itertools.islice(self, _LOOKED_AT):
            with contextlib.suppress(DataError):
                yield open_picture(source.path)

    def __iter__(self) -> Iterator[Source]:
        self.problems = list(unused_splits(self._folder))
        for split, top in (split_folders(self._folder) or {"": self._folder}).items():
            numbered = sorted((entry for entry in top.iterdir() if entry.is_dir()), key=_by_number)
            for entry in numbered:
                yield from self._pairs(entry, self._name(entry.name, len(numbered)), split or None)
            if not numbered:
                yield from self._pairs(top, self._classes[0] if self._classes else self._folder.name, split or None)

    def _name(self, folder: str, count: int) -> str:
        if not folder.isdigit():
            return folder
        names = self._classes or (tuple(CATEGORIES.values()) if count == len(CATEGORIES) else ())
        if self._classes and int(folder) >= len(names):
            raise ConfigError(f"the pairs have a class number {folder}, but only {len(names)} classes are named.")
        return names[int(folder)] if int(folder) < len(names) else f"class {folder}"

    def _pairs(self, folder: Path, label: str, split: str | None) -> Iterator[Source]:
        pictures, others = pictures_in(folder)
        self.problems += filter(None, [left_out(folder, others)])
        for path in pictures:
            name = path.relative_to(self._folder).as_posix()
            yield Source(path, name, (Region(object_id(name), label),), split=split, edge=self._half)


def _by_number(folder: Path) -> tuple[int, str]:
    return (int(folder.name) if folder.name.isdigit() else 1 << 30, folder.name)


def write_pairs(data: Path, out: Path, single: bool = False, size_px: int = ORIGINAL_SIZE_PX) -> Iterator[str]:
    """Write a data folder's pictures as pairs that the original reads.

    Parameters
    ----------
    data
        ``<split>/<class>/*.png``.
    out
        Gets ``train`` and ``test``, with folders numbered in the classes' alphabetical order, and ``classes.txt``.
    single
        No folders: all pictures are one class.
    size_px
        Height of a pair; the original reads 64.

    Yields
    ------
    A sentence for each picture that could not be used, or an empty text for each that was written.
    """
    classes = sorted({entry.name for split in SPLITS for entry in _classes(split_folder(data, split))})
    if not classes:
        raise DataError(f"{data} has no class; data is laid out as <folder>/train/<class>/*.png.")
    for split, theirs in (("train", "train"), ("val", "test")):
        for entry in _classes(split_folder(data, split)):
            for path in sorted(filter(is_picture, entry.iterdir())):
                number = str(classes.index(entry.name))
                name = f"{number}_{path.stem}.png" if single else f"{number}/{path.stem}.png"
                try:
                    write_bytes(out / theirs / name, encode_png(_pair(path, size_px)))
                    yield ""
                except DataError as error:
                    yield str(error)
    write_bytes(out / "classes.txt", "".join(f"{number} {name}\n" for number, name in enumerate(classes)))


def _classes(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def _pair(path: Path, size_px: int) -> U8:
    """A pair as it is, at another size; of a cut-out its edge map as training draws it, and the picture."""
    picture = open_picture(path)
    pair = halves(picture)
    if pair is not None:
        sized = [np.asarray(half.resize((size_px, size_px), Image.Resampling.BOX), np.uint8) for half in pair]
        return np.concatenate(sized, axis=1)
    edge = edge_styles(squared(picture, 2 * size_px), size_px)[0]
    return np.concatenate([np.repeat(edge[..., None], 3, axis=2), squared(picture, size_px)], axis=1)


@dataclass(frozen=True)
class PairOptions:
    """What :class:`PairReader` has to be told."""

    folder: str = setting(
        "", "folder with train/*.png or train/<class number>/*.png", option="folder", metavar="DIR", needed=True,
        path=True,
    )  # fmt: skip
    classes: str = setting("", "names by number, with commas between; empty: the original's 14", metavar="A,B")
    pair_order: str = setting("auto", "which half is the edge map; auto looks at what they hold", allowed=ORDERS)


def _read(options: PairOptions, _data: Path) -> PairReader:
    return PairReader(path_of(options.folder), split_names(options.classes), options.pair_order)


def _tell(_options: PairOptions, reader: PairReader) -> Iterator[str]:
    left, right, neither = (reader.found[order] for order in ("edge-picture", "picture-edge", ""))
    side = "right" if reader.order == "picture-edge" else "left"
    if left and right:
        yield "the drawing is in the left half of some pairs and in the right of others; each was taken as it is"
    elif right:
        yield "the right (or lower) halves hold the drawings, so they are the edge maps; --pair-order overrules that"
    if neither:
        yield (
            f"in {neither} of the {reader.found.total()} pairs that were looked at neither half is a drawing; the "
            f"{side} ones were taken as edge maps; --pair-order overrules that"
        )


register(
    ReaderKind(
        "pairs", "Pairs [edge | image]", "from-pairs", "take the original's [edge | image] files", PairOptions, _read,
        after=_tell,
    )
)  # fmt: skip

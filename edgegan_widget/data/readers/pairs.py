"""The original's ``[edge | image]`` files: into a data folder, and out of one so that the original can train on it.

Its layouts: ``train/*.png`` and ``test/*.png`` for one class, ``train/<number>/*.png`` for several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import is_picture, open_picture, write_bytes
from edgegan_widget.base.settings import setting
from edgegan_widget.data.making import encode_png
from edgegan_widget.data.readers import ReaderKind, path_of, register, split_names
from edgegan_widget.data.readers.sketchycoco import CATEGORIES
from edgegan_widget.data.sources import Region, Source, object_id
from edgegan_widget.sketch.sources.trained import edge_styles

__all__ = ["PairReader", "write_pairs"]

_SPLITS = {"train": "train", "test": "val", "val": "val"}  # the original's name of the split: ours
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

    Raises
    ------
    DataError
        The folder holds no pairs.
    """

    def __init__(self, folder: Path, classes: Sequence[str] = ()) -> None:
        self._folder, self._classes = folder, tuple(classes)
        self.problems: list[str] = []
        if not folder.is_dir() or next(iter(self), None) is None:
            raise DataError(f"{folder} holds no pairs; lay them out as train/*.png or train/<class number>/*.png.")

    def __iter__(self) -> Iterator[Source]:
        found: list[tuple[str, str | None]] = [
            (name, split) for name, split in _SPLITS.items() if (self._folder / name).is_dir()
        ]
        for name, split in found or [("", None)]:
            top = self._folder / name
            numbered = sorted((entry for entry in top.iterdir() if entry.is_dir()), key=_by_number)
            for entry in numbered:
                yield from self._pairs(entry, self._name(entry.name, len(numbered)), split)
            if not numbered:
                yield from self._pairs(top, self._classes[0] if self._classes else self._folder.name, split)

    def _name(self, folder: str, count: int) -> str:
        if not folder.isdigit():
            return folder
        names = self._classes or (tuple(CATEGORIES.values()) if count == len(CATEGORIES) else ())
        if self._classes and int(folder) >= len(names):
            raise ConfigError(f"the pairs have a class number {folder}, but only {len(names)} classes are named.")
        return names[int(folder)] if int(folder) < len(names) else f"class {folder}"

    def _pairs(self, folder: Path, label: str, split: str | None) -> Iterator[Source]:
        for path in sorted(folder.iterdir()):
            if is_picture(path):
                name = path.relative_to(self._folder).as_posix()
                yield Source(path, name, (Region(object_id(name), label),), split=split, edge="left half")


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
    classes = sorted({entry.name for split in ("train", "val") for entry in _classes(data / split)})
    if not classes:
        raise DataError(f"{data} has no class; data is laid out as <folder>/train/<class>/*.png.")
    for split, theirs in (("train", "train"), ("val", "test")):
        for entry in _classes(data / split):
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


def _pair(path: Path, size_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A pair as it is, at another size; of a cut-out its edge map as training draws it, and the picture."""
    picture = open_picture(path)
    if picture.width == 2 * picture.height:
        return np.asarray(picture.resize((2 * size_px, size_px), Image.Resampling.BOX), np.uint8)
    side = max(picture.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    large = np.asarray(square.resize((2 * size_px, 2 * size_px), Image.Resampling.LANCZOS), np.uint8)
    small = np.asarray(square.resize((size_px, size_px), Image.Resampling.LANCZOS), np.uint8)
    edge = edge_styles(large, size_px)[0]
    return np.concatenate([np.repeat(edge[..., None], 3, axis=2), small], axis=1)


@dataclass(frozen=True)
class PairOptions:
    """What :class:`PairReader` has to be told."""

    folder: str = setting(
        "", "folder with train/*.png or train/<class number>/*.png", option="folder", metavar="DIR", needed=True,
        path=True,
    )  # fmt: skip
    classes: str = setting("", "names by number, with commas between; empty: the original's 14", metavar="A,B")


def _read(options: PairOptions, _data: Path) -> PairReader:
    return PairReader(path_of(options.folder), split_names(options.classes))


register(
    ReaderKind(
        "pairs", "Pairs [edge | image]", "from-pairs", "take the original's [edge | image] files", PairOptions, _read
    )
)

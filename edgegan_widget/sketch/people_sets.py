"""People's drawings for training: how many are trained on and how many kept for testing, read, and packed.

Drawings lie in folders, see :mod:`sketch.sketch_sets`, or in a packed file, which holds them with the name of
their folder and with whether they are kept, so that both say the same.
"""

from __future__ import annotations

import functools
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import is_sketch
from edgegan_widget.sketch.sketch_sets import SketchFolder, class_asked, is_kept_for_testing, left_out, sketch_folders
from edgegan_widget.sketch.trace import read_sketch

__all__ = ["PeopleFolder", "packed_people", "people_folders", "read_people"]

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PeopleFolder:
    """A folder of drawings: its ``name`` as ``set/folder``, the class it is ``asked`` for as, if any, and numbers."""

    name: str
    asked: str | None
    trained_on: int
    kept: int


def people_folders(place: str | Path, classes: Sequence[str]) -> list[PeopleFolder]:
    """What a folder of people's drawings, or a packed file, holds for these classes; folders of no class last.

    Files are read once for as long as nothing comes to their folder or leaves it.

    Raises
    ------
    DataError
        The place is missing or holds no drawings.
    """
    root = Path(place).expanduser()
    if root.is_file():
        names, kept = _packed(root, "names", "kept")
        numbers = {str(name): Counter(kept[names == name].tolist()) for name in np.unique(names)}
    else:
        numbers = {name: _numbers(root / name, (root / name).stat().st_mtime_ns) for name in _every(root)}
    if not numbers:
        raise DataError(f"{root} holds no drawings in folders named after what they show; choose another folder.")
    found = [PeopleFolder(name, class_asked(name, classes), each[False], each[True]) for name, each in numbers.items()]
    return sorted(found, key=lambda each: (each.asked is None, each.asked or "", each.name))


def read_people(
    places: Iterable[str | Path], classes: Sequence[str], size_px: int, kept: bool = False, most: int | None = None
) -> tuple[list[U8], list[int]]:
    """Drawings, each uint8 [size_px, size_px] with paper 255, and the numbers of their classes.

    ``kept`` takes those kept for testing instead of the others, ``most`` so many of a class at most.

    Raises
    ------
    DataError
        A place is missing, or a packed file has drawings of another size.
    """
    taken: Counter[int] = Counter()
    sketches, labels = [], []
    for place in places:
        for label, read in _members(Path(place).expanduser(), classes, size_px, kept):
            if most is None or taken[label] < most:
                taken[label] += 1
                sketches.append(read())
                labels.append(label)
    return sketches, labels


def packed_people(
    folders: Iterable[str | Path], classes: Sequence[str], size_px: int
) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays for a packed file: all drawings of these classes, each with the name of its folder and if it is kept.

    Raises
    ------
    DataError
        A folder is missing, or there are no drawings of these classes.
    """
    found = [
        (folder.name, is_kept_for_testing(path), read_sketch(path, size_px))
        for root in folders
        for folder in _asked(Path(root).expanduser(), classes)
        for path in folder.paths
    ]
    if not found:
        raise DataError(f"there are no drawings of {', '.join(classes)} in the folders of sketches; name others.")
    names, kept, sketches = zip(*found)
    return {"people_names": np.array(names), "people_kept": np.array(kept), "people_sketches": np.stack(sketches)}


def _members(place: Path, classes: Sequence[str], size_px: int, kept: bool) -> Iterator[tuple[int, Callable[[], U8]]]:
    """Class numbers, and what reads a drawing of it."""
    if place.is_file():
        names, is_kept, sketches = _packed(place, "names", "kept", "sketches")
        if sketches.shape[-1] != size_px:
            raise DataError(f"{place} has drawings of {sketches.shape[-1]} pixels, {size_px} are needed; pack it anew.")
        for name, sketch in zip(names[is_kept == kept], sketches[is_kept == kept]):
            if (asked := class_asked(str(name), classes)) is not None:
                yield classes.index(asked), functools.partial(np.asarray, sketch)
        return
    for folder in _asked(place, classes):
        for path in folder.paths:
            if is_kept_for_testing(path) == kept:
                yield classes.index(folder.asked), functools.partial(read_sketch, path, size_px)


def _every(root: Path) -> list[str]:
    """Names of all folders of drawings below ``root``."""
    if not root.is_dir():
        raise DataError(f"there are no drawings at {str(root)!r}; name a folder of them, or a packed file.")
    return left_out(root, ())


def _asked(root: Path, classes: Sequence[str]) -> list[SketchFolder]:
    has_any = any(class_asked(name, classes) is not None for name in _every(root))
    return sketch_folders(root, classes) if has_any else []


@functools.lru_cache(maxsize=4096)
def _numbers(folder: Path, changed_ns: int) -> Counter[bool]:  # noqa: ARG001 - a folder that changed is read anew
    return Counter(is_kept_for_testing(path) for path in filter(is_sketch, folder.iterdir()))


def _packed(path: Path, *arrays: str) -> list[npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as packed:
            return [packed[f"people_{name}"] for name in arrays]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no packed drawings ({error}); make it with edgegan-widget pack --sketches DIR."
        ) from error

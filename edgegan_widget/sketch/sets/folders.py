"""People's sketches: which folder of a set is asked for as which class; read for training, and packed.

=============================  ==============================================================================
folder, in any set             class that is asked for: the first of these that the model knows
=============================  ==============================================================================
``shoe``                       shoe, sneaker, formal_shoe: QMUL's and Quick, Draw!'s shoes are mostly low and laced
``handbag``                    handbag, bag
``tshirt``                     tshirt, t-shirt
``flip_flop``                  flip_flop, sandal
``sunglasses``                 sunglasses, eyeglasses
``cap``                        cap, hat
``trousers``                   trousers, jeans
any other                      the class of the folder's own name
=============================  ==============================================================================

A folder's name is compared by its letters and digits, in lower case. Where a folder is named after no class and its
files after several, they are asked for by their own names. What shows no class of the model is left out;
:func:`left_out` names it, so that a report can say so. Where the drawings of a set lie:
:mod:`edgegan_widget.sketch.sets.files`.

One drawing in three is kept for testing: training leaves it out, and evaluation asks for these alone unless told
otherwise. A packed file holds drawings with the name of their folder and with whether they are kept, so that both say
the same.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.words import class_named
from edgegan_widget.sketch.sets.files import (
    KEPT_OF,
    OnDisk,
    drawings_below,
    is_kept_for_testing,
    read_drawing_of,
    told_name,
)  # fmt: skip

__all__ = [
    "ASKED_AS", "PeopleFolder", "SketchFolder", "asked_sketches", "class_asked", "is_kept_for_testing", "left_out",
    "packed_people", "people_folders", "read_people", "readable", "sketch_folders",
]  # fmt: skip

log = logging.getLogger(__name__)

MOST_NAMED = 8  # folders, in a sentence
U8 = npt.NDArray[np.uint8]

ASKED_AS: dict[str, tuple[str, ...]] = {
    "shoe": ("shoe", "sneaker", "formal_shoe"),
    "handbag": ("handbag", "bag"),
    "tshirt": ("tshirt", "t-shirt"),
    "flip_flop": ("flip_flop", "sandal"),
    "sunglasses": ("sunglasses", "eyeglasses"),
    "cap": ("cap", "hat"),
    "trousers": ("trousers", "jeans"),
}


@dataclass(frozen=True)
class SketchFolder:
    """Sketches of one kind: ``name`` as ``set/folder``, the class ``asked`` for, their files (or parts of files that
    hold many), and the set's name.
    """

    name: str
    asked: str
    paths: tuple[OnDisk, ...]
    set_name: str


def class_asked(folder: str, classes: Sequence[str]) -> str | None:
    """The class that sketches in a folder of this name are asked for as, or None where the model knows none."""
    own = _plain(folder.rpartition("/")[2])
    found = (class_named(wanted, classes) for wanted in (own, *ASKED_AS.get(own, ())))
    return next(filter(None, found), None)


def sketch_folders(root: Path | str, classes: Sequence[str]) -> list[SketchFolder]:
    """Folders below ``root``, at any depth, whose sketches show one of the classes.

    Raises
    ------
    DataError
        There is none.
    """
    found = _asked(Path(root), classes)
    if not found:
        names = list(drawings_below(Path(root)))
        there = f"; its folders are {', '.join(names[:MOST_NAMED])}" if names else ", nor any drawing"
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise DataError(
            f"{root} has no folder of sketches named after a class ({', '.join(classes)}){there}{more}; name "
            "them after what they show."
        )
    return found


def asked_sketches(root: Path | str, classes: Sequence[str], people: str) -> list[SketchFolder]:
    """The same with the sketches that an evaluation asks for: ``all``, or those ``held_out`` from training.

    Raises
    ------
    DataError
        There is none.
    """
    every = sketch_folders(root, classes)
    if people == "all":
        return every
    kept = [dataclasses.replace(one, paths=tuple(filter(is_kept_for_testing, one.paths))) for one in every]
    found = [folder for folder in kept if folder.paths]
    if not found:
        count = sum(len(folder.paths) for folder in every)
        raise DataError(
            f"{root} has {count} sketches of these classes, none of them held out from training, as about one in "
            f"{KEPT_OF} is; give more, or choose --people all."
        )
    return found


def left_out(root: Path | str, classes: Sequence[str]) -> list[str]:
    """Folders of sketches below ``root`` that show no class of the model."""
    taken = {name for folder in _asked(Path(root), classes) for name in (folder.name, folder.name.rpartition("/")[0])}
    return [name for name in drawings_below(Path(root)) if name not in taken]


def readable(
    drawings: Iterable[OnDisk], size_px: int, tell: Callable[[str], object] | None = None
) -> Iterator[tuple[OnDisk, U8]]:
    """Drawings that can be read, each with its sketch; what cannot is left out, and told in a sentence: in the log, or
    by ``tell``.
    """
    for drawing in drawings:
        try:
            sketch = read_drawing_of(drawing, size_px)
        except DataError as error:
            (tell or _log_left_out)(str(error))
            continue
        yield drawing, sketch


def _log_left_out(problem: str) -> None:
    log.warning("left out: %s", problem)


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
    root = _place(place)
    if root.is_file():
        names, kept = _packed(root, "names", "kept")
        numbers = {str(name): Counter(kept[names == name].tolist()) for name in np.unique(names)}
    else:
        numbers = {name: _numbers(drawings) for name, drawings in _named(root, classes).items()}
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
        for label, read in _members(_place(place), classes, size_px, kept):
            if (most is None or taken[label] < most) and (sketch := read()) is not None:
                taken[label] += 1
                sketches.append(sketch)
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
        (folder.name, is_kept_for_testing(drawing), sketch)
        for root in folders
        for folder in _asked(_place(root), classes)
        for drawing, sketch in readable(folder.paths, size_px)
    ]
    if not found:
        raise DataError(f"there are no drawings of {', '.join(classes)} in the folders of sketches; name others.")
    names, kept, sketches = zip(*found)
    return {"people_names": np.array(names), "people_kept": np.array(kept), "people_sketches": np.stack(sketches)}


def _members(
    place: Path, classes: Sequence[str], size_px: int, kept: bool
) -> Iterator[tuple[int, Callable[[], U8 | None]]]:
    """Class numbers, and what reads a drawing of it, or names what it cannot read."""
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
                yield classes.index(folder.asked), functools.partial(_read, path, size_px)


def _place(given: str | Path) -> Path:
    """A folder of drawings or a packed file; a :class:`DataError` where there is none."""
    place = Path(given).expanduser()
    if not place.exists():
        raise DataError(f"there are no drawings at {str(place)!r}; name a folder of them, or a packed file.")
    return place


def _read(drawing: OnDisk, size_px: int) -> U8 | None:
    return next((sketch for _, sketch in readable([drawing], size_px)), None)


def _asked(root: Path, classes: Sequence[str]) -> list[SketchFolder]:
    found = []
    for name, paths in _named(root, classes).items():
        asked = class_asked(name, classes)
        if asked is not None:
            head, _, rest = name.partition("/")
            found.append(SketchFolder(name, asked, paths, head if rest else root.name))
    return found


def _named(root: Path, classes: Sequence[str]) -> dict[str, tuple[OnDisk, ...]]:
    """Drawings by folder; those of a folder that is named after no class, but holds files that are named after several
    (or is the set's own), by what their names say.
    """
    found: dict[str, list[OnDisk]] = {}
    for name, drawings in drawings_below(root).items():
        own = [told_name(each) if isinstance(each, Path) else "" for each in drawings]
        meant = {word: class_asked(word, classes) for word in set(own) if word}
        by_files = len({each for each in meant.values() if each}) > (name != root.name)
        for drawing, word in zip(drawings, own):
            parted = by_files and class_asked(name, classes) is None and meant.get(word) is not None
            found.setdefault(f"{name}/{word}" if parted else name, []).append(drawing)
    return {name: tuple(drawings) for name, drawings in found.items()}


@functools.lru_cache(maxsize=4096)
def _numbers(drawings: tuple[OnDisk, ...]) -> Counter[bool]:
    return Counter(map(is_kept_for_testing, drawings))


def _packed(path: Path, *arrays: str) -> list[npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as packed:
            return [packed[f"people_{name}"] for name in arrays]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no packed drawings ({error}); make it with edgegan-widget pack --sketches DIR."
        ) from error


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")

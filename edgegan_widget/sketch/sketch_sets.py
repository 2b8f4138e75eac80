"""People's sketches: which folder of a set is asked for as which class.

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

A folder's name is compared in lower case, with ``-`` and spaces as ``_``. Folders of no class of the model are left
out; :func:`left_out` names them, so that a report can say so.

One drawing in three is kept for testing: training leaves it out, and evaluation asks for these alone unless told
otherwise.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import is_sketch

__all__ = [
    "ASKED_AS", "SketchFolder", "asked_sketches", "class_asked", "is_kept_for_testing", "left_out",
    "sketch_folders",
]  # fmt: skip

ASKED_AS: dict[str, tuple[str, ...]] = {
    "shoe": ("shoe", "sneaker", "formal_shoe"),
    "handbag": ("handbag", "bag"),
    "tshirt": ("tshirt", "t-shirt"),
    "flip_flop": ("flip_flop", "sandal"),
    "sunglasses": ("sunglasses", "eyeglasses"),
    "cap": ("cap", "hat"),
    "trousers": ("trousers", "jeans"),
}
KEPT_OF = 3


@dataclass(frozen=True)
class SketchFolder:
    """Sketches of one kind: ``name`` as ``set/folder``, the class ``asked`` for, their files, and the set's name."""

    name: str
    asked: str
    paths: tuple[Path, ...]
    set_name: str


def class_asked(folder: str, classes: Sequence[str]) -> str | None:
    """The class that sketches in a folder of this name are asked for as, or None where the model knows none."""
    known = {_plain(name): name for name in classes}
    own = _plain(folder.rpartition("/")[2])
    for wanted in (own, *ASKED_AS.get(own, ())):
        if _plain(wanted) in known:
            return known[_plain(wanted)]
    return None


def sketch_folders(root: Path | str, classes: Sequence[str]) -> list[SketchFolder]:
    """Folders below ``root``, at any depth, whose sketches show one of the classes.

    Raises
    ------
    DataError
        There is none.
    """
    found = []
    for name, paths in _every(Path(root)).items():
        asked = class_asked(name, classes)
        if asked is not None:
            head, _, rest = name.partition("/")
            found.append(SketchFolder(name, asked, paths, head if rest else Path(root).name))
    if not found:
        raise DataError(f"{root} has no folder of sketches named after a class ({', '.join(classes)}).")
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
    return [name for name in _every(Path(root)) if class_asked(name, classes) is None]


def is_kept_for_testing(path: Path) -> bool:
    """Whether training leaves this drawing out; one in three is.

    It is where the SHA-256 digest of the file, read as a number, is divisible by three. So a drawing stays kept
    whatever it is called and wherever it is copied to.
    """
    facts = path.stat()
    return _is_kept(path, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=20_000)  # a form asks again at every change of a setting
def _is_kept(path: Path, _size: int, _changed_ns: int) -> bool:
    return int(hashlib.sha256(path.read_bytes()).hexdigest(), 16) % KEPT_OF == 0


def _folders(root: Path) -> Iterator[Path]:
    """All folders below, each once; links are followed, since sets that many use are often linked."""
    seen = {root.resolve()}
    for folder, below, _ in os.walk(root, followlinks=True):
        below[:] = [name for name in below if Path(folder, name).resolve() not in seen]
        seen.update(Path(folder, name).resolve() for name in below)
        yield from (Path(folder, name) for name in below)


def _every(root: Path) -> dict[str, tuple[Path, ...]]:
    found = {}
    for folder in sorted(_folders(root)):
        paths = tuple(sorted(filter(is_sketch, folder.iterdir())))
        if paths:
            found[folder.relative_to(root).as_posix()] = paths
    return found


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")

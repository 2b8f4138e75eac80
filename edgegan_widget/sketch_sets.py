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
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.errors import DataError

__all__ = ["ASKED_AS", "SketchFolder", "class_asked", "left_out", "sketch_folders"]

ASKED_AS: dict[str, tuple[str, ...]] = {
    "shoe": ("shoe", "sneaker", "formal_shoe"),
    "handbag": ("handbag", "bag"),
    "tshirt": ("tshirt", "t-shirt"),
    "flip_flop": ("flip_flop", "sandal"),
    "sunglasses": ("sunglasses", "eyeglasses"),
    "cap": ("cap", "hat"),
    "trousers": ("trousers", "jeans"),
}
SUFFIXES = (".png", ".json", ".svg")


@dataclass(frozen=True)
class SketchFolder:
    """Sketches of one kind: ``name`` as ``set/folder``, the class ``asked`` for, and their files."""

    name: str
    asked: str
    paths: tuple[Path, ...]


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
            found.append(SketchFolder(name, asked, paths))
    if not found:
        raise DataError(f"{root} has no folder of sketches named after a class ({', '.join(classes)}).")
    return found


def left_out(root: Path | str, classes: Sequence[str]) -> list[str]:
    """Folders of sketches below ``root`` that show no class of the model."""
    return [name for name in _every(Path(root)) if class_asked(name, classes) is None]


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
        paths = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
        if paths:
            found[folder.relative_to(root).as_posix()] = paths
    return found


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")

"""SketchyCOCO's object-level data -> sources: ``GT``, ``Edge`` and ``Sketch``, each ``<split>/<category>/<name>.png``.

Categories carry COCO's numbers (its authors, in issue 3 of sysu-imsl/SketchyCOCO).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.layout import SPLITS
from edgegan_widget.base.pictures import encode_png, is_picture, open_picture
from edgegan_widget.base.settings import setting
from edgegan_widget.base.words import sort_out
from edgegan_widget.data.readers import LEFT_OUT, ReaderKind, path_of, register, split_names
from edgegan_widget.data.sources import Region, Source, object_id

__all__ = ["ANIMALS", "CATEGORIES", "SketchyCocoReader"]

CATEGORIES = {
    5: "airplane", 17: "cat", 25: "giraffe", 24: "zebra", 18: "dog", 22: "elephant", 11: "fire hydrant", 19: "horse",
    2: "bicycle", 3: "car", 10: "traffic light", 21: "cow", 4: "motorcycle", 20: "sheep",
}  # fmt: skip
ANIMALS = ("sheep", "cat", "giraffe", "zebra", "dog")  # the five of the reference retraining
LICENCE = "SketchyCOCO: pictures under Flickr's terms of use, sketches CC BY 4.0"


class SketchyCocoReader:
    """Sources of SketchyCOCO's object-level data; its own splits are kept.

    Parameters
    ----------
    root
        Folder with ``GT``, or the one above it.
    classes
        Names to take; empty takes all 14.
    edges
        Take SketchyCOCO's own edge maps: the data folder then holds ``[edge | image]`` pairs.

    Raises
    ------
    DataError
        The folder is laid out otherwise.
    ConfigError
        A class is none of the 14.
    """

    def __init__(self, root: Path, classes: Sequence[str] = (), edges: bool = False) -> None:
        found = (each for each in (root, root / "Object", root / "data" / "Object") if (each / "GT").is_dir())
        top = next(found, None)
        if top is None:
            raise DataError(f"{root} has no folder GT; give the folder that holds SketchyCOCO's GT, Edge and Sketch.")
        classes, unknown = sort_out(classes, [*CATEGORIES.values()])
        if unknown:
            raise ConfigError(
                f"SketchyCOCO has no class {', '.join(unknown)}; it has {', '.join(CATEGORIES.values())}."
            )
        self._top, self._wanted, self._edges = top, set(classes or CATEGORIES.values()), edges
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[Source]:
        for split in SPLITS:
            for number, label in sorted(CATEGORIES.items()):
                folder = self._top / "GT" / split / str(number)
                if label in self._wanted and folder.is_dir():
                    for path in sorted(folder.iterdir()):
                        if is_picture(path):
                            yield self._source(path, label, split)

    def _source(self, path: Path, label: str, split: str) -> Source:
        name = path.relative_to(self._top).as_posix()
        edge = self._top / "Edge" / path.relative_to(self._top / "GT") if self._edges else None
        return Source(path, name, (Region(object_id(name), label),), licence=LICENCE, split=split, edge=edge)

    def write_sketches(self, out: Path) -> Iterator[str]:
        """Write people's sketches of the validation split as ``<out>/<class>/*.png``, as ``evaluate`` takes them.

        Those of the training split stay out: their pictures are trained on.

        Yields
        ------
        A sentence for each that could not be read, or an empty text for each that was written.
        """
        for number, label in sorted(CATEGORIES.items()):
            folder = self._top / "Sketch" / "val" / str(number)
            if label in self._wanted and folder.is_dir():
                for path in sorted(filter(is_picture, folder.iterdir())):
                    yield _written(path, out / label / f"{path.stem}.png")


def _written(path: Path, target: Path) -> str:
    try:
        write_bytes(target, encode_png(np.asarray(open_picture(path).convert("L"), np.uint8)))
    except DataError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class SketchyCocoOptions:
    """What :class:`SketchyCocoReader` has to be told."""

    folder: str = setting(
        "", "folder with GT, Edge and Sketch", option="folder", metavar="ROOT", needed=True, path=True
    )
    classes: str = setting("", "names with commas between; empty takes all", metavar="A,B")
    animals: bool = setting(False, "take the five animals of the reference retraining instead")
    own_edges: bool = setting(False, "make pairs with SketchyCOCO's edge maps", label="Its own edge maps")
    sketches: str = setting(
        "", "folder to write people's sketches of its validation split to, for an evaluation", metavar="DIR", path=True
    )


def _read(options: SketchyCocoOptions, _data: Path) -> SketchyCocoReader:
    classes = ANIMALS if options.animals else split_names(options.classes)
    return SketchyCocoReader(path_of(options.folder), classes, options.own_edges)


def _write_sketches(options: SketchyCocoOptions, reader: SketchyCocoReader) -> Iterator[str]:
    if options.sketches.strip():
        done = list(reader.write_sketches(path_of(options.sketches)))
        yield from (f"{LEFT_OUT}{problem}" for problem in done if problem)
        yield f"{options.sketches}: {done.count('')} sketches; edgegan-widget evaluate takes them as --sketches"


register(
    ReaderKind(
        "sketchycoco", "SketchyCOCO", "from-sketchycoco", "take SketchyCOCO's object-level data", SketchyCocoOptions,
        _read, after=_write_sketches,
    )
)  # fmt: skip

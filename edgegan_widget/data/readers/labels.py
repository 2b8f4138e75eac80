"""Files of programs that draw around objects -> sources: labelme, the VGG Image Annotator, Supervisely."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import telling
from edgegan_widget.base.pictures import PICTURE_SUFFIXES
from edgegan_widget.base.settings import setting
from edgegan_widget.base.words import listed, sort_out
from edgegan_widget.data.annotations.labelme import is_labelme, pictures_of_labelme
from edgegan_widget.data.annotations.pictures import PictureFinder
from edgegan_widget.data.annotations.shapes import Labelled
from edgegan_widget.data.annotations.supervisely import is_supervisely, pictures_of_supervisely
from edgegan_widget.data.annotations.via import is_via, pictures_of_via
from edgegan_widget.data.readers import ReaderKind, path_of, register, split_names, whole_names
from edgegan_widget.data.sources import Region, Source, check_folders, object_id

__all__ = ["LabelReader"]

_MOST_BYTES = 256_000_000  # of one file: labelme puts the picture itself into it
_OWN = (
    "meta.json",
    "obj_class_to_machine_color.json",
    "key_id_map.json",
)  # Supervisely's, about the project as a whole
_PROGRAMS = "labelme, the VGG Image Annotator 1 and 2, Supervisely"


class LabelReader:
    """Sources of a folder of such files, at any depth, or of one file.

    Parameters
    ----------
    place
        The folder or file.
    images
        Folder of the pictures; None takes the one where the annotations lie.
    classes
        Names to take; empty takes all.
    attribute
        Of the VGG Image Annotator: which attribute of a region is its class; empty finds it.

    Attributes
    ----------
    problems
        Sentences about what was left out, whole once all sources were taken.

    Raises
    ------
    DataError
        There is no such folder or file, or nothing in it marks an object.
    ConfigError
        A class is not in the annotations.
    """

    def __init__(
        self, place: Path, images: Path | None = None, classes: Sequence[str] = (), attribute: str = ""
    ) -> None:
        root = place if place.is_dir() else place.parent
        for each in filter(None, (None if place.exists() else place, images)):
            if not each.is_dir():
                raise DataError(f"{each} does not exist or is no folder; name the annotations and their pictures.")
        self._root, self._attribute = root, attribute
        self._files = [place] if place.is_file() else sorted(place.rglob("*.json"))
        self._images = images or root
        self._pictures = PictureFinder(self._images)
        self.problems: list[str] = []
        counts = Counter(label for _, picture in self._read() for label, _ in picture.objects)
        if not counts:
            why = f": {listed(self.problems, 3)}" if self.problems else ""
            raise DataError(f"{place} marks no object in a form that is read ({_PROGRAMS}){why}")
        known = sorted(counts)
        taken, missing = sort_out(whole_names(classes, known), known)
        if missing:
            raise ConfigError(f"{place} has no class {', '.join(missing)}; it has {'; '.join(known)}.")
        self._wanted = set(taken or known)
        check_folders(self._wanted)

    def __iter__(self) -> Iterator[Source]:
        for path, picture in self._read():
            wanted = [(label, mask) for label, mask in picture.objects if label in self._wanted]
            if not wanted:
                continue
            try:
                found = self._picture(path, picture)
            except DataError as error:
                self.problems.append(f"{path}: {error}")
                continue
            name = found.relative_to(self._images).as_posix()
            others = tuple(mask for label, mask in picture.objects if label not in self._wanted)
            regions = tuple(
                Region(object_id(name, f"{label} {number}"), label, mask) for number, (label, mask) in enumerate(wanted)
            )
            yield Source(found, name, regions, others=others, size_px=picture.size_px)

    def _read(self) -> Iterator[tuple[Path, Labelled]]:
        """Each picture with the file that tells of it; what cannot be read is kept as a problem."""
        self.problems = []
        for path in self._files:
            if path.name in _OWN:
                continue
            try:
                found = self._pictures_of(path)
            except DataError as error:
                self.problems.append(str(error))
                continue
            for picture in found:
                self.problems += [f"{path}: {problem}" for problem in picture.problems]
                yield path, picture

    def _pictures_of(self, path: Path) -> list[Labelled]:
        with telling(path, "read", "check the folder"):
            if path.stat().st_size > _MOST_BYTES:
                raise DataError(f"{path} has more than {_MOST_BYTES:,} bytes, the most allowed; export it in parts.")
            content = path.read_bytes()
        try:
            record: Any = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is no whole JSON ({error}); export it anew.") from error
        if is_labelme(record):
            return pictures_of_labelme(record)
        if is_supervisely(record):
            return pictures_of_supervisely(record)
        if is_via(record):
            return pictures_of_via(record, self._attribute)
        raise DataError(f"{path} is no annotation in a form that is read ({_PROGRAMS}).")

    def _picture(self, path: Path, picture: Labelled) -> Path:
        """The picture's file: as it is named, beside its annotation first, or by the annotation's own name."""
        beside = [path.parent, path.parent.parent / "img"]
        named = picture.name.replace("\\", "/").rpartition("/")[2] or path.name.removesuffix(".json")
        names = [named, *(path.stem + suffix for suffix in PICTURE_SUFFIXES)]
        near = (folder / name for folder in beside for name in names if folder.is_relative_to(self._images))
        found = next((each for each in near if each.is_file()), None)
        return found or self._pictures.find(picture.name or named)


@dataclass(frozen=True)
class LabelOptions:
    """What :class:`LabelReader` has to be told."""

    annotations: str = setting(
        "", f"a file, or a folder of files, of {_PROGRAMS}", option="annotations", metavar="PLACE", needed=True,
        path=True,
    )  # fmt: skip
    images: str = setting("", "folder of the photos; empty: beside the annotations", label="Photos", metavar="DIR",
                          path=True)  # fmt: skip
    classes: str = setting(
        "", "names with commas between, one that holds a comma in double quotes; empty takes all", metavar="A,B"
    )
    attribute: str = setting("", "VGG Image Annotator: the attribute that is the class; empty finds it", metavar="NAME")


def _read(options: LabelOptions, _data: Path) -> LabelReader:
    images = path_of(options.images) if options.images.strip() else None
    classes = split_names(options.classes)
    return LabelReader(path_of(options.annotations), images, classes, options.attribute.strip())


register(
    ReaderKind(
        "labels", "Labelled photos", "from-labels", "cut out what was drawn around in labelme, VIA or Supervisely",
        LabelOptions, _read,
    )
)  # fmt: skip

"""COCO's instances -> sources: https://cocodataset.org/#format-data, in the layouts of 2014 and 2017.

The annotations (hundreds of megabytes) are never held whole: they are read once to note where each stands in the file
(24 bytes each), and once picture by picture.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.settings import setting
from edgegan_widget.base.words import sort_out
from edgegan_widget.data.annotations.numbers import Ids, whole
from edgegan_widget.data.annotations.pictures import PictureFinder
from edgegan_widget.data.annotations.scan import LISTS, AnnotationFile
from edgegan_widget.data.readers import ReaderKind, path_of, register, split_names, whole_names
from edgegan_widget.data.sources import Region, Source, check_folders, object_id

__all__ = ["CocoReader"]

_LARGEST_SIDE_PX = 65_535
_NAME_KEYS = ("file_name", "filename", "fileName", "path")
_NO_OBJECTS = {  # what annotations without a category are
    "caption": "annotations are captions and mark no object; give instances_....json.",
    "segments_info": "annotations are of panoptic segmentation, whose masks are pictures; give instances_....json.",
}
_SHOWN = 80  # characters of a broken entry
_OWN_READER = "take it with edgegan-widget data from-labels, or export it as COCO instances"
_SIGNS = {  # what only other programs write at the top of their files; the first three have a reader of their own
    "shapes": "a labelme file",
    "_via_img_metadata": "a project of the VGG Image Annotator",
    "objects": "a Supervisely file",
    "item": "a Datumaro or Darwin file",
}


@dataclass
class _Index:
    """Where pictures and annotations stand in the file."""

    names: dict[int, str] = field(default_factory=dict)  # class by category number
    licences: dict[int, str] = field(default_factory=dict)
    images: dict[int, tuple[int, int]] = field(default_factory=dict)  # first byte and length by image number
    twice: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # of further pictures under the same number
    image_of: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("q"))
    length: array[int] = field(default_factory=lambda: array("i"))


class CocoReader:
    """Sources of a COCO instances file, as COCO itself or another program wrote it.

    Parameters
    ----------
    images
        Folder of the pictures, or the folder above ``train2017``, ``val2014`` and so on.
    annotations
        ``instances_*.json``.
    classes
        Names to take; empty takes all.
    crowds
        Take what is marked as a crowd too: some programs mark every mask so.

    Attributes
    ----------
    problems
        Sentences about what was left out, whole once all sources were taken.

    Raises
    ------
    DataError
        A folder or file is missing or is something else, or two classes share a folder.
    ConfigError
        A class is not in the annotations.
    """

    def __init__(self, images: Path, annotations: Path, classes: Sequence[str] = (), crowds: bool = False) -> None:
        if not images.is_dir():
            raise DataError(f"{images} is not a folder; give the folder of COCO's pictures.")
        self._file, self._path, self._pictures = AnnotationFile(annotations), annotations, PictureFinder(images)
        self._index, self._ids, self._crowds = _Index(), Ids(), crowds
        self._noted, self._found, self._left_out = list[str](), list[str](), Counter[str]()
        for name, start, length, record in self._file.records():
            self._note(name, start, length, record)
        self._check_kind()
        known = sorted(set(self._index.names.values()))
        classes, missing = sort_out(whole_names(classes, known), known)
        if missing:
            raise ConfigError(
                f"{annotations} has no class {', '.join(missing)}; it has {'; '.join(known) or 'none'} (a name that "
                "holds a comma is put in double quotes)."
            )
        self._wanted = set(classes or known)
        check_folders(self._wanted)
        self._order = np.argsort(np.frombuffer(self._index.image_of, np.int64), kind="stable")

    @property
    def problems(self) -> list[str]:
        """Sentences about what was left out so far."""
        return self._noted + self._found + [f"{self._path}: {count:,} {why}" for why, count in self._left_out.items()]

    def _note(self, name: str, start: int, length: int, record: Any) -> None:
        if name not in ("images", "annotations", "categories", "licenses"):
            return
        key = "image_id" if name == "annotations" else "id"
        number = self._ids.number(record.get(key)) if isinstance(record, dict) else None
        if number is None:
            if name != "licenses":
                about = json.dumps(record)[:_SHOWN] if record else "an empty entry"
                self._noted.append(f"{self._path}: an entry of {name} has no {key}; mend or leave it out: {about}")
        elif name == "categories":
            self._index.names[number] = str(record.get("name") or number)
        elif name == "licenses":
            self._index.licences[number] = str(record.get("url") or record.get("name") or number)
        elif name == "images":
            if self._index.images.setdefault(number, (start, length)) != (start, length):
                self._index.twice.setdefault(number, []).append((start, length))
        else:
            self._index.image_of.append(number)
            self._index.start.append(start)
            self._index.length.append(length)

    def _check_kind(self) -> None:
        """A file of another kind may hold lists as well."""
        needed = [name for name in LISTS if name not in self._file.keys]
        if needed:
            program = next((name for key, name in _SIGNS.items() if key in self._file.keys), "")
            looks = f"; it looks like {program}" if program else ""
            advice = _OWN_READER if program in list(_SIGNS.values())[:3] else "export it as COCO instances"
            raise DataError(f"{self._path} has no {' and no '.join(needed)}{looks}; {advice}.")

    def __iter__(self) -> Iterator[Source]:
        """One source for each picture with a wanted object, by picture number."""
        self._found.clear()  # reading again finds them again
        self._left_out.clear()
        image_of = np.frombuffer(self._index.image_of, np.int64)[self._order]
        begins = np.flatnonzero(np.diff(image_of, prepend=image_of[:1] - 1)).tolist()
        with self._file.opened() as stream:
            for begin, end in zip(begins, [*begins[1:], len(image_of)]):
                members = self._order[begin:end]
                entries = [self._file.read(stream, self._index.start[at], self._index.length[at]) for at in members]
                wanted = [entry for entry in entries if self._is_wanted(entry)]
                if wanted:
                    yield from self._source(stream, int(image_of[begin]), entries, wanted)

    def _is_wanted(self, entry: dict[str, Any]) -> bool:
        label = self._label(entry)
        if label is None and (kind := next((about for key, about in _NO_OBJECTS.items() if key in entry), None)):
            self._left_out[kind] += 1
        elif label is None:
            self._skip(entry, f"means category {entry.get('category_id')!r}, which the file does not have")
        if label not in self._wanted:
            return False
        if whole(entry.get("iscrowd")) == 1 or entry.get("iscrowd") is True:
            if not self._crowds:
                self._left_out["objects are marked as crowds; --crowds takes them."] += 1
            return self._crowds
        return True

    def _label(self, entry: dict[str, Any]) -> str | None:
        given = entry.get("category_id")
        category = self._ids.number(given)
        label = None if category is None else self._index.names.get(category)
        if label is None and isinstance(given, str) and given in self._index.names.values():
            return given  # the name, as some programs write it
        return label

    def _skip(self, entry: dict[str, Any], why: str) -> None:
        self._found.append(f"{self._path}: annotation {entry.get('id')!r} {why}; mend or leave it out.")

    def _source(
        self, stream: Any, number: int, entries: list[dict[str, Any]], wanted: list[dict[str, Any]]
    ) -> Iterator[Source]:
        image = self._image(stream, number, wanted)
        if image is None:
            return
        name = _name(image)
        try:
            path = self._pictures.find(name)
            size = _size(image)
        except DataError as error:
            self._found.append(f"{self._path}: picture {number}: {error}")
            return
        licence = self._ids.number(image.get("license"))
        yield Source(
            path,
            str(name),
            tuple(self._region(entry, str(name), at) for at, entry in enumerate(wanted)),
            others=tuple(entry.get("segmentation") for entry in entries if entry not in wanted),
            size_px=size,
            licence="unknown" if licence is None else self._index.licences.get(licence, "unknown"),
        )

    def _image(self, stream: Any, number: int, wanted: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The entry of a picture; None where there is none, or are several that differ: none of them is cut then."""
        where = self._index.images.get(number)
        if where is None:
            for entry in wanted:
                self._skip(entry, f"means picture {entry.get('image_id')}, which the file does not have")
            return None
        image = self._file.read(stream, *where)
        others = [self._file.read(stream, *other) for other in self._index.twice.get(number, ())]
        if all(_name(other) == _name(image) for other in others):
            return dict(image)
        names = ", ".join(str(_name(each)) for each in (image, *others))
        self._found.append(
            f"{self._path}: picture {image.get('id')} is there {len(others) + 1} times ({names}): none of them is "
            f"taken, nor {len(wanted):,} objects; give each picture a number of its own."
        )
        return None

    def _region(self, entry: dict[str, Any], name: str, at: int) -> Region:
        label = self._label(entry) or ""
        return Region(object_id(name, f"{label} {at} {entry.get('id')}"), label, entry.get("segmentation") or [])


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    """Width and height that the annotations are for; None where the file does not say."""
    given = image.get("width"), image.get("height")
    if given == (None, None):
        return None
    wide, high = map(whole, given)
    if wide is None or high is None or not (0 < wide <= _LARGEST_SIDE_PX and 0 < high <= _LARGEST_SIDE_PX):
        raise DataError(f"its width and height are {given[0]!r} and {given[1]!r}; give them in pixels, or neither.")
    return wide, high


def _name(image: dict[str, Any]) -> Any:
    """``file_name``, whatever it is called, or as in LVIS the end of ``coco_url``: folder and file."""
    given = next((image[key] for key in _NAME_KEYS if image.get(key) is not None), None)
    address = image.get("coco_url")
    if given is not None or not isinstance(address, str) or address.endswith("/"):
        return given
    return "/".join(address.split("/")[-2:])


@dataclass(frozen=True)
class CocoOptions:
    """What :class:`CocoReader` has to be told."""

    images: str = setting("", "folder of COCO's photos", label="Photos", metavar="DIR", needed=True, path=True)
    annotations: str = setting("", "file instances_….json", metavar="FILE", needed=True, path=True)
    classes: str = setting(
        "", "names with commas between, one that holds a comma in double quotes; empty takes all", metavar="A,B"
    )
    crowds: bool = setting(False, "take what is marked as a crowd too: some programs mark every mask so")


def _read(options: CocoOptions, _data: Path) -> CocoReader:
    classes = split_names(options.classes)
    return CocoReader(path_of(options.images), path_of(options.annotations), classes, options.crowds)


register(ReaderKind("coco", "COCO photos", "from-coco", "cut out the objects of COCO's instances", CocoOptions, _read))

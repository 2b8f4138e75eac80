"""COCO's instances -> sources: https://cocodataset.org/#format-data, in the layouts of 2014 and 2017.

The annotations (hundreds of megabytes) are never held whole: they are read once to note where each stands in the file
(24 bytes each), and once picture by picture.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import safe_join
from edgegan_widget.base.settings import setting
from edgegan_widget.data.readers import ReaderKind, path_of, register, split_names
from edgegan_widget.data.sources import Region, Source, object_id

__all__ = ["CocoReader", "read_record", "records"]

_SUBFOLDERS = ("train2017", "val2017", "train2014", "val2014")
_LARGEST_SIDE_PX = 65_535
_CHUNK_BYTES = 1 << 20
_MOST_RECORD_BYTES = 64_000_000
_BLANK = re.compile(r"[\s,]*")


@dataclass
class _Index:
    """Where pictures and annotations stand in the file."""

    names: dict[int, str] = field(default_factory=dict)  # class by category number
    licences: dict[int, str] = field(default_factory=dict)
    images: dict[int, tuple[int, int]] = field(default_factory=dict)  # first byte and length by image number
    image_of: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("q"))
    length: array[int] = field(default_factory=lambda: array("i"))


class CocoReader:
    """Sources of a COCO instances file.

    Parameters
    ----------
    images
        Folder of the pictures, or the folder above ``train2017``, ``val2014`` and so on.
    annotations
        ``instances_*.json``.
    classes
        Names to take; empty takes all.

    Raises
    ------
    DataError
        A folder or file is missing or is something else.
    ConfigError
        A class is not in the annotations.
    """

    def __init__(self, images: Path, annotations: Path, classes: Sequence[str] = ()) -> None:
        if not images.is_dir():
            raise DataError(f"{images} is not a folder; give the folder of COCO's pictures.")
        self._folder, self._path = images, annotations
        self._index, self.problems = _Index(), list[str]()
        for name, start, length, record in records(annotations):
            self._note(name, start, length, record)
        known = sorted(set(self._index.names.values()))
        missing = [name for name in classes if name not in known]
        if missing:
            raise ConfigError(f"{annotations} has no class {', '.join(missing)}; it has {', '.join(known) or 'none'}.")
        self._wanted = set(classes or known)
        self._order = np.argsort(np.frombuffer(self._index.image_of, np.int64), kind="stable")

    def _note(self, name: str, start: int, length: int, record: Any) -> None:
        number = record.get("image_id" if name == "annotations" else "id") if isinstance(record, dict) else None
        if not isinstance(number, int) or abs(number) >= 2**62:
            if name in ("images", "annotations", "categories"):
                self.problems.append(f"{self._path}: an entry of {name} has no number; mend or leave it out.")
            return
        if name == "categories":
            self._index.names[number] = str(record.get("name", number))
        elif name == "licenses":
            self._index.licences[number] = str(record.get("url") or record.get("name") or number)
        elif name == "images":
            self._index.images[number] = (start, length)
        elif name == "annotations":
            self._index.image_of.append(number)
            self._index.start.append(start)
            self._index.length.append(length)

    def __iter__(self) -> Iterator[Source]:
        """One source for each picture with a wanted object, by picture number."""
        image_of = np.frombuffer(self._index.image_of, np.int64)[self._order]
        begins = np.flatnonzero(np.diff(image_of, prepend=image_of[:1] - 1)).tolist()
        with self._path.open("rb") as stream:
            for begin, end in zip(begins, [*begins[1:], len(image_of)]):
                members = self._order[begin:end]
                entries = [read_record(stream, self._index.start[at], self._index.length[at]) for at in members]
                wanted = [entry for entry in entries if self._is_wanted(entry)]
                if wanted:
                    yield from self._source(stream, int(image_of[begin]), entries, wanted)

    def _is_wanted(self, entry: dict[str, Any]) -> bool:
        category = entry.get("category_id")
        name = self._index.names.get(category) if isinstance(category, int) else None
        if name is None:
            self._skip(entry, f"means category {category!r}, which the file does not have")
        return name in self._wanted and not entry.get("iscrowd")

    def _skip(self, entry: dict[str, Any], why: str) -> None:
        self.problems.append(f"{self._path}: annotation {entry.get('id')!r} {why}; mend or leave it out.")

    def _source(
        self, stream: Any, number: int, entries: list[dict[str, Any]], wanted: list[dict[str, Any]]
    ) -> Iterator[Source]:
        where = self._index.images.get(number)
        if where is None:
            for entry in wanted:
                self._skip(entry, f"means picture {number}, which the file does not have")
            return
        image = read_record(stream, *where)
        name, size = _name(image), (image.get("width"), image.get("height"))
        try:
            path = self._find(name)
        except DataError as error:
            self.problems.append(f"{self._path}: picture {number}: {error}")
            return
        if not all(isinstance(side, int) and 0 < side <= _LARGEST_SIDE_PX for side in size):
            self.problems.append(f"{self._path}: picture {number} ({name}) has no width and height; add them.")
            return
        yield Source(
            path,
            str(name),
            tuple(self._region(entry, str(name), at) for at, entry in enumerate(wanted)),
            others=tuple(entry.get("segmentation") for entry in entries if entry not in wanted),
            size_px=(size[0], size[1]),
            licence=self._index.licences.get(image.get("license"), "unknown"),
        )

    def _region(self, entry: dict[str, Any], name: str, at: int) -> Region:
        label = self._index.names[entry["category_id"]]
        return Region(object_id(name, f"{label} {at} {entry.get('id')}"), label, entry.get("segmentation") or [])

    def _find(self, name: Any) -> Path:
        """The picture, whatever the layout: names of 2014 hold no folder, some files name theirs."""
        if not isinstance(name, str):
            raise DataError(f"its file_name is {name!r}; give a name below {self._folder}.")
        path = safe_join(self._folder, name)
        return next((each for each in self._candidates(name, path.name) if each.exists()), path)

    def _candidates(self, name: str, alone: str) -> Iterator[Path]:
        """As it is named, or by its name alone in one of COCO's folders; those of 2014 carry its name."""
        for top in (self._folder, self._folder / "images"):
            yield top / name
            yield top / alone
            for subfolder in _SUBFOLDERS:
                yield top / subfolder / alone
                yield top / subfolder / f"COCO_{subfolder}_{alone}"


def _name(image: dict[str, Any]) -> Any:
    """``file_name``, or where there is none, as in LVIS, the end of ``coco_url``: folder and file."""
    address = image.get("coco_url")
    if image.get("file_name") is not None or not isinstance(address, str) or address.endswith("/"):
        return image.get("file_name")
    return "/".join(address.split("/")[-2:])


@dataclass(frozen=True)
class CocoOptions:
    """What :class:`CocoReader` has to be told."""

    images: str = setting("", "folder of COCO's photos", label="Photos", metavar="DIR", needed=True, path=True)
    annotations: str = setting("", "file instances_….json", metavar="FILE", needed=True, path=True)
    classes: str = setting("", "names with commas between; empty takes all", metavar="A,B")


def _read(options: CocoOptions, _data: Path) -> CocoReader:
    return CocoReader(path_of(options.images), path_of(options.annotations), split_names(options.classes))


register(ReaderKind("coco", "COCO photos", "from-coco", "cut out the objects of COCO's instances", CocoOptions, _read))


def records(path: Path) -> Iterator[tuple[str, int, int, Any]]:
    """Every element of every list at the top of the file, in its order.

    Yields
    ------
    Name of the list, first byte and length of the element in the file, the element.

    Raises
    ------
    DataError
        The file is missing, or is no JSON object.
    """
    try:
        with path.open("rb") as stream:
            yield from _Scanner(path, stream).elements()
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read as annotations in COCO's format ({error}); check the file.") from error


def read_record(stream: Any, start: int, length: int) -> Any:
    """Read one element again."""
    stream.seek(start)
    return json.loads(stream.read(length))


class _Scanner:
    """Reads the file as Latin-1, where characters are bytes; elements are decoded again as UTF-8."""

    def __init__(self, path: Path, stream: Any) -> None:
        self._path, self._stream = path, stream
        self._text, self._at, self._base = "", 0, 0
        self._decoder = json.JSONDecoder()

    def elements(self) -> Iterator[tuple[str, int, int, Any]]:
        self._expect("{")
        while self._peek() != "}":
            _, _, name = self._value()
            self._expect(":")
            if self._peek() != "[":
                self._value()
                continue
            self._expect("[")
            while self._peek() != "]":
                yield str(name), *self._value()
            self._expect("]")

    def _peek(self) -> str:
        """The next character that is neither blank nor a comma."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise DataError(f"{self._path} ends too early; fetch the annotations again.")

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise DataError(f"{self._path} holds no annotations in COCO's format; give an instances_....json file.")
        self._at += 1

    def _value(self) -> tuple[int, int, Any]:
        self._peek()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                end = len(self._text)
            if end < len(self._text) or not self._more():  # a number at the end of a chunk may go on in the next
                break
        raw = self._text[self._at : end].encode("latin-1")
        start, self._at = self._base + self._at, end
        return start, len(raw), json.loads(raw)

    def _more(self) -> bool:
        chunk = self._stream.read(max(_CHUNK_BYTES, len(self._text) - self._at))  # doubling: a long value stays linear
        if len(self._text) - self._at > _MOST_RECORD_BYTES:
            raise DataError(f"{self._path} holds a value of more than {_MOST_RECORD_BYTES:,} bytes; check the file.")
        self._base += self._at
        self._text, self._at = self._text[self._at :] + chunk.decode("latin-1"), 0
        return bool(chunk)

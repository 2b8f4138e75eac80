"""Where a set of sketches keeps its drawings: files in folders, as their publishers lay them out, or many in one file.

==============================  ==============================================================================
layout                          what is taken
==============================  ==============================================================================
``<class>/*.png`` (any depth)   each file, of any kind that :mod:`edgegan_widget.sketch.trace` reads
``<class>.ndjson``, ``.bin``    Quick, Draw!: the first 2,000 drawings that its game recognised
``<class>_12.png``              where the folder is named after no class: by the file's own name
``svg/`` beside ``png/``        TU-Berlin: the same drawings twice; ``svg/`` is taken
``sketch/`` beside ``photo/``   Sketchy: photos are no sketches
``sketch/`` beside ``cartoon/`` PACS and DomainNet: nor are paintings, cartoons and clip art
``tx_000000000000/``, ...       Sketchy: the same drawings otherwise placed; the first of these folders is taken
==============================  ==============================================================================
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import is_sketch
from edgegan_widget.base.units import U8
from edgegan_widget.sketch.formats.quickdraw import BINARY, LINES, drawings_in, word_of
from edgegan_widget.sketch.trace import read_sketch, sketch_of

__all__ = [
    "KEPT_OF",
    "MOST_OF_FILE",
    "OnDisk",
    "broken_files",
    "drawings_below",
    "is_kept_for_testing",
    "read_drawing_of",
    "told_name",
]

log = logging.getLogger(__name__)

KEPT_OF = 3
MOST_OF_FILE = 2_000  # drawings of a file that holds many
_NO_SKETCHES = {
    "photo", "photos", "art_painting", "cartoon",  # PACS
    "real", "painting", "clipart", "infograph",  # DomainNet
}  # fmt: skip
_PLACED = re.compile(r"tx_\d{12}$")
_PUBLISHED = re.compile(r"^(full[_ -](simplified|raw|binary)[_ -])", re.IGNORECASE)
_NUMBERED = re.compile(r"[\s._()-]*\d[\d\s._()-]*$")


@dataclass(frozen=True)
class OneOf:
    """One of many drawings in a file: its number, and the bytes where it stands."""

    path: Path
    number: int
    at: int
    length: int

    @property
    def name(self) -> str:
        """As it is told."""
        return f"{self.path.name} {self.number}"

    def content(self) -> bytes:
        """Its part of the file."""
        with self.path.open("rb") as stream:
            stream.seek(self.at)
            return stream.read(self.length)


OnDisk = Path | OneOf  # one drawing on disk


def read_drawing_of(drawing: OnDisk, size_px: int) -> U8:
    """The drawing as the network's sketch, see :func:`~edgegan_widget.sketch.trace.read_sketch`."""
    if isinstance(drawing, Path):
        return read_sketch(drawing, size_px)
    return sketch_of(drawing.path.name, drawing.content(), size_px, told=drawing.name)


def is_kept_for_testing(drawing: OnDisk) -> bool:
    """Whether training leaves this drawing out; one in three is.

    It is where the SHA-256 digest of the file, or of its part of a file of many, read as a number, is divisible by
    three. So a drawing stays kept whatever it is called and wherever it is copied to.
    """
    facts = (drawing if isinstance(drawing, Path) else drawing.path).stat()
    return _is_kept(drawing, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=20_000)  # a form asks again at every change of a setting
def _is_kept(drawing: OnDisk, _size: int, _changed_ns: int) -> bool:
    content = drawing.read_bytes() if isinstance(drawing, Path) else drawing.content()
    return int(hashlib.sha256(content).hexdigest(), 16) % KEPT_OF == 0


def told_name(path: Path) -> str:
    """What a file's own name says that it shows: without numbers, and without what Quick, Draw! puts before it."""
    return _NUMBERED.sub("", _PUBLISHED.sub("", path.stem)) or path.stem


def drawings_below(root: Path) -> dict[str, tuple[OnDisk, ...]]:
    """Drawings in and below a folder, by the folder's name as ``set/folder``; a file of many stands for a folder."""
    found: dict[str, tuple[OnDisk, ...]] = {}
    for folder in [root, *sorted(_folders(root))]:
        name = folder.relative_to(root).as_posix() if folder != root else ""
        files = sorted(filter(is_sketch, folder.iterdir()))
        many = [path for path in files if path.suffix.lower() in (LINES, BINARY)]
        single = tuple(path for path in files if path not in set(many) and path.is_file())
        if single:
            found[name or root.name] = single
        for path in many:
            if members := _members(path, path.stat().st_size, path.stat().st_mtime_ns)[0]:
                word = (word_of(path) if path.suffix.lower() == LINES else None) or told_name(path)
                key = f"{name}/{word}" if name else word
                found[key] = (*found.get(key, ()), *members)
    return found


def broken_files(root: Path) -> list[str]:
    """A sentence for each file of many drawings, in and below a folder, that cannot be read and is left out."""
    found = [
        _members(path, path.stat().st_size, path.stat().st_mtime_ns)[1]
        for folder in [root, *sorted(_folders(root))]
        for path in sorted(folder.iterdir())
        if is_sketch(path) and path.suffix.lower() in (LINES, BINARY)
    ]
    return list(filter(None, found))


@functools.lru_cache(maxsize=1024)
def _members(path: Path, _size: int, _changed_ns: int) -> tuple[tuple[OneOf, ...], str]:
    """The drawings of a file of many; or none, and why."""
    try:
        places = list(drawings_in(path, MOST_OF_FILE + 1))
    except DataError as error:
        log.warning("left out: %s", error)
        return (), str(error)
    if len(places) > MOST_OF_FILE:
        log.info("%s holds more than %d drawings; the first %d are taken", path, MOST_OF_FILE, MOST_OF_FILE)
    return tuple(OneOf(path, number + 1, *place) for number, place in enumerate(places[:MOST_OF_FILE])), ""


def _folders(root: Path) -> Iterator[Path]:
    """All folders below, each once; links are followed, since sets that many use are often linked."""
    seen = {root.resolve()}
    for folder, below, _ in os.walk(root, followlinks=True):
        below[:] = [name for name in _taken(sorted(below)) if Path(folder, name).resolve() not in seen]
        seen.update(Path(folder, name).resolve() for name in below)
        yield from (Path(folder, name) for name in below)


def _taken(names: list[str]) -> list[str]:
    """Those of folders side by side that are looked into: none hidden, none twice, no photos beside sketches."""
    plain = {name.lower() for name in names}
    gone = {"png"} if {"svg", "png"} <= plain else set()
    if any(name.startswith("sketch") for name in plain):
        gone |= _NO_SKETCHES
    placed = [name for name in names if _PLACED.match(name)]
    return [name for name in names if name.lower() not in gone and name not in placed[1:] and not name.startswith(".")]

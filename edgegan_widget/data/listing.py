"""The records of a data folder, read once in order and then one by one: those of its manifest, or what lies in it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import is_picture
from edgegan_widget.data.audit_folder import FOUND
from edgegan_widget.data.finish import REFUSED
from edgegan_widget.data.journal import parts
from edgegan_widget.data.sources import SPLITS, Record, object_id

__all__ = ["Found", "Listed"]


class Listed:
    """Records of a manifest, found again by where their lines start."""

    def __init__(self, path: Path) -> None:
        self._path, self._starts = path, array("q")

    def read(self) -> Iterator[Record]:
        """All of them; has to be done once before any is asked for."""
        start = 0
        with self._path.open("rb") as stream:
            for raw in stream:
                self._starts.append(start)
                start += len(raw)
                yield self._parsed(raw)

    def record(self, number: int) -> Record:
        """Record ``number``, in the order in which they are read."""
        with self._path.open("rb") as stream:
            stream.seek(self._starts[number])
            return self._parsed(stream.readline())

    def _parsed(self, raw: bytes) -> Record:
        try:
            line: Record = json.loads(raw)
            names = (line["id"], line["class"], line["split"], line["file"])
            if not all(isinstance(name, str) for name in names) or not isinstance(line["audit"]["reasons"], dict):
                raise TypeError("a field is of another kind")
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._path} has a line that is none of a manifest ({error}); prepare or audit the folder again."
            ) from error
        return line


class Found:
    """Records of pictures that no manifest tells of, under the ids that the audit will give them."""

    def __init__(self, data: Path) -> None:
        self._data, self._files = data, list[str]()
        self._made_here = parts(data) not in ([], [FOUND])  # begun and not done: files are named by their ids

    def read(self) -> Iterator[Record]:
        """All of them; has to be done once before any is asked for."""
        for top in (self._data, self._data / REFUSED):
            for split in SPLITS:
                for folder in _folders(top / split):
                    files = (path.relative_to(self._data).as_posix() for path in folder.iterdir() if is_picture(path))
                    for file in sorted(files):
                        self._files.append(file)
                        yield self.record(len(self._files) - 1)

    def record(self, number: int) -> Record:
        """Record ``number``, in the order in which they are read."""
        file = self._files[number]
        place = file.removeprefix(f"{REFUSED}/")
        split, label, own = place.split("/")
        name = Path(own).stem if self._made_here else object_id(place)
        return {"id": name, "class": label, "split": split, "file": file, "audit": {"reasons": {}}}


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))

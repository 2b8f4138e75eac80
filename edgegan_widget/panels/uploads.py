"""Photos from the person's own machine: files, folders and zips that are dropped on the page or chosen there.

Messages
--------
From the browser, each answered by ``taken``, or by ``refused`` once an error was shown:

``begin``
    Files are to come.
``part``
    The next bytes of the file ``path``, as a buffer; ``first`` begins it.
``end``
    All have come.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import safe_join, telling
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.runs import new_folder
from edgegan_widget.panels.widgets import Say

__all__ = ["Uploads"]

MOST_BYTES = 4_000_000_000  # of one upload, unpacked
COPIED_AT_ONCE = 1 << 20


class Uploads(anywidget.AnyWidget):
    """A place to drop photos, folders of them or a zip; only pictures are kept.

    Parameters
    ----------
    root
        Where each upload gets a folder of its own.
    on_done
        Called with the folder of the pictures, once all have come.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    told
        What became of the last upload.
    """

    _esm = (Path(__file__).parent / "static" / "upload.js").read_text("utf-8")

    told = traitlets.Unicode().tag(sync=True)

    def __init__(self, root: Path, on_done: Callable[[Path], None], say: Say) -> None:
        self._root, self._on_done, self._say = root, on_done, say
        self._folder: Path | None = None  # the upload that is under way
        self._bytes = self._left_out = 0
        super().__init__()
        self.add_class("eg-upload")
        self.on_msg(self.hear)

    def hear(self, _widget: object, content: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """A message of the browser's."""
        try:
            if content["do"] == "begin":
                self._begin()
            elif content["do"] == "part":
                self._take(str(content["path"]), bool(content["first"]), bytes(buffers[0]))
            else:
                self._end()
        except Exception as error:
            self._forget()
            self._say(error)
            self.send({"do": "refused"})
        else:
            self.send({"do": "taken"})

    def _begin(self) -> None:
        self._forget()  # one that was broken off
        self._say(None)
        self.told, self._bytes, self._left_out = "", 0, 0
        self._folder = new_folder(self._root, "photos")

    def _forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def _take(self, name: str, first: bool, part: bytes) -> None:
        if self._folder is None:
            raise DataError("the upload was broken off; drop or choose the files again.")
        path = safe_join(self._folder, name)
        if not (is_picture(path) or _is_zip(path)):
            self._left_out += first
            return
        self._write(path, part, "wb" if first else "ab")

    def _write(self, path: Path, part: bytes, mode: str) -> None:
        self._bytes += len(part)
        if self._bytes > MOST_BYTES:
            raise DataError(
                f"the upload is larger than {MOST_BYTES / 1e9:g} GB, the most allowed; copy it to the machine and name "
                "its folder instead."
            )
        with telling(path, "written", "make room, and drop or choose the files again"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open(mode) as stream:
                stream.write(part)

    def _end(self) -> None:
        folder = self._folder
        if folder is None:
            raise DataError("the upload was broken off; drop or choose the files again.")
        for packed in [path for path in folder.rglob("*") if _is_zip(path)]:
            self._unpack(packed)
        count = sum(is_picture(path) for path in folder.rglob("*"))
        if not count:
            raise DataError("no picture was among the files; drop photos (PNG, JPEG, WebP), folders of them, or a zip.")
        self._folder = None
        left_out = f"; {self._left_out:,} other files were left out" if self._left_out else ""
        self.told = f"{count:,} picture{'s' if count > 1 else ''} received{left_out}."
        self._on_done(_top(folder))

    def _unpack(self, packed: Path) -> None:
        """Take the pictures out of a zip, and the zip away."""
        try:
            with zipfile.ZipFile(packed) as archive:
                for member in archive.infolist():
                    self._unpack_one(archive, member, packed.parent)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # broken, locked, or packed oddly
            raise DataError(f"{packed.name} cannot be unpacked ({error}); pack it anew as a plain zip.") from error
        packed.unlink()

    def _unpack_one(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
        if member.is_dir():
            return
        path = safe_join(folder, member.filename)
        if not is_picture(path):
            self._left_out += 1
            return
        for number, part in enumerate(_parts(archive, member)):  # counted as it comes: what a zip says may be wrong
            self._write(path, part, "ab" if number else "wb")


def _parts(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as stream:
        while part := stream.read(COPIED_AT_ONCE):
            yield part


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and not path.name.startswith(".")


def _top(folder: Path) -> Path:
    """The folder of class folders: below folders that hold a single folder of folders and nothing else."""
    while True:
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or not any(each.is_dir() for each in entries[0].iterdir()):
            return folder
        folder = entries[0]

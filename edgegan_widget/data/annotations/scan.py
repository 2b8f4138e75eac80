"""An annotations file of any length, read without holding it whole: each list's elements, and where they stand."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from edgegan_widget.base.errors import DataError

__all__ = ["LISTS", "AnnotationFile"]

_CHUNK_BYTES = 1 << 20
_MOST_RECORD_BYTES = 64_000_000
LISTS = ("images", "annotations", "categories")
_GZIP = b"\x1f\x8b"
_BLANK = re.compile(r"[\s,]*")


class AnnotationFile:
    """A JSON object of lists, in UTF-8, UTF-16 or UTF-32, with or without a byte-order mark, packed by gzip or not.

    Parameters
    ----------
    path
        Of the file.

    Attributes
    ----------
    keys
        What stands at the top of the file, known once :meth:`records` has come to its end.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.keys = path, list[str]()
        self._plain: IO[bytes] | None = None  # the same in UTF-8 and unpacked, where the file is not

    def records(self) -> Iterator[tuple[str, int, int, Any]]:
        """Every element of every list at the top of the file, in its order.

        Yields
        ------
        Name of the list, first byte and length of the element (for :meth:`read`), the element.

        Raises
        ------
        DataError
            The file is missing, or is no JSON object.
        """
        try:
            with self.opened() as stream:
                yield from _Scanner(self.path, stream, self.keys).elements()
        except (OSError, ValueError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            if isinstance(error, UnicodeDecodeError):
                raise DataError(f"{self.path} is in none of Unicode's encodings; save it as UTF-8.") from error
            raise DataError(
                f"{self.path} cannot be read as annotations in COCO's format ({error}); check the file."
            ) from error

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file's bytes in UTF-8, unpacked."""
        with self.path.open("rb") as stream:
            head = stream.read(4)
            encoding = "gzip" if head.startswith(_GZIP) else json.detect_encoding(head)
            if encoding.startswith("utf-8"):
                stream.seek(0)
                yield stream
                return
        if self._plain is None:
            self._plain = self._as_utf8(encoding)
        yield self._plain

    def _as_utf8(self, encoding: str) -> IO[bytes]:
        plain = tempfile.TemporaryFile()  # noqa: SIM115 - kept as long as this object is
        weakref.finalize(self, plain.close)
        if encoding == "gzip":
            with gzip.open(self.path) as packed:
                shutil.copyfileobj(packed, plain, _CHUNK_BYTES)
            return plain
        with self.path.open("r", encoding=encoding) as stream:
            while text := stream.read(_CHUNK_BYTES):
                plain.write(text.encode("utf-8", "surrogatepass"))
        return plain

    @staticmethod
    def read(stream: IO[bytes], start: int, length: int) -> Any:
        """Read one element again."""
        stream.seek(start)
        return json.loads(stream.read(length))


class _Scanner:
    """Reads the file as Latin-1, where characters are bytes; elements are decoded again as UTF-8."""

    def __init__(self, path: Path, stream: IO[bytes], keys: list[str]) -> None:
        self._path, self._stream, self._keys = path, stream, keys
        stream.seek(0)
        self._text, self._at, self._base = "", 0, 0
        if stream.read(3) == codecs.BOM_UTF8:
            self._base = 3
        else:
            stream.seek(0)
        self._decoder = json.JSONDecoder()

    def elements(self) -> Iterator[tuple[str, int, int, Any]]:
        self._expect("{")
        while self._peek() != "}":
            name = str(self._value()[2])
            self._keys.append(name)
            self._expect(":")
            if self._peek() != "[":
                value = self._value()[2]
                if name in LISTS and isinstance(value, dict):
                    raise DataError(f"{self._path}: its {name} are an object and no list; export it as COCO instances.")
                continue
            self._expect("[")
            while self._peek() != "]":
                yield name, *self._value()
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

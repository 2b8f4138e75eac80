"""The records of a large JSON file (COCO's annotations: hundreds of megabytes) without holding it in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import DataError

__all__ = ["read_record", "records"]

_CHUNK_BYTES = 1 << 20
_MOST_RECORD_BYTES = 64_000_000
_BLANK = re.compile(r"[\s,]*")


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

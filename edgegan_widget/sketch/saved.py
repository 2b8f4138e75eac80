"""A file that holds a drawing as lines -> its strokes, whichever program wrote it."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.formats import format_of, known
from edgegan_widget.sketch.formats.quickdraw import BINARY, strokes_of_binary
from edgegan_widget.sketch.stroke import Stroke
from edgegan_widget.sketch.svg.document import MOST_BYTES, unzipped
from edgegan_widget.sketch.svg.reader import strokes_of_svg

__all__ = ["SAVED_SUFFIXES", "saved_strokes"]

log = logging.getLogger(__name__)

SAVED_SUFFIXES = (".json", ".svg", ".svgz", *(suffix for kind in known() for suffix in kind.suffixes))
_ARRAYS = b"\x93NUMPY"
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of UTF-8 and UTF-16


def saved_strokes(name: str, content: bytes) -> tuple[Stroke, ...] | None:
    """Strokes of a saved drawing, none where it is empty; None where the file is no such thing, but may be a picture.

    What the content is counts before what it is called.

    Raises
    ------
    DataError
        It is damaged, or no drawing of a program that is known.
    """
    suffix = "." + name.lower().rpartition(".")[2]
    if not content.strip():
        raise DataError("the file is empty; save the drawing anew.")
    if content.startswith(_ARRAYS) or suffix == ".npz":
        raise DataError(
            "arrays of NumPy (sketch-rnn's and Quick, Draw!'s .npz and .npy) are not read as drawings; give the same "
            "drawings as .ndjson, which Quick, Draw! offers too, or as pictures."
        )
    if suffix == BINARY:
        return strokes_of_binary(content)
    content = unzipped(content)
    start = content[:64].lstrip(b"".join(_MARKS) + b" \t\r\n\0")[:1]
    if start == b"<" or suffix in (".svg", ".svgz"):
        return strokes_of_svg(content)
    if start in (b"{", b"[") or suffix in SAVED_SUFFIXES:
        return _strokes_of_json(content)
    return None


def _strokes_of_json(content: bytes) -> tuple[Stroke, ...]:
    try:
        document = _first(content)
        kind = format_of(document)
    except (ValueError, RecursionError) as error:
        raise DataError(f"this is no whole JSON ({error}); save the drawing anew.") from error
    if kind is None:
        programs = ", ".join(each.program for each in known())
        raise DataError(f"this JSON is not a saved drawing that can be read ({programs}); save it as SVG.")
    try:
        with np.errstate(all="ignore"):  # numbers too large to reckon with are left out where lines are made
            return kind.strokes(document)
    except DataError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"this drawing of {kind.program} is damaged ({why}); save it anew.") from error


def _first(content: bytes) -> Any:
    """The document, or the first of several that follow each other, as in ndjson."""
    if len(content) > MOST_BYTES:
        raise DataError(f"the drawing has more than {MOST_BYTES:,} bytes, the most allowed; save it in parts.")
    text = content.decode(json.detect_encoding(content)).lstrip("\ufeff \t\r\n")
    document, end = json.JSONDecoder().raw_decode(text)
    several = (
        isinstance(document, list)
        and len(document) > 1
        and all(isinstance(each, dict) and "drawing" in each for each in document)
    )
    if text[end:].strip() or several:
        log.warning("the file holds several drawings; the first is read, the others are left out.")
    return document

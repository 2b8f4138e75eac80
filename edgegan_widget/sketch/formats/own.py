"""Drawings that the pad saved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.formats import Format, register
from edgegan_widget.sketch.stroke import Stroke, strokes_from

__all__ = ["FORMAT", "json_of_strokes", "strokes_of_json"]

FORMAT = "edgegan-widget drawing"
_ADVICE = "give a drawing that the pad saved, or one of Quick, Draw!, fabric.js, Excalidraw or tldraw."


def json_of_strokes(strokes: Iterable[Stroke], note: Mapping[str, Any] | None = None) -> str:
    """JSON: ``{"format", "version", "strokes": [{"tool", "width", "points": [[x, y, t, p], ...]}, ...]}``."""
    items = [{"tool": stroke.tool, "width": stroke.width, "points": stroke.points.tolist()} for stroke in strokes]
    content = {"format": FORMAT, "version": 1, "strokes": items}
    return json.dumps(content if note is None else content | {"look": dict(note)})


def strokes_of_json(text: str | bytes) -> tuple[Stroke, ...]:
    """The strokes that :func:`json_of_strokes` wrote.

    Raises
    ------
    DataError
        The text is no such drawing.
    """
    try:
        return _strokes(json.loads(text))
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"this is not a saved drawing ({type(error).__name__}); {_ADVICE}") from error


def _strokes(content: Any) -> tuple[Stroke, ...]:
    if content["format"] != FORMAT:
        raise DataError(f"the file's format is {content['format']!r}; a drawing saved here has {FORMAT!r}.")
    if content["version"] != 1:
        raise DataError(f"the drawing has version {content['version']!r}; this program reads version 1.")
    return strokes_from(content["strokes"])


def _is_own(document: Any) -> bool:
    return isinstance(document, dict) and "format" in document


register(Format("own", "the pad", (), _is_own, _strokes))

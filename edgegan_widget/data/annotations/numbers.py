"""Numbers as programs write them: whole ones as 19, 19.0 or "19"; ids also as any text."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Ids", "whole"]

_MOST = 2**62
_FIRST_TEXT = -(2**61)  # ids that are no numbers count up from here


def whole(value: Any) -> int | None:
    """A whole number, whether as int, float or text; None where it is none.

    Examples
    --------
    >>> whole(400), whole("400.0"), whole(19.5), whole(True)
    (400, 400, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        try:
            value = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
        except ValueError:
            return None
    if not math.isfinite(value) or value != int(value) or abs(value) >= _MOST:
        return None
    return int(value)


class Ids:
    """The ids of a file as whole numbers, those that are text included; a number and its text are the same id."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}

    def number(self, value: Any) -> int | None:
        """An id's number; None where ``value`` can be none."""
        found = whole(value)
        if found is not None or not isinstance(value, str) or not value.strip():
            return found
        return self._texts.setdefault(value.strip(), _FIRST_TEXT + len(self._texts))

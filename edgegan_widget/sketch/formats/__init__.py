"""Drawings that programs save as data: one file a program, registered by what it declares.

Readers know a format by its :class:`Format` alone. To add one is to add a file here that calls :func:`register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.registry import Registry
from edgegan_widget.sketch.stroke import Stroke

__all__ = ["Format", "beside_lines", "format_of", "known", "number", "register"]


@dataclass(frozen=True)
class Format:
    """A kind of saved drawing.

    Attributes
    ----------
    name, program
        Short name; who writes it, as it is told.
    suffixes
        Of its files, ``.json`` left out.
    is_of
        Whether parsed JSON is of this kind.
    strokes
        Parsed JSON -> strokes in fractions of the pad; empty for an empty drawing.
    """

    name: str
    program: str
    suffixes: tuple[str, ...]
    is_of: Callable[[Any], bool]
    strokes: Callable[[Any], tuple[Stroke, ...]]


def number(item: Mapping[str, Any], name: str, default: float) -> float:
    """A number of a part of a drawing; the default where it is missing or ``null``, as some programs write it."""
    given = item.get(name)
    return default if given is None else float(given)


def beside_lines(items: Iterable[Any], names: Mapping[str, str], program: str) -> None:
    """Refuse a drawing that shows no lines, but something else: its parts' types are looked up in ``names``.

    Raises
    ------
    DataError
        One of them is found.
    """
    kinds = [str(each.get("type", "")).lower() for each in items if isinstance(each, Mapping)]
    if found := list(dict.fromkeys(names[kind] for kind in kinds if kind in names)):
        raise DataError(f"the drawing of {program} shows no lines, but {' and '.join(found)}; draw lines in it.")


REGISTRY: Registry[Format] = Registry(__name__, order=("own",))
register = REGISTRY.register


def known() -> tuple[Format, ...]:
    """All kinds, this package's own first."""
    return tuple(REGISTRY.known().values())


def format_of(document: Any) -> Format | None:
    """The kind that parsed JSON is of, or None."""
    return next((kind for kind in known() if kind.is_of(document)), None)

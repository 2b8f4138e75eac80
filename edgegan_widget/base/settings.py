"""What a setting is: a field of a frozen dataclass with meaning and range, checked when made.

JSON (here), command line (:mod:`edgegan_widget.base.options`) and forms (:mod:`edgegan_widget.panels.forms`) are made
of the same fields, so that meaning and range are written in one place only, beside the setting's user.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from edgegan_widget.base.errors import ConfigError

__all__ = [
    "KINDS", "Kind", "Settings", "about", "advanced", "check_needed", "check_settings", "from_json", "from_record",
    "label_of", "least_of", "parts_of", "range_of", "setting", "to_json",
]  # fmt: skip


class Settings(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


Config = TypeVar("Config", bound=Settings)
Field = dataclasses.Field[Any]


@dataclass(frozen=True)
class Kind:
    """What follows from the type of a setting: Python's types, what the command line reads, and what a form shows."""

    types: tuple[type, ...]
    reads: Mapping[str, Any]  # keywords of argparse
    shows: str


KINDS: dict[str, Kind] = {  # by the type as it is written
    "str": Kind((str,), {"metavar": "TEXT"}, "text"),
    "int": Kind((int,), {"type": int, "metavar": "N"}, "whole"),
    "float": Kind((int, float), {"type": float, "metavar": "X"}, "number"),
    "bool": Kind((bool,), {}, "tick"),
    "tuple[str, ...]": Kind((tuple,), {"nargs": "+", "metavar": "NAME"}, "lines"),
}


def setting(
    default: Any,
    meaning: str,
    *,
    label: str = "",
    option: str = "",
    metavar: str = "",
    allowed: tuple[object, ...] = (),
    least: float | None = None,
    most: float | None = None,
    advanced: bool = False,
    needed: bool = False,
    path: bool = False,
) -> Any:
    """A field of settings with what command line and forms say about it, and what is checked.

    Parameters
    ----------
    default, meaning
        Its value where none is given, and what it is, in a sentence.
    label, option, metavar
        How a form and the command line call it, where that does not follow from its name.
    allowed, least, most
        Its values, or its range.
    advanced
        Folded away in forms.
    needed
        It must not be left empty; see :func:`check_needed`.
    path
        It names a file or folder.
    """
    told = {
        "meaning": meaning, "label": label, "option": option, "metavar": metavar, "allowed": allowed, "least": least,
        "most": most, "advanced": advanced, "needed": needed, "path": path,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=told)


advanced = functools.partial(setting, advanced=True)


def about(field: Field, what: str) -> Any:
    """What :func:`setting` was told of a field; for a field that was made otherwise what is usual."""
    return field.metadata.get(what, () if what == "allowed" else None)


def label_of(field: Field) -> str:
    """What a form calls it."""
    return str(about(field, "label") or field.name.replace("_", " ").capitalize())


def range_of(field: Field) -> str:
    """``at least 1``, ``0 to 4``, or nothing."""
    least, most = about(field, "least"), about(field, "most")
    if least is None and most is None:
        return ""
    return f"at least {least:g}" if most is None else f"{least:g} to {most:g}"


def least_of(kind: type[Settings], name: str) -> int:
    """The least whole number that a setting may be."""
    return int(about(kind.__dataclass_fields__[name], "least"))


def parts_of(kind: type[Settings]) -> dict[str, type[Settings]]:
    """Fields that hold settings of their own, by name."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(kind)
        if dataclasses.is_dataclass(hints[field.name])
    }


def check_settings(config: Settings) -> None:
    """Hold each field of a frozen dataclass that was made with :func:`setting` against it.

    Raises
    ------
    ConfigError
        A value is out of its range, or of another type.
    """
    for field in dataclasses.fields(config):
        if about(field, "meaning") is not None:
            _check(field, getattr(config, field.name))


def _check(field: Field, value: Any) -> None:
    types, meaning = KINDS[str(field.type)].types, about(field, "meaning")
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ConfigError(f"{field.name} is {value!r}; it must be of type {field.type} ({meaning}).")
    allowed = about(field, "allowed")
    if allowed and value not in allowed:
        raise ConfigError(f"{field.name} is {value!r}; allowed are {', '.join(map(repr, allowed))}.")
    least, most = about(field, "least"), about(field, "most")
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        ends = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        raise ConfigError(f"{field.name} is {value}; it must be {ends} ({meaning}).")


def check_needed(config: Settings, what: str) -> None:
    """Raise a :class:`ConfigError` where a needed setting of ``what`` is empty."""
    for field in dataclasses.fields(config):
        if about(field, "needed") and not str(getattr(config, field.name)).strip():
            raise ConfigError(f"{label_of(field)} of {what} is empty; name the {about(field, 'meaning')}.")


def to_json(config: Settings) -> str:
    """Settings as indented JSON, one field a line, in the order of the class."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[Config], text: str) -> Config:
    """Settings from :func:`to_json`; a field that is unknown or missing is a :class:`ConfigError`."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"the settings are not valid JSON ({error}); restore the file or write it anew.") from error
    return from_record(kind, record)


def from_record(kind: type[Config], record: object) -> Config:
    """Settings from what ``dataclasses.asdict`` or JSON made of them, those inside them included."""
    if not isinstance(record, Mapping):
        raise ConfigError(f"the settings are a {type(record).__name__}; a JSON object with named fields is needed.")
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(record) - known)
    if unknown:
        raise ConfigError(f"unknown settings {', '.join(unknown)}; {kind.__name__} knows {', '.join(sorted(known))}.")
    try:
        return kind(**dict(_values(kind, record)))
    except TypeError as error:
        raise ConfigError(f"the settings do not fit {kind.__name__}: {error}.") from error


def _values(kind: type[Settings], record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parts = parts_of(kind)
    for name, value in record.items():
        yield name, from_record(parts[name], value) if name in parts else _tuples(value)


def _tuples(value: Any) -> Any:
    """Lists, which JSON makes of tuples, as tuples again."""
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value

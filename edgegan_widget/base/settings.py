"""What a setting is: a field of a frozen dataclass with meaning and range, checked when made; JSON in and out.

Command line and forms are made of the same fields, so that meaning and range are written in one place only.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from edgegan_widget.base.errors import ConfigError

__all__ = ["at_least", "check_settings", "from_json", "one_of", "setting", "to_json"]


class Settings(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


Config = TypeVar("Config", bound=Settings)


def setting(
    default: Any,
    meaning: str,
    *,
    allowed: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    advanced: bool = False,
) -> Any:
    """A field of settings with what command line and panel say about it, and what is checked."""
    about = {
        "meaning": meaning, "allowed": allowed, "least": least, "most": most, "advanced": advanced,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=about)


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise a :class:`ConfigError` unless the value is one of those allowed."""
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; allowed are {', '.join(map(repr, allowed))}.")


def at_least(name: str, value: int, least: int) -> None:
    """Raise a :class:`ConfigError` unless the value is large enough."""
    if value < least:
        raise ConfigError(f"{name} is {value}; it must be at least {least}.")


def check_settings(config: Settings) -> None:
    """Hold each field of a frozen dataclass against its :func:`setting`.

    Raises
    ------
    ConfigError
        A value is out of its range, or of another type.
    """
    for field in dataclasses.fields(config):
        _check(field, getattr(config, field.name))


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    about = field.metadata
    kinds: dict[str, tuple[type, ...]] = {
        "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "tuple[str, ...]": (tuple,),
    }  # fmt: skip
    kind = kinds[str(field.type)]
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
        raise ConfigError(f"{field.name} is {value!r}; it must be of type {field.type} ({about['meaning']}).")
    if about["allowed"]:
        one_of(field.name, value, about["allowed"])
    least, most = about["least"], about["most"]
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        ends = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        raise ConfigError(f"{field.name} is {value}; it must be {ends} ({about['meaning']}).")


def to_json(config: Settings) -> str:
    """Settings as indented JSON, one field a line, in the order of the class."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[Config], text: str) -> Config:
    """Settings from :func:`to_json`; a field that is unknown or missing is a :class:`ConfigError`."""
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"the settings are not valid JSON ({error}); restore the file or write it anew.") from error
    if not isinstance(fields, Mapping):
        raise ConfigError(f"the settings are a {type(fields).__name__}; a JSON object with named fields is needed.")
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ConfigError(f"unknown settings {', '.join(unknown)}; {kind.__name__} knows {', '.join(sorted(known))}.")
    values: dict[str, Any] = dict(fields)
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"the settings do not fit {kind.__name__}: {error}.") from error

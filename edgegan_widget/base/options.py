"""Options of the command line, made from settings: a flag for each field, with its meaning, range and default."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from edgegan_widget.base.settings import KINDS, Field, Settings, about, parts_of, range_of

__all__ = ["add_command", "add_options", "chosen", "flag", "given", "path"]

Config = TypeVar("Config", bound=Settings)


def path(text: str) -> Path:
    """A path as it was typed, for argparse: ``~`` is one's own folder, also behind an equals sign or in quotes."""
    return Path(text).expanduser()


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    """Add a command that calls ``run`` with its options."""
    command = commands.add_parser(name, help=text)
    command.set_defaults(run=run)
    return command


def add_options(
    parser: argparse._ActionsContainer,
    kind: type[Settings],
    without: Collection[str] = (),
    default: Callable[[Field], str] = lambda field: _shown(field.default),
    note: Callable[[Field], str] = lambda field: "",  # noqa: ARG005
    choices: Mapping[str, Collection[object]] | None = None,
) -> None:
    """Add an option for each field that was made with :func:`~edgegan_widget.base.settings.setting`.

    Parameters
    ----------
    parser
        A command or a group of one.
    kind
        The settings; those inside them get their options as well.
    without
        Fields that are asked for otherwise.
    default
        What the help says of a field where no value is given.
    note
        What the help says beside a field's meaning.
    choices
        Values of a field that are known only now.
    """
    for field, part in _fields(kind):
        if part is not None:
            add_options(parser, part, without, default, note, choices)
        elif field.name not in without:
            allowed = (choices or {}).get(field.name) or about(field, "allowed")
            said = filter(None, [about(field, "meaning"), note(field), "" if allowed else range_of(field)])
            needed = bool(about(field, "needed"))
            text = "; ".join(said) if needed else f"{'; '.join(said)} (default: {default(field)})"
            reads = _reads(field, allowed) | {"help": text.replace("%", "%%")}
            if flag(field).startswith("-"):
                parser.add_argument(flag(field), dest=field.name, default=None, required=needed, **reads)
            else:
                parser.add_argument(field.name, **reads)


def flag(field: Field) -> str:
    """The option of a field; without a dash at its begin it is asked for by its place."""
    return str(about(field, "option") or "--" + field.name.replace("_", "-"))


def given(options: argparse.Namespace, kind: type[Settings]) -> dict[str, Any]:
    """The values that were given on the command line, by field; those of settings inside by theirs."""
    values = {field.name: getattr(options, field.name, None) for field, part in _fields(kind) if part is None}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if value is not None
    }


def chosen(options: argparse.Namespace, base: Config) -> Config:
    """``base`` with what was given on the command line."""
    inside = {name: chosen(options, getattr(base, name)) for name in parts_of(type(base))}
    return dataclasses.replace(base, **inside, **given(options, type(base)))


def _fields(kind: type[Settings]) -> Iterator[tuple[Field, type[Settings] | None]]:
    parts = parts_of(kind)
    for field in dataclasses.fields(kind):
        if field.name in parts or about(field, "meaning") is not None:
            yield field, parts.get(field.name)


def _reads(field: Field, allowed: Collection[object]) -> dict[str, Any]:
    if allowed:
        return {"choices": list(allowed)} | ({"type": int} if str(field.type) == "int" else {})
    if str(field.type) == "bool":
        return {"action": argparse.BooleanOptionalAction}
    reads = dict(KINDS[str(field.type)].reads)
    return reads | {"metavar": about(field, "metavar")} if about(field, "metavar") else reads


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(value) if isinstance(value, tuple) and value else str(value) if value not in ("", ()) else "none"

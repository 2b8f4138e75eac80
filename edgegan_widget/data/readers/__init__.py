"""Readers: one file a kind of source, which declares what it has to be told; command line and form follow from that.

To add one is to add a file here that calls :func:`register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.settings import Settings
from edgegan_widget.data.sources import Source

__all__ = ["LEFT_OUT", "ReaderKind", "kind_of", "kinds", "path_of", "register", "split_names"]

LEFT_OUT = "left out: "


@dataclass(frozen=True)
class ReaderKind:
    """A kind of source.

    Attributes
    ----------
    name
        As plans keep it; also the part of the data folder that it fills.
    title
        For people.
    command, about
        The command below ``edgegan-widget data``, and its help.
    options
        What it has to be told: a class of settings.
    read
        Options and data folder -> sources; may have ``problems``, a list of sentences.
    before
        What is to be done before, given the same: yields after each part of it.
    after
        What is to be done once the folder is prepared, given options and sources: sentences to tell, those of what
        could not be used after :data:`LEFT_OUT`.
    keeps_refused
        Whether what the audit refuses is marked only, where nothing else is said.
    """

    name: str
    title: str
    command: str
    about: str
    options: type[Settings]
    read: Callable[[Any, Path], Iterable[Source]]
    before: Callable[[Any, Path], Iterator[None]] | None = None
    after: Callable[[Any, Any], Iterable[str]] | None = None
    keeps_refused: bool = False


REGISTRY: Registry[ReaderKind] = Registry(__name__, ("coco", "folder", "sketchycoco", "pairs", "synthetic"))
register = REGISTRY.register


def kinds() -> dict[str, ReaderKind]:
    """All readers by name, in the order in which they are offered."""
    return REGISTRY.known()


def kind_of(name: str) -> ReaderKind:
    """The reader of this name.

    Raises
    ------
    ConfigError
        There is none.
    """
    known = kinds()
    if name not in known:
        raise ConfigError(f"pictures are to come from {name!r}; allowed are {', '.join(map(repr, known))}.")
    return known[name]


def split_names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def path_of(text: str) -> Path:
    """A path as it was typed."""
    return Path(text.strip()).expanduser()

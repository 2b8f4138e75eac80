"""Readers: one file a kind of source, which declares what it has to be told; command line and form follow from that.

To add one is to add a file here that calls :func:`register`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan_widget.base.registry import Registry
from edgegan_widget.base.settings import Settings
from edgegan_widget.base.words import class_named
from edgegan_widget.data.sources import Source

__all__ = ["LEFT_OUT", "ReaderKind", "kind_of", "kinds", "path_of", "register", "split_names", "whole_names"]

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
    doing
        What that is, for who waits.
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
    doing: str = ""


REGISTRY: Registry[ReaderKind] = Registry(
    __name__, ("coco", "labels", "folder", "sketchycoco", "pairs", "synthetic"), asked="pictures are to come from"
)
register, kinds, kind_of = REGISTRY.register, REGISTRY.known, REGISTRY.named


def split_names(text: str) -> tuple[str, ...]:
    """Names with commas between; one that holds a comma stands in double quotes."""
    names = next(csv.reader([" ".join(text.split())], skipinitialspace=True), [])
    return tuple(name.strip() for name in names if name.strip())


def whole_names(given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Names that were split at a comma they hold, whole again where ``known`` has them so."""
    found, rest = list[str](), list(given)
    while rest:
        joined = (count for count in range(len(rest), 1, -1) if class_named(", ".join(rest[:count]), known))
        count = next(joined, 1)
        found.append(", ".join(rest[:count]))
        rest = rest[count:]
    return tuple(found)


def path_of(text: str) -> Path:
    """A path as it was typed."""
    return Path(text.strip()).expanduser()

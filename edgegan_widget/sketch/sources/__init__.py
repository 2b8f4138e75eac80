"""Edge sources: one file a way to draw a picture as an edge map or a sketch, registered by what it declares.

Command line, forms, schedules and training know a source by its :class:`EdgeSource` alone. To add one is to add a file
here that calls :func:`register`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.units import U8

__all__ = ["Asked", "EdgeSource", "always_drawn", "find", "names", "register", "takes_file", "told"]


@dataclass(frozen=True)
class Asked:
    """How a picture is to be drawn.

    Attributes
    ----------
    detail
        0 to 4: 1 as published or trained on, below it fewer inner lines, above it more.
    line_px
        Width of lines in the picture's pixels.
    mask_u8
        Where the object is, uint8 [H, W], above 127 on it; None is whatever is not white paper.
    given
        What follows the source's name: ``7`` of ``person=7``.
    """

    detail: float
    line_px: float
    mask_u8: U8 | None = None
    given: str = ""


@dataclass(frozen=True)
class EdgeSource:
    """One way to draw a picture.

    Attributes
    ----------
    name, meaning
        As it is asked for; what it draws, in a few words.
    draw
        Picture uint8 [H, W, 3] -> uint8 [H, W], 255 is paper.
    takes
        ``FILE``: a file has to follow, as ``name=FILE``, and edge maps are slow, so that they are worth keeping;
        ``SEED``: a whole number may. Empty: nothing does.
    always
        Drawn of every training picture, named or not.
    line_share
        Usual width of lines, as a share of the picture's longer side.
    """

    name: str
    meaning: str
    draw: Callable[[U8, Asked], U8]
    takes: str = ""
    always: bool = False
    line_share: float = 1 / 64  # one pixel once reduced to 64

    @property
    def written(self) -> str:
        """How it is asked for."""
        return {"": self.name, "FILE": f"{self.name}=FILE", "SEED": f"{self.name} or {self.name}=SEED"}[self.takes]


REGISTRY: Registry[EdgeSource] = Registry(__name__)
register = REGISTRY.register


def _known() -> dict[str, EdgeSource]:
    return dict(sorted(REGISTRY.known().items(), key=lambda item: not item[1].always))


def names() -> tuple[str, ...]:
    """All sources by name, those that are always drawn first."""
    return tuple(_known())


def always_drawn() -> tuple[str, ...]:
    """Names of the sources whose edge maps every training picture has, in the order of their planes."""
    return tuple(name for name, source in _known().items() if source.always)


def told() -> str:
    """All sources as they are asked for, for help texts."""
    return ", ".join(source.written for source in _known().values())


def takes_file(asked: str) -> bool:
    """Whether the source, with or without what follows its name, needs a file; such a one is slow as well."""
    source = _known().get(asked.partition("=")[0])
    return source is not None and source.takes == "FILE"


def find(asked: str) -> tuple[EdgeSource, str]:
    """The source that ``name`` or ``name=MORE`` asks for, and what follows its name.

    Raises
    ------
    ConfigError
        There is none of that name, or what follows does not fit it.
    """
    name, _, given = asked.partition("=")
    source = _known().get(name)
    if source is None or (given and not source.takes):
        raise ConfigError(f"the source of edges is {asked!r}; choose one or more of {', '.join(names())}.")
    if source.takes == "FILE" and not given:
        raise ConfigError(f"the source of edges is {asked!r}; write {name}=FILE with the file of its weights.")
    if source.takes == "SEED" and given and not given.isdecimal():
        raise ConfigError(f"the source of edges is {asked!r}; write {name} or {name}=SEED with a whole number.")
    return source, given

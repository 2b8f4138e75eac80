"""Ways to fill a hole in a photo: one file each, registered by what it declares.

:func:`edgegan_widget.photo.erase` knows a way by its :class:`Method` alone. To add one is to add a file here that calls
:func:`register`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.units import U8

__all__ = ["Bools", "Hole", "Method", "find", "names", "register", "told"]

Bools = np.ndarray  # bool [H, W]


@dataclass(frozen=True, eq=False)
class Hole:
    """What is to be filled, cut out of the photo with some of its surroundings.

    Attributes
    ----------
    photo_u8
        uint8 [h, w, 3]; what lies in the hole is not to be looked at.
    inside
        bool [h, w], true in the hole; neither empty nor everywhere true.
    never
        bool [h, w], true where nothing may be copied from.
    given
        What follows the method's name: the file of ``name=FILE``.
    told
        To be called with the share that is done, from 0 to 1; it raises where the user stops.
    """

    photo_u8: U8
    inside: Bools
    never: Bools
    given: str
    told: Callable[[float], None]


@dataclass(frozen=True)
class Method:
    """One way to fill a hole.

    Attributes
    ----------
    name, meaning
        As it is asked for; how it fills, in a few words.
    fill
        :class:`Hole` -> uint8 [h, w, 3]; only what it says inside the hole is taken.
    takes
        ``FILE`` or ``FOLDER`` where one has to follow the name, as ``name=FILE``.
    around
        How much of its surroundings it sees on each side, as a share of the hole's own height and width.
    around_px
        The least of it in pixels.
    """

    name: str
    meaning: str
    fill: Callable[[Hole], U8]
    takes: str = ""
    around: float = 0.5
    around_px: int = 16

    @property
    def written(self) -> str:
        """How it is asked for."""
        return f"{self.name}={self.takes}" if self.takes else self.name


REGISTRY: Registry[Method] = Registry(__name__, order=("shiftmap", "telea", "ns", "lama", "diffusers"))
register = REGISTRY.register


def names() -> tuple[str, ...]:
    """All methods by name, the usual one first."""
    return tuple(REGISTRY.known())


def told() -> str:
    """All methods as they are asked for, for help texts."""
    return ", ".join(method.written for method in REGISTRY.known().values())


def find(asked: str) -> tuple[Method, str]:
    """The method that ``name`` or ``name=FILE`` asks for, and what follows its name.

    Raises
    ------
    ConfigError
        There is none of that name, or what follows does not fit it.
    """
    name, _, given = asked.partition("=")
    method = REGISTRY.known().get(name)
    if method is None or (given and not method.takes):
        raise ConfigError(f"the method of erasing is {asked!r}; choose one of {told()}.")
    if method.takes and not given:
        raise ConfigError(f"the method of erasing is {asked!r}; write {method.written}.")
    return method, given

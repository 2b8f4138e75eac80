"""What extensions are registered in: found as files of a room, which are loaded when the first of them is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from edgegan_widget.base.errors import ConfigError

__all__ = ["Registry"]


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...


Item = TypeVar("Item", bound=Named)


class Registry(Generic[Item]):
    """Extensions of one kind by name.

    Parameters
    ----------
    room
        Package whose modules register themselves; to add an extension is to add a module there.
    order
        What comes first, in this order; other modules follow by name.
    packages
        Whether extensions are the room's packages alone, and its modules what they share.
    asked
        How the sentence begins that a name is not known: ``preset is``.
    gone
        Names that there once were, and what became of them.

    Attributes
    ----------
    items
        What is registered so far; those of the room once :meth:`known` was asked.
    """

    def __init__(
        self,
        room: str,
        order: tuple[str, ...] = (),
        packages: bool = False,
        asked: str = "the name is",
        gone: Mapping[str, str] | None = None,
    ) -> None:
        self.items: dict[str, Item] = {}
        self._places = {name: place for place, name in enumerate(order)}
        self._room, self._packages, self._loaded = room, packages, False
        self._asked, self._gone = asked, gone or {}

    def register(self, item: Item) -> Item:
        """Make an extension known by its name."""
        self.items[item.name] = item
        return item

    def modules(self) -> list[str]:
        """Names of the room's modules, none of which is loaded for it; one that begins with _ is what they share."""
        room = importlib.import_module(self._room).__path__
        every = [module for module in pkgutil.iter_modules(room) if not module.name.startswith("_")]
        found = [module.name for module in every if module.ispkg or not self._packages]
        return sorted(found, key=lambda name: (self._place(name), name))

    def known(self) -> dict[str, Item]:
        """All extensions by name, those first that are to come first."""
        if not self._loaded:
            for name in self.modules():
                importlib.import_module(f"{self._room}.{name}")
            self._loaded = True
        return dict(sorted(self.items.items(), key=lambda item: self._place(item[0])))

    def one_by_one(self, name: str | None = None) -> Iterator[Item]:
        """All extensions, those first that are to come first, or that of a name; each is loaded when its turn comes.

        For rooms whose modules are named as what they register, and are heavy to load.
        """
        modules = self.modules()
        for each in (*modules, *(one for one in self.items if one not in modules)):
            if name in (None, each):
                if each not in self.items:
                    importlib.import_module(f"{self._room}.{each}")
                yield self.items[each]

    def named(self, name: str) -> Item:
        """The extension of this name.

        Raises
        ------
        ConfigError
            There is none.
        """
        known = self.known()
        if name not in known:
            allowed = ", ".join(map(repr, known))
            raise ConfigError(f"{self._asked} {name!r}{self._gone.get(name, '')}; allowed are {allowed}.")
        return known[name]

    def _place(self, name: str) -> int:
        return self._places.get(name, len(self._places))

"""What extensions are registered in: found as files of a room, which are loaded when the first of them is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Generic, Protocol, TypeVar

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
        Modules that come first, in this order; others follow by name.
    packages
        Whether extensions are the room's packages alone, and its modules what they share.

    Attributes
    ----------
    items
        What is registered so far; those of the room once :meth:`known` was asked.
    """

    def __init__(self, room: str, order: tuple[str, ...] = (), packages: bool = False) -> None:
        self.items: dict[str, Item] = {}
        self._room, self._order, self._packages, self._loaded = room, order, packages, False

    def register(self, item: Item) -> Item:
        """Make an extension known by its name."""
        self.items[item.name] = item
        return item

    def modules(self) -> list[str]:
        """Names of the room's modules, none of which is loaded for it."""
        room = importlib.import_module(self._room).__path__
        found = [module.name for module in pkgutil.iter_modules(room) if module.ispkg or not self._packages]
        places = {name: place for place, name in enumerate(self._order)}
        return sorted(found, key=lambda name: (places.get(name, len(places)), name))

    def known(self) -> dict[str, Item]:
        """All extensions by name."""
        if not self._loaded:
            for name in self.modules():
                importlib.import_module(f"{self._room}.{name}")
            self._loaded = True
        return dict(self.items)

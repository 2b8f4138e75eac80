"""Where somebody is in a data folder: what is shown, the page, the picture in focus, those that are chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgegan_widget.data.catalog import Catalog, Picture, Wanted

__all__ = ["Leafing"]


class Leafing:
    """A position among the wanted pictures. They stay where they are while one decides; asking again sorts them anew.

    Parameters
    ----------
    catalog
        The data folder.
    per_page
        Most pictures of a page.
    """

    def __init__(self, catalog: Catalog, per_page: int) -> None:
        self.catalog, self.per_page = catalog, per_page
        self.chosen: set[int] = set()
        self.want(Wanted())

    def want(self, wanted: Wanted, at: int = 0) -> None:
        """Show these pictures, from the one at ``at``; nothing is chosen any more."""
        self.wanted = wanted
        self.numbers = self.catalog.find(wanted)
        self.chosen.clear()
        self.at = 0
        self.move(at)

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-len(self.numbers) // self.per_page))

    @property
    def page(self) -> int:
        """The page that is shown, from 0."""
        return self.at // self.per_page

    @property
    def slot(self) -> int:
        """The place on the page of the picture in focus."""
        return self.at % self.per_page

    @property
    def shown(self) -> list[Picture]:
        """The page's pictures."""
        start = self.page * self.per_page
        return self.catalog.pictures(self.numbers[start : start + self.per_page])

    @property
    def targets(self) -> list[int]:
        """What a decision is about: the chosen pictures, or else the one in focus."""
        return sorted(self.chosen) or [int(number) for number in self.numbers[self.at : self.at + 1]]

    def move(self, step: int) -> None:
        """Move the focus, not beyond either end."""
        self.at = max(0, min(self.at + step, len(self.numbers) - 1))

    def turn(self, step: int) -> None:
        """Turn pages; the focus goes to the first picture."""
        page = max(0, min(self.page + step, self.pages - 1))
        self.at = page * self.per_page

    def focus(self, slot: int) -> None:
        """Put the focus on a place of the page."""
        self.move(slot - self.slot)

    def toggle(self, slot: int) -> None:
        """Choose the picture at a place of the page, or no longer; it gets the focus."""
        self.focus(slot)
        self.chosen ^= set(self.numbers[self.at : self.at + 1].tolist())

    def decide(self, decision: str) -> None:
        """Decide about the targets and go on: to the next picture, or with nothing chosen any more."""
        targets = self.targets
        if not targets:
            return
        self.catalog.decide(targets, decision)
        if self.chosen:
            self.chosen.clear()
        else:
            self.move(1)

    def undo(self) -> None:
        """Take the last decision back and go to what it was about."""
        self._go_to(self.catalog.undo())

    def _go_to(self, numbers: Sequence[int]) -> None:
        places = np.flatnonzero(np.isin(self.numbers, numbers))
        if len(places):
            self.at = int(places[0])

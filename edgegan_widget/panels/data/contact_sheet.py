"""A data folder's pictures, a page at a time, with edges beside them; accepted and refused by click or key."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import DataError
from edgegan_widget.data.catalog import Catalog, Picture, Wanted
from edgegan_widget.data.look import Look, Seen, draw_lines, see
from edgegan_widget.panels.data.edge_look import EdgeLook
from edgegan_widget.panels.data.leafing import Leafing
from edgegan_widget.panels.data.sheet_bars import DecisionBar, FilterBar
from edgegan_widget.panels.data.tile import Tile
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import guard, show, toggle

__all__ = ["ContactSheet"]

PER_PAGE = 12
SIDE_PX = 128
KEYS = "Arrows move, Space chooses several at once; sliders then change the chosen ones alone."


@dataclass(frozen=True)
class _Page:
    """What is to be drawn: pictures by their places on the page."""

    pictures: dict[int, Picture]
    look: Look
    anew: bool  # the pictures themselves too, not the lines only


class ContactSheet(widgets.VBox):  # type: ignore[misc]
    """Pictures with edges and distorted edges, what the audit found, and the decisions of a person.

    Only the shown page is held. Edges are drawn beside the page, and what is asked for last wins.

    Parameters
    ----------
    on_apply
        Called to have decisions applied.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    look, filter, decisions, tiles
        What it consists of.
    """

    def __init__(self, on_apply: Callable[[], None], say: Callable[[Exception | None], None]) -> None:
        self._say = say
        self._lock = threading.RLock()  # a folder is opened beside the page
        self._leafing: Leafing | None = None
        self._busy = False
        self._seen: dict[int, Seen] = {}  # of the shown page, by place
        self._newest: _Page | None = None
        self._worker: NewestWins[_Page, None] = NewestWins(self._draw, lambda _: None, say)
        self.look = EdgeLook(self._look_changed, say)
        self.tiles = [Tile(self._on_slot(self._focus, at), self._on_slot(self._tick, at)) for at in range(PER_PAGE)]
        self._grid = widgets.Box(self.tiles)
        self._grid.add_class("eg-contacts")
        self.filter = FilterBar(self._want, lambda step: self._do(lambda leafing: leafing.turn(step)), say)
        self.decisions = DecisionBar(
            self._decide,
            self._undo,
            lambda step: self._do(lambda leafing: leafing.move(step)),
            lambda: self._do(lambda leafing: leafing.toggle(leafing.slot)),
            self._zoom,
            on_apply,
            say,
        )
        self._about = hint(KEYS)
        super().__init__([self.look, self.filter, self._grid, self._about, self.decisions])
        self.add_class("eg-sheet")
        self.show(None)

    # For the panel ---------------------------------------------------------------------------------------------

    def show(self, catalog: Catalog | None) -> None:
        """Show a folder from its beginning; the same folder, read anew, where one was; None shows nothing."""
        with self._lock:
            before, self._leafing = self._leafing, None
            show(self, catalog is not None)
            if catalog is None:
                self._worker.cancel()
                return
            at, wanted = 0, Wanted()
            if before is not None and before.catalog.data == catalog.data:
                at, wanted = before.at, before.wanted
            self.filter.offer(catalog, wanted)
            self._leafing = Leafing(catalog, PER_PAGE)
            self._leafing.want(self.filter.wanted, at)
            self._show_page(anew=True)

    def allow(self, deciding: bool) -> None:
        """Let decisions be made, or not while the list of them is being written."""
        with self._lock:
            self._busy = not deciding
            self._show_actions()

    @property
    def large(self) -> bool:
        """Whether pictures are shown larger."""
        return "eg-large" in self._grid._dom_classes

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until the page is drawn; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker and take the sheet off the page."""
        worker = getattr(self, "_worker", None)
        if worker is not None:
            worker.close()
        super().close()

    # Moving and deciding ---------------------------------------------------------------------------------------

    def _do(self, action: Callable[[Leafing], None], anew: bool = False) -> None:
        """Change the position or a decision, and show what came of it; with ``anew`` the pictures in any case."""
        with self._lock:
            leafing = self._leafing
            if leafing is None:
                return
            page = leafing.page
            action(leafing)
            self._say(None)
            self._show_page(anew or leafing.page != page)

    def _decide(self, decision: str) -> None:
        self._change(lambda leafing: leafing.decide(decision))

    def _undo(self) -> None:
        self._change(lambda leafing: leafing.undo())

    def _change(self, action: Callable[[Leafing], None]) -> None:
        if self._leafing is not None and not self._busy:
            self._do(action)
            self.filter.offer(self._leafing.catalog, self.filter.wanted)

    def _focus(self, slot: int) -> None:
        self._do(lambda leafing: leafing.focus(slot))

    def _tick(self, slot: int) -> None:
        self._do(lambda leafing: leafing.toggle(slot))

    def _zoom(self) -> None:
        toggle(self._grid, "eg-large", not self.large)
        self.decisions.show_size(self.large)

    def _want(self) -> None:
        self._do(lambda leafing: leafing.want(self.filter.wanted), anew=True)

    # Drawing ---------------------------------------------------------------------------------------------------

    def _look_changed(self) -> None:
        leafing = self._leafing
        if leafing is None:
            return
        shown = dict(enumerate(leafing.shown))
        chosen = {slot: each for slot, each in shown.items() if each.number in leafing.chosen}
        self._submit(_Page(chosen or shown, self.look.look, anew=False))

    def _submit(self, page: _Page) -> None:
        before = self._newest
        if before is not None and before.anew and not page.anew and not self._worker.wait_idle(0):
            page = _Page(before.pictures, page.look, anew=True)  # its pictures are not there yet
        self._newest = page
        self._worker.submit(page)

    def _draw(self, page: _Page) -> None:
        """In the worker: picture by picture, as long as nothing newer is asked for."""
        for what in (self._draw_picture, self._draw_lines) if page.anew else (self._draw_lines,):
            for slot, picture in page.pictures.items():
                if self._newest is not page:
                    return
                what(slot, picture, page.look)

    def _draw_picture(self, slot: int, picture: Picture, look: Look) -> None:
        try:
            seen = see(picture.path, SIDE_PX)
        except DataError:
            seen = _missing()
        self._seen[slot] = seen
        self.tiles[slot].show_picture(seen.picture_u8)

    def _draw_lines(self, slot: int, picture: Picture, look: Look) -> None:
        each = dataclasses.replace(look, seed=look.seed + picture.number)  # as in training, no two alike
        self.tiles[slot].show_lines(*draw_lines(self._seen[slot], each))

    def _show_page(self, anew: bool) -> None:
        """Captions, marks and buttons; the pictures as well where it is another page."""
        leafing = self._leafing
        if leafing is None:
            return
        shown = dict(enumerate(leafing.shown))
        for slot, tile in enumerate(self.tiles):
            picture = shown.get(slot)
            tile.show(picture, slot == leafing.slot, picture is not None and picture.number in leafing.chosen)
        self.filter.count(leafing)
        self._show_actions()
        if anew:
            self._submit(_Page(shown, self.look.look, anew=True))

    def _show_actions(self) -> None:
        self.decisions.show(self._leafing, self._busy)
        empty = self._leafing is not None and not len(self._leafing.numbers)
        self._about.value = "No picture here is so; show others." if empty else KEYS

    def _on_slot(self, action: Callable[[int], None], slot: int) -> Callable[..., None]:
        return guard(lambda: action(slot), self._say)


def _missing() -> Seen:
    """A crossed-out picture, for one that cannot be read."""
    cross = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    along = np.arange(SIDE_PX // 4, 3 * SIDE_PX // 4)
    for across in (along, SIDE_PX - 1 - along):
        for thick in range(3):
            cross[along, across + thick - 1] = 190
    return Seen(cross, np.full((SIDE_PX, SIDE_PX), 255, np.uint8))

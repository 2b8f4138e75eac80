"""What stands above and below a contact sheet: which pictures to show, and the buttons to decide with."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from edgegan_widget.base.layout import SPLITS
from edgegan_widget.base.words import spoken
from edgegan_widget.data.audit.rules import REASONS
from edgegan_widget.data.catalog import SHOWS, Catalog, Wanted
from edgegan_widget.panels.data.leafing import Leafing
from edgegan_widget.panels.widgets import button, guard, row

__all__ = ["DecisionBar", "FilterBar"]

Say = Callable[[Exception | None], None]


class FilterBar(widgets.Box):  # type: ignore[misc]
    """Which pictures, which class, which split; and the pages of them.

    Parameters
    ----------
    on_change
        Called when other pictures are wanted.
    on_turn
        Called with -1 or 1 to turn the page.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    shows, label_choice, split_choice, back, forward, at
        The lists, the buttons to turn pages, and where one is.
    """

    def __init__(self, on_change: Callable[[], None], on_turn: Callable[[int], None], say: Say) -> None:
        self._silent, self._on_change = False, on_change
        self.shows = _list("Show", "eg-show")
        self.label_choice = _list("Class", "eg-class-shown")
        self.split_choice = _list("Split", "eg-split-shown")
        self.split_choice.options = [("all", ""), *((split, split) for split in SPLITS)]
        for field in (self.shows, self.label_choice, self.split_choice):
            field.observe(guard(self._changed, say), "value")
        self.back = button("←", guard(lambda: on_turn(-1), say), "The page before", "eg-page-back")
        self.forward = button("→", guard(lambda: on_turn(1), say), "The next page", "eg-page-on")
        self.at = widgets.HTML()
        self.at.add_class("eg-page-at")
        pager = row([self.back, self.at, self.forward])
        pager.add_class("eg-pager")
        super().__init__([self.shows, self.label_choice, self.split_choice, pager])
        self.add_class("eg-row")
        self.add_class("eg-filter")

    @property
    def wanted(self) -> Wanted:
        """What is chosen."""
        return Wanted(str(self.shows.value), str(self.label_choice.value), str(self.split_choice.value))

    def offer(self, catalog: Catalog, wanted: Wanted) -> None:
        """What the folder has; chosen stays what was, as far as there is such a thing."""
        found = catalog.found()
        names = [*SHOWS, *(name for name in REASONS if found[name])]
        self._silent = True
        try:
            self._set(
                self.shows, [(f"{(SHOWS | REASONS)[name]} ({found[name]:,})", name) for name in names], wanted.show
            )
            classes = [("all", ""), *((spoken(name), name) for name in sorted(catalog.labels))]
            self._set(self.label_choice, classes, wanted.label)
            self.split_choice.value = wanted.split
        finally:
            self._silent = False

    def count(self, leafing: Leafing) -> None:
        """Say where in the pages one is, and how many pictures each choice has by now."""
        total = len(leafing.numbers)
        self.at.value = f"{leafing.page + 1:,} of {leafing.pages:,} · {total:,} picture{'s' if total != 1 else ''}"
        self.back.disabled = leafing.page == 0
        self.forward.disabled = leafing.page + 1 == leafing.pages

    def _set(self, choice: widgets.Dropdown, options: list[tuple[str, str]], value: str) -> None:
        with choice.hold_sync():
            if tuple(choice.options) != tuple(options):
                choice.options = options
            choice.value = value if value in [each for _, each in options] else options[0][1]

    def _changed(self) -> None:
        if not self._silent:
            self._on_change()


class DecisionBar(widgets.Box):  # type: ignore[misc]
    """Buttons to decide with; keys click them.

    Parameters
    ----------
    on_decide
        Called with ``accept``, ``refuse`` or an empty text.
    on_undo, on_move, on_tick, on_zoom, on_apply
        Called to take back, to move the focus by so many pictures, to choose the one in focus, to show pictures larger
        or not, to move files.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    accept, refuse, leave, undo, zoom, apply
        The buttons.
    """

    def __init__(
        self,
        on_decide: Callable[[str], None],
        on_undo: Callable[[], None],
        on_move: Callable[[int], None],
        on_tick: Callable[[], None],
        on_zoom: Callable[[], None],
        on_apply: Callable[[], None],
        say: Say,
    ) -> None:
        def deciding(decision: str) -> Callable[..., None]:
            return guard(lambda: on_decide(decision), say)

        self.accept = button("Accept", deciding("accept"), "Train on it whatever the audit says (A)", "eg-accept")
        self.refuse = button("Refuse", deciding("refuse"), "Set it aside; nothing is deleted (R)", "eg-refuse")
        self.leave = button("Leave to audit", deciding(""), "Take back what was decided about it (C)", "eg-leave")
        self.undo = button("Undo", guard(on_undo, say), "Take the last decision back (U)", "eg-take-back")
        self.apply = button(
            "Apply", guard(on_apply, say), "Move files as audit and decisions say; nothing is deleted", "eg-apply"
        )
        self.zoom = button("Larger", guard(on_zoom, say), "Show pictures larger, or as before (Z)", "eg-zoom")
        keys = [  # for keys alone, out of sight
            button("", guard(lambda: on_move(-1), say), "", "eg-key-left"),
            button("", guard(lambda: on_move(1), say), "", "eg-key-right"),
            button("", guard(on_tick, say), "", "eg-key-tick"),
        ]
        for each in keys:
            each.add_class("eg-hidden")
        super().__init__([self.accept, self.refuse, self.leave, self.undo, self.zoom, self.apply, *keys])
        self.add_class("eg-row")
        self.add_class("eg-decide")

    def show_size(self, large: bool) -> None:
        """Say what the button for the pictures' size does next."""
        self.zoom.description = "Smaller" if large else "Larger"

    def show(self, leafing: Leafing | None, busy: bool) -> None:
        """Say what the buttons act on, and which of them can."""
        chosen = 0 if leafing is None else len(leafing.chosen)
        about = f" {chosen} chosen" if chosen else ""
        self.accept.description, self.refuse.description = f"Accept{about}", f"Refuse{about}"
        nothing = busy or leafing is None or not leafing.targets
        for each in (self.accept, self.refuse, self.leave):
            each.disabled = nothing
        self.undo.disabled = busy or leafing is None or not leafing.catalog.can_undo
        moves = 0 if leafing is None else leafing.catalog.moves
        self.apply.disabled = busy or not moves
        self.apply.description = f"Apply: move {moves:,} file{'s' if moves > 1 else ''}" if moves else "Apply"


def _list(label: str, css_class: str) -> widgets.Dropdown:
    made = widgets.Dropdown(options=[("", "")], description=label)
    made.add_class(css_class)
    return made

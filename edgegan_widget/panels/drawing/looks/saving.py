"""What to save, how large and in which form."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from edgegan_widget.panels.drawing.looks.exports import KINDS, SIZES, File
from edgegan_widget.panels.widgets import Say, button, guard, heading, row

__all__ = ["SaveRow"]


class SaveRow(widgets.VBox):  # type: ignore[misc]
    """Chooses a kind of file and hands it over.

    Parameters
    ----------
    make
        Called with kind, size in pixels (0: its own) and form (``png`` or ``webp``); returns the file.
    send
        Called with the file, and whether it goes to the clipboard.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self,
        make: Callable[[str, int, str], File],
        send: Callable[[File, bool], None],
        say: Say,
    ) -> None:
        self._make, self._give, self._say = make, send, say
        self._kind = widgets.Dropdown(options=list(KINDS.items()), layout={"width": "176px"})
        self._size = widgets.Dropdown(options=list(SIZES.items()), layout={"width": "92px"})
        self._form = widgets.Dropdown(options=["png", "webp"], layout={"width": "72px"})
        for control, name in ((self._kind, "What to save"), (self._size, "Size"), (self._form, "Form")):
            control.tooltip = name
            control.add_class(f"eg-save-{name.split()[0].lower()}")
        save = button("Save", guard(lambda: self._hand_over(False), say), "Save it as a file", "eg-save")
        copy = button("Copy", guard(lambda: self._hand_over(True), say), "Put it on the clipboard", "eg-copy")
        super().__init__([heading("Save"), row([self._kind, self._size, self._form, save, copy])])

    def offer_transparent(self, possible: bool) -> None:
        """Whether a picture can be had without its paper."""
        kinds = {name: kind for name, kind in KINDS.items() if possible or kind != "transparent"}
        if len(self._kind.options) != len(kinds):
            self._kind.options = list(kinds.items())

    def _hand_over(self, copy: bool) -> None:
        kind = str(self._kind.value)
        form = "png" if copy else str(self._form.value)  # browsers put PNG on the clipboard and nothing else
        self._give(self._make(kind, self._size.value, form), copy)
        self._say(None)

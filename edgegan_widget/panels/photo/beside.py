"""What stands beside the photo: the list of objects, how one is fitted in, the ground, and how holes are filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import ipywidgets as widgets

from edgegan_widget.base.settings import Field, about, label_of
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.widgets import Say, Silence, button, classed, folded, guard, heading, row, show
from edgegan_widget.photo.fitting import Fit
from edgegan_widget.photo.inpainting import REGISTRY
from edgegan_widget.photo.scene import NOTHING, PHOTO, Placed

__all__ = ["FitOptions", "Layers", "MoreOptions"]

ACTS = (  # name, words on the button, what it does
    ("new", "+ New", "The next stroke begins a new object"),
    ("hide", "Hide", "Leave the object out of the picture, or show it again (H)"),
    ("duplicate", "Copy", "The same object once more, a little beside"),
    ("up", "↑", "One nearer to the front"),
    ("down", "↓", "One farther back"),
    ("delete", "Delete", "Take the object away (Delete); undo brings it back"),
)
GROUNDS = (("Photo", PHOTO), ("Plain colour", ""), ("None (transparent)", NOTHING))
PLAIN = "#e8e4dc"


LABELS = {"feather_px": "Soft edge", "match_sharpness": "Sharpness", "seamless": "Seamless", "clean_edge": "Clean edge"}
PAGE_FIT = Fit(shadow=0.35)  # a new object's


def _fit_control(field: Field) -> widgets.Widget:
    """What a setting of :class:`~edgegan_widget.photo.fitting.Fit` is asked with."""
    words, tooltip = LABELS.get(field.name, label_of(field)), str(about(field, "meaning"))
    if field.type == "bool":
        return widgets.Checkbox(False, description=words, indent=False, tooltip=tooltip[:1].upper() + tooltip[1:])
    most = float(about(field, "most"))
    made = widgets.FloatSlider(
        0, min=0, max=most, step=most / 100, description=words, readout=False, continuous_update=False,
        tooltip=tooltip[:1].upper() + tooltip[1:],
    )  # fmt: skip
    made.style.description_width = "84px"
    return made


class Layers(widgets.VBox):  # type: ignore[misc]
    """All objects, the front one first, and what can be done with the selected one.

    Parameters
    ----------
    on_select
        Called with the number of the object that is to be drawn on.
    on_act
        Called with the name of a button, one of :data:`ACTS`.
    on_rename
        Called with the selected object's new name.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self,
        on_select: Callable[[int], None],
        on_act: Callable[[str], None],
        on_rename: Callable[[str], None],
        say: Say,
    ) -> None:
        self._silent = Silence()
        self._list = classed(widgets.Select(options=[], rows=4), "eg-layer-list")
        self._list.tooltip = "Objects, the front one first"
        self._name = widgets.Text(placeholder="name of the object", continuous_update=False)
        self._name.tooltip = "What you call the object"
        self._list.observe(guard(lambda: self._heard(lambda: on_select(self._list.value)), say), "value")
        self._name.observe(guard(lambda: self._heard(lambda: on_rename(self._name.value)), say), "value")
        self._buttons = {
            name: button(words, guard(lambda name=name: on_act(name), say), tooltip, f"eg-layer-{name}")
            for name, words, tooltip in ACTS
        }
        super().__init__([heading("Objects"), self._list, row([*self._buttons.values()]), self._name])
        self.add_class("eg-layers")
        self.show((), None)

    def show(self, placed: Sequence[Placed], selected: int | None) -> None:
        """Show these objects, the last of which is in front."""
        options = [(_words(each, number), number) for number, each in reversed([*enumerate(placed)])]
        with self._silent, self._list.hold_sync():
            if tuple(self._list.options) != tuple(options):
                self._list.options = options
            self._list.value = selected
            self._name.value = "" if selected is None else placed[selected].name
        self._name.disabled = selected is None
        hidden = selected is not None and placed[selected].hidden
        self._buttons["hide"].description = "Show" if hidden else "Hide"
        for name, each in self._buttons.items():
            each.disabled = selected is None
            if name in ("up", "down") and selected is not None:
                each.disabled = selected == (len(placed) - 1 if name == "up" else 0)

    def _heard(self, act: Callable[[], None]) -> None:
        if not self._silent and self._list.value is not None:
            act()


def _words(placed: Placed, number: int) -> str:
    hidden = " (hidden)" if placed.hidden else ""
    return f"{number + 1} · {placed.name or spoken(placed.label)}{hidden}"


class FitOptions(widgets.VBox):  # type: ignore[misc]
    """The selected object's :class:`~edgegan_widget.photo.fitting.Fit`.

    Parameters
    ----------
    on_change
        Called with what is chosen.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_change: Callable[[Fit], None], say: Say) -> None:
        self._silent, self._on_change = Silence(), on_change
        self._fit = PAGE_FIT
        self._fields = {field.name: _fit_control(field) for field in fields(Fit)}
        for each in self._fields.values():
            each.observe(guard(self._changed, say), "value")
        ticks = [each for each in self._fields.values() if isinstance(each, widgets.Checkbox)]
        sliders = [each for each in self._fields.values() if each not in ticks]
        super().__init__([heading("Fit in"), *sliders, row(ticks)])
        self.add_class("eg-fit")
        self.show(None)

    @property
    def fit(self) -> Fit:
        """What is chosen."""
        return self._fit

    def show(self, fit: Fit | None) -> None:
        """Show an object's; with None those for the next one."""
        self._fit = self._fit if fit is None else fit
        with self._silent:
            for name, each in self._fields.items():
                each.value = getattr(self._fit, name)

    def _changed(self) -> None:
        if not self._silent:
            self._fit = replace(self._fit, **{name: each.value for name, each in self._fields.items()})
            self._on_change(self._fit)


class MoreOptions(widgets.VBox):  # type: ignore[misc]
    """Ground and method of filling.

    Parameters
    ----------
    on_ground
        Called with the ground that is chosen, as :attr:`edgegan_widget.photo.scene.Scene.ground` has it.
    say
        Called with an exception to show, or None.
    more
        What stands below.
    """

    def __init__(self, on_ground: Callable[[str], None], say: Say, more: list[widgets.Widget]) -> None:
        self._silent, self._on_ground = Silence(), on_ground
        self._ground = widgets.Dropdown(options=list(GROUNDS), description="Ground")
        self._colour = widgets.ColorPicker(value=PLAIN, concise=False, description="Colour")
        self._method = widgets.Dropdown(options=_methods(), description="Fill with")
        self._method.tooltip = "How what was taken away is filled"
        self._given = widgets.Text(description="From", placeholder="path", continuous_update=False)
        for field in (self._ground, self._colour, self._method, self._given):
            field.style.description_width = "72px"
        for field in (self._ground, self._colour):
            field.observe(guard(self._chosen, say), "value")
        self._method.observe(lambda _: show(self._given, REGISTRY.known()[self._method.value].takes), "value")
        show(self._given, False)
        show(self._colour, False)
        inside = widgets.VBox([self._ground, self._colour, self._method, self._given, *more])
        super().__init__([folded("More options", inside)])
        classed(self, "eg-photo-more")

    @property
    def method(self) -> str:
        """The method of filling, as :func:`edgegan_widget.photo.erase` takes it."""
        name = str(self._method.value)
        return f"{name}={self._given.value.strip()}" if REGISTRY.known()[name].takes else name

    def show_ground(self, ground: str) -> None:
        """Show which ground there is."""
        plain = ground not in (PHOTO, NOTHING)
        with self._silent:
            self._ground.value = "" if plain else ground
            if plain:
                self._colour.value = ground
        show(self._colour, plain)

    def _chosen(self) -> None:
        if not self._silent:
            self._on_ground(str(self._ground.value or self._colour.value))


def _methods() -> list[tuple[str, Any]]:
    return [(method.name, method.name) for method in REGISTRY.known().values()]

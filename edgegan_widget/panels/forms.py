"""Forms made from the settings themselves: their meaning, choices and ranges are written in one place only."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from edgegan_widget.base.settings import KINDS, Field, Settings, about, label_of, range_of
from edgegan_widget.panels.widgets import show
from edgegan_widget.training.config import TrainConfig

__all__ = ["SettingsForm", "hint", "labelled", "lines_of"]

SHOWN_AS: Mapping[str, Callable[..., widgets.Widget]] = {  # how a kind of setting is asked for
    "text": widgets.Text, "whole": widgets.IntText, "number": widgets.FloatText, "tick": widgets.Checkbox,
    "lines": widgets.Textarea,
}  # fmt: skip


class SettingsForm(widgets.VBox):  # type: ignore[misc]
    """Fields of any settings: what is often changed in sight, the rest folded away.

    Parameters
    ----------
    names
        Fields to show, in this order.
    config
        Their values at first.
    """

    def __init__(self, names: Iterable[str], config: Settings) -> None:
        fields = {field.name: field for field in dataclasses.fields(config)}
        self._inputs = {name: _input(fields[name]) for name in names}
        self._rows = rows = {name: labelled(field, _about(fields[name])) for name, field in self._inputs.items()}
        advanced = [rows[name] for name in rows if about(fields[name], "advanced")]
        basic = [rows[name] for name in rows if not about(fields[name], "advanced")]
        folded = widgets.Accordion([widgets.VBox(advanced)], titles=("More settings",), selected_index=None)
        folded.add_class("eg-folded")
        super().__init__([*basic, *([folded] if advanced else [])])
        self.add_class("eg-form")
        self.show(config)

    def show(self, config: Settings) -> None:
        """Show the values of these settings, and hide those that the recipe does not read."""
        for name, field in self._inputs.items():
            value = getattr(config, name)
            field.value = "\n".join(value) if isinstance(value, tuple) else value
        if isinstance(config, TrainConfig):
            for name, row in self._rows.items():
                show(row, config.reads(name))

    @property
    def values(self) -> dict[str, Any]:
        """What is typed and chosen, unchecked."""
        return {
            name: lines_of(field.value) if isinstance(field, widgets.Textarea) else field.value
            for name, field in self._inputs.items()
        }

    def __getitem__(self, name: str) -> widgets.Widget:
        """The input of a field."""
        return self._inputs[name]


def lines_of(text: str) -> tuple[str, ...]:
    """What is typed, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def labelled(field: widgets.Widget, about: str) -> widgets.Widget:
    """An input with a line of explanation below."""
    made = widgets.VBox([field, hint(about)])
    made.add_class("eg-field")
    return made


def hint(text: str) -> widgets.HTML:
    """A small line of explanation."""
    made = widgets.HTML(html.escape(text))
    made.add_class("eg-hint")
    return made


def _input(field: Field) -> widgets.Widget:
    label = label_of(field)
    if about(field, "allowed"):
        unit = " px" if field.name.endswith("_px") else ""
        made = widgets.Dropdown(options=[(f"{one}{unit}", one) for one in about(field, "allowed")], description=label)
    else:
        made = SHOWN_AS[KINDS[str(field.type)].shows](description=label)
    if isinstance(made, widgets.Checkbox):
        made.indent = False
    made.add_class(f"eg-set-{field.name}")
    return made


def _about(field: Field) -> str:
    limits = "one a line" if KINDS[str(field.type)].shows == "lines" else range_of(field)
    return f"{about(field, 'meaning')} ({limits})" if limits else str(about(field, "meaning"))

"""Forms made from the settings themselves: their meaning, choices and ranges are written in one place only."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from edgegan_widget.base.settings import KINDS, Field, Settings, about, label_of, parts_of, range_of
from edgegan_widget.panels.folders import browsable
from edgegan_widget.panels.widgets import Say, classed, folded, show

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
        Fields to show, in this order; those that hold settings of their own are shown with all of them.
    config
        Their values at first. Where it has a method ``reads``, fields that it does not read are hidden.
    say
        Called with an exception to show, or None, while a path is looked for.
    """

    def __init__(self, names: Iterable[str], config: Settings, say: Say = lambda _error: None) -> None:
        fields = {field.name: field for field in dataclasses.fields(config)}
        parts = parts_of(type(config))
        self._inputs = {
            name: SettingsForm(parts[name].__dataclass_fields__, getattr(config, name))
            if name in parts
            else _input(fields[name])
            for name in names
        }
        self._rows = rows = {
            name: field if name in parts else labelled(_with_browser(field, fields[name], say), _about(fields[name]))
            for name, field in self._inputs.items()
        }
        advanced = [rows[name] for name in rows if about(fields[name], "advanced")]
        basic = [rows[name] for name in rows if not about(fields[name], "advanced")]
        super().__init__([*basic, *([folded("More settings", widgets.VBox(advanced))] if advanced else [])])
        self.add_class("eg-form")
        self.show(config)

    def show(self, config: Settings) -> None:
        """Show the values of these settings, and hide those that are not read."""
        for name, field in self._inputs.items():
            value = getattr(config, name)
            if isinstance(field, SettingsForm):
                field.show(value)
            else:
                field.value = "\n".join(value) if isinstance(value, tuple) else value
        reads = getattr(config, "reads", None)
        if reads is not None:
            for name, row in self._rows.items():
                show(row, reads(name))

    @property
    def values(self) -> dict[str, Any]:
        """What is typed and chosen, unchecked, as :func:`~edgegan_widget.base.settings.from_record` takes it."""
        return {name: _typed(field) for name, field in self._inputs.items()}

    def __getitem__(self, name: str) -> widgets.Widget:
        """The input of a field."""
        return self._inputs[name]


def lines_of(text: str) -> tuple[str, ...]:
    """What is typed, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def labelled(field: widgets.Widget, about: str) -> widgets.Widget:
    """An input with a line of explanation below."""
    return classed(widgets.VBox([field, hint(about)]), "eg-field")


def hint(text: str) -> widgets.HTML:
    """A small line of explanation."""
    return classed(widgets.HTML(html.escape(text)), "eg-hint")


def _typed(field: widgets.Widget) -> Any:
    if isinstance(field, SettingsForm):
        return field.values
    return lines_of(field.value) if isinstance(field, widgets.Textarea) else field.value


def _input(field: Field) -> widgets.Widget:
    label = label_of(field)
    if about(field, "allowed"):
        unit = " px" if field.name.endswith("_px") else ""
        made = widgets.Dropdown(options=[(f"{one}{unit}", one) for one in about(field, "allowed")], description=label)
    else:
        made = SHOWN_AS[KINDS[str(field.type)].shows](description=label)
    if isinstance(made, widgets.Checkbox):
        made.indent = False
    return classed(made, f"eg-set-{field.name}")


def _with_browser(made: widgets.Widget, field: Field, say: Say) -> widgets.Widget:
    """The input, and where it names a path a button that finds one."""
    if not about(field, "path"):
        return made
    return browsable(made, say, (".json",) if about(field, "metavar") == "FILE" else ())


def _about(field: Field) -> str:
    limits = "one a line" if KINDS[str(field.type)].shows == "lines" else range_of(field)
    return f"{about(field, 'meaning')} ({limits})" if limits else str(about(field, "meaning"))

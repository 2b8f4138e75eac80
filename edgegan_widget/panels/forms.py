"""Forms made from the settings themselves: their meaning, choices and ranges are written in one place only."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.networks.config import SIZES_PX
from edgegan_widget.training.config import TrainConfig

__all__ = ["SettingsForm", "hint", "labelled", "lines_of", "number_text"]

LABELS = {
    "lr_generator": "Generator rate",
    "lr_discriminator": "Discriminator rate",
    "size_px": "Size",
    "ema_decay": "Running mean",
    "decay_fraction": "Rate decay",
    "new_classes": "New classes from",
    "trains": "What trains",
    "critic_warmup_steps": "Warm-up steps",
    "save_every_seconds": "Save every (s)",
    "disk_limit_mb": "Disk limit (MB)",
    "sketches": "People's drawings",
    "people_share": "People's share",
    "weight_perceptual": "Likeness weight",
    "weight_class": "Class weight",
    "weight_colour": "Colour weight",
    "per_class": "Drawings a class",
    "robustness_per_class": "Distorted a class",
    "inception": "Inception",
    "people": "People's sketches",
    "swapped_per_class": "Swapped a class",
}


class SettingsForm(widgets.VBox):  # type: ignore[misc]
    """Fields of settings (:class:`~edgegan_widget.TrainConfig`): what is often changed in sight, the rest folded away.

    Parameters
    ----------
    names
        Fields to show, in this order.
    config
        Their values at first.
    """

    def __init__(self, names: Iterable[str], config: TrainConfig | EvaluationConfig) -> None:
        fields = {field.name: field for field in dataclasses.fields(config)}
        self._inputs = {name: _input(fields[name]) for name in names}
        self._rows = rows = {name: labelled(field, _about(fields[name])) for name, field in self._inputs.items()}
        advanced = [rows[name] for name in rows if fields[name].metadata["advanced"]]
        basic = [rows[name] for name in rows if not fields[name].metadata["advanced"]]
        folded = widgets.Accordion([widgets.VBox(advanced)], titles=("More settings",), selected_index=None)
        folded.add_class("eg-folded")
        super().__init__([*basic, *([folded] if advanced else [])])
        self.add_class("eg-form")
        self.show(config)

    def show(self, config: TrainConfig | EvaluationConfig) -> None:
        """Show the values of these settings, and hide those that the recipe does not read."""
        for name, field in self._inputs.items():
            value = getattr(config, name)
            field.value = "\n".join(value) if isinstance(value, tuple) else value
        if isinstance(config, TrainConfig):
            for name, row in self._rows.items():
                (row.remove_class if config.reads(name) else row.add_class)("eg-hidden")

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


def number_text(value: float) -> str:
    """A bound as people write it."""
    return f"{value:g}"


def _input(field: dataclasses.Field[Any]) -> widgets.Widget:
    label = LABELS.get(field.name, field.name.replace("_", " ").capitalize())
    if field.name == "size_px":
        made = widgets.Dropdown(options=[(f"{side} px", side) for side in SIZES_PX], description=label)
    elif field.metadata["allowed"]:
        made = widgets.Dropdown(options=list(field.metadata["allowed"]), description=label)
    else:
        kinds: Mapping[str, Callable[..., widgets.Widget]] = {
            "bool": widgets.Checkbox, "int": widgets.IntText, "float": widgets.FloatText, "str": widgets.Text,
            "tuple[str, ...]": widgets.Textarea,
        }  # fmt: skip
        made = kinds[str(field.type)](description=label)
    if isinstance(made, widgets.Checkbox):
        made.indent = False
    made.add_class(f"eg-set-{field.name}")
    return made


def _about(field: dataclasses.Field[Any]) -> str:
    least, most = field.metadata["least"], field.metadata["most"]
    meaning = str(field.metadata["meaning"])
    if str(field.type).startswith("tuple"):
        return f"{meaning} (one a line)"
    if least is None and most is None:
        return meaning
    ends = f"at least {number_text(least)}" if most is None else f"{number_text(least)} to {number_text(most)}"
    return f"{meaning} ({ends})"

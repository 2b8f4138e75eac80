"""What to measure, and on what: models, data, sketches and settings, with what it will cost."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError, EdgeGANError, ModelError
from edgegan_widget.base.words import sort_out
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.drawn import InputSet
from edgegan_widget.evaluation.folder import Request
from edgegan_widget.evaluation.metrics import more_to_draw
from edgegan_widget.evaluation.robustness import DISTORTIONS
from edgegan_widget.panels.evaluation.models_choice import Chosen, ModelsChoice
from edgegan_widget.panels.folders import browsable
from edgegan_widget.panels.forms import SettingsForm, hint
from edgegan_widget.panels.widgets import Say, classed, guard
from edgegan_widget.sketch.sets.folders import asked_sketches, sketch_folders
from edgegan_widget.training.data_folder import class_counts

__all__ = ["EvaluateForm"]

ABOUT_DATA = "A folder with train/<class>/*.png and val/<class>/*.png, or a packed .npz file."
ABOUT_SKETCHES = "Optional: people's sketches, in folders named by class."
STRENGTHS = 3  # about so many of each distortion


class EvaluateForm(widgets.Box):  # type: ignore[misc]
    """Models on one side, data and settings on the other.

    Parameters
    ----------
    root
        Folder whose runs can be chosen.
    device
        ``auto``, ``cpu`` or ``cuda``.
    config
        The settings at first.
    say
        Called with an exception to show, or None.
    on_change
        Called when :attr:`missing` may have changed.
    """

    def __init__(
        self,
        root: Path,
        device: str,
        config: EvaluationConfig,
        say: Say,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._device, self._say, self._on_change = device, say, on_change
        self._data = _path("Data", "folder or packed file", "eg-data")
        self._sketches = _path("Sketches", "folder, or empty", "eg-sketches")
        self._about_data, self._about_sketches = hint(ABOUT_DATA), hint(ABOUT_SKETCHES)
        self._cost = classed(hint(""), "eg-cost")
        self._settings = SettingsForm(EvaluationConfig.__dataclass_fields__, config)
        self.models = ModelsChoice(root, self._show_cost, say)
        for field in (self._data, self._sketches, *map(self._settings.__getitem__, self._settings.values)):
            field.observe(guard(self._changed_data, say), "value")
        data, sketches = browsable(self._data, say, (".npz",)), browsable(self._sketches, say)
        paths = [(data, self._about_data), (sketches, self._about_sketches)]
        fields = [classed(widgets.VBox(pair), "eg-field") for pair in paths]
        right = widgets.VBox([*fields, self._settings, self._cost])
        super().__init__([classed(column, "eg-setup") for column in (self.models, right)])
        self.add_class("eg-halves")

    @property
    def request(self) -> Request:
        """What is to be measured.

        Raises
        ------
        EdgeGANError
            Something is missing or out of its range.
        """
        chosen = self.models.chosen
        if not chosen:
            raise ModelError("no model is chosen; choose one from the list and press Add.")
        for split in ("train", "val"):
            class_counts(self.data, split)
        sketches = _typed(self._sketches)
        if sketches and not Path(sketches).is_dir():
            raise DataError(f"there is no folder {sketches!r}; name one with sketches, or leave the field empty.")
        names = tuple((model.name, model.place) for model in chosen)
        return Request(names, self.data, sketches, self._device, self._config())

    @property
    def missing(self) -> str:
        """Why an evaluation cannot be started with what is chosen, in a sentence; nothing where it can be."""
        try:
            request = self.request
            known = class_counts(request.data, "train")
            common = _common(known, self.models.chosen, request.config.classes)
        except EdgeGANError as error:
            text = str(error)
            return text[:1].upper() + text[1:]
        if not common:
            return "The chosen models and the data have no class in common; remove a model, or name other data."
        return ""

    @property
    def data(self) -> str:
        """The path of the data."""
        return _typed(self._data)

    def fill(self, data: Path | str, sketches: Path | str) -> None:
        """Name data and sketches."""
        self._data.value, self._sketches.value = str(data), str(sketches)

    def _config(self) -> EvaluationConfig:
        return EvaluationConfig(**self._settings.values)

    def _changed_data(self) -> None:
        self._say(None)
        self._show_cost()

    def _show_cost(self) -> None:
        """What is at the two paths, and how many pictures that makes."""
        held_out = self._look_at_data()
        drawings = _capped(held_out, int(self._settings["per_class"].value or 0))
        sketches = self._look_at_sketches(tuple(held_out))
        self._cost.value = html.escape(self._cost_line(held_out, drawings, sketches) if drawings else "")
        self._on_change()

    def _look_at_data(self) -> dict[str, int]:
        """Held-out pictures by class, of the classes that all models and the data have."""
        self._about_data.value = html.escape(ABOUT_DATA)
        if not self.data:
            return {}
        try:
            held_out = class_counts(self.data, "val")
        except EdgeGANError as error:
            self._say(error)
            return {}
        common = _common(held_out, self.models.chosen, self._settings.values["classes"])
        classes = f"{len(held_out)} classes"
        if self.models.chosen and len(common) < len(held_out):
            classes = f"{len(common)} of {classes} that all chosen models draw"
        self._about_data.value = f"{sum(held_out[name] for name in common):,} held-out pictures, {classes}."
        return {name: held_out[name] for name in common}

    def _look_at_sketches(self, classes: Sequence[str]) -> int:
        self._about_sketches.value = html.escape(ABOUT_SKETCHES)
        place = _typed(self._sketches)
        if not place or not classes:
            return 0
        try:
            every = sketch_folders(place, classes)
            folders = asked_sketches(place, classes, self._settings["people"].value)
        except EdgeGANError as error:
            self._say(error)
            return 0
        asked, known = (sum(len(folder.paths) for folder in found) for found in (folders, every))
        of = f" of {known:,}" if asked < known else ""
        why = "; the others may have been trained on" if of else ""
        self._about_sketches.value = f"{asked:,}{of} sketches of {len({one.asked for one in folders})} classes{why}."
        return _capped({folder.name: len(folder.paths) for folder in folders}, int(self._settings["per_class"].value))

    def _cost_line(self, held_out: Mapping[str, int], drawings: int, sketches: int) -> str:
        models, classes = len(self.models.chosen), len(held_out)
        if not models:
            return f"{drawings + sketches:,} drawings for each model."
        variations = max(1, self._typed_number("variations"))
        each = (drawings + sketches) * variations
        distorted = min(self._typed_number("robustness_per_class") * classes, drawings)
        distorted *= 1 + STRENGTHS * len(DISTORTIONS)
        more = [f"about {distorted:,} of distorted drawings"] if distorted else []
        probed = self._probed(held_out)
        more += [f"about {probed:,} of other classes and colours"] if probed else []
        many = f"{models} times {each:,}" if models > 1 else f"{each:,}"
        beside = f", and {' and '.join(more)}{' for each' if models > 1 else ''}" if more else ""
        return f"Pictures to draw: {many}{beside}."

    def _probed(self, held_out: Mapping[str, int]) -> int:
        """How many pictures numbers ask for besides; none as long as the settings are out of their range."""
        try:
            config = self._config()
        except ConfigError:
            return 0
        labels = np.repeat(np.arange(len(held_out)), list(held_out.values()))
        blank = np.empty((len(labels), 0, 0), np.uint8)
        inputs = InputSet("", "val", blank, labels, ("",) * len(labels)).some(config.per_class)
        return sum(asked.pictures for _, asked in more_to_draw(inputs, len(held_out), config))

    def _typed_number(self, name: str) -> int:
        return int(self._settings[name].value or 0)


def _common(held_out: Mapping[str, int], models: Sequence[Chosen], wanted: Sequence[str]) -> list[str]:
    """Classes that all models draw, of those that are wanted where some are named."""
    chosen = sort_out(wanted, tuple(held_out))[0] if wanted else held_out
    return [name for name in held_out if name in chosen and all(name in model.config.classes for model in models)]


def _capped(counts: Mapping[str, int], most: int) -> int:
    return sum(min(count, most) if most > 0 else count for count in counts.values())


def _path(label: str, placeholder: str, css_class: str) -> widgets.Text:
    return classed(widgets.Text(description=label, placeholder=placeholder, continuous_update=False), css_class)


def _typed(field: widgets.Text) -> str:
    text = str(field.value).strip()
    return str(Path(text).expanduser()) if text else ""

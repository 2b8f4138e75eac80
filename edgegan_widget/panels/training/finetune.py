"""Fine-tuning: going on from a trained model with new pictures, or with a handful of one's own drawings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.forms import SettingsForm, hint
from edgegan_widget.panels.model_choice import ModelChoice
from edgegan_widget.panels.training.data_choice import DataChoice
from edgegan_widget.panels.training.drawing_tray import DrawingTray
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.panels.training.starting import StartPanel
from edgegan_widget.panels.widgets import classed, guard, show
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.training.config import DEFAULT_PRESET, PRESETS, TrainConfig, drawings_config, finetune_config
from edgegan_widget.training.kinds import presets

__all__ = ["FinetunePanel"]

PICTURES, DRAWINGS = "New pictures", "My own drawings"
NOT_HERE = {
    "preset", "data", "out", "classes", "start_from", "drawings", "sketches",
    "width", "size_px", "latent", "depths",  # the model's own
}  # fmt: skip
NOT_OF_DRAWINGS = {"mirror", "augment"}  # which that recipe reads, but few would change
FIRST = ("trains", "new_classes")
ONLY_THESE = "The new model draws the ticked classes and no others."
CRITICS = (
    "A model that brings no discriminators: they start fresh and learn alone for the first steps (Warm-up steps, "
    "critic_warmup_steps)."
)


class FinetunePanel(StartPanel):
    """Go on from a trained model: a widget for a notebook cell, and a tab of the dashboard.

    Parameters
    ----------
    root
        Folder of the runs.
    device
        ``auto``, ``cpu`` or ``cuda``, as the form's first choice.
    on_use
        Called with the path of a model to draw with.
    take_drawing
        Returns the drawing on a pad and its class; without it there is no pad to collect drawings from.

    Examples
    --------
    >>> FinetunePanel("runs")  # in a notebook cell  # doctest: +SKIP
    """

    def __init__(
        self,
        root: Path | str = "runs",
        device: str = "auto",
        on_use: Callable[[Path], None] | None = None,
        take_drawing: Callable[[], tuple[Drawing, str]] | None = None,
    ) -> None:
        self._device, self._take = device, take_drawing
        words = ("Go on from a trained model", "Start fine-tuning", "finetune")
        super().__init__(root, on_use, words, lambda config: bool(config and config.start_from))

    @property
    def config(self) -> TrainConfig:
        """The settings as they stand in the form; drawings are named but not yet saved."""
        self._model.config  # noqa: B018 - raises where the model cannot be used
        out = str(self._name.folder)
        if self._source.value == DRAWINGS:
            self._check_drawings()
            folder = self._root / time.strftime("drawings-%Y%m%d-%H%M%S")
            return drawings_config(self._model.name, str(folder), out, **self._drawing_form.values)
        data = self._data.data
        config = finetune_config(self._model.name, data, out, classes=self._data.chosen, **self._picture_form.values)
        return dataclasses.replace(config, sketches=self._people.folders) if config.reads("sketches") else config

    def _save_input(self, config: TrainConfig) -> None:
        if config.drawings:
            self._tray.save(Path(config.drawings))

    # Form ------------------------------------------------------------------------------------------------------

    def _build(self) -> list[widgets.Widget]:
        self._model = ModelChoice(self._root, self._follow_model, self.complain)
        self._source = widgets.ToggleButtons(options=[PICTURES, DRAWINGS], tooltips=["A folder of pictures", ""])
        self._source.observe(guard(self._follow_source, self.complain), "value")
        self._data = DataChoice(self.complain, self._remark, lambda: self._people.look())
        self._people = PeopleChoice(lambda: self._data.ticked, self.complain)
        self._tray = DrawingTray(self._take, self.complain)
        names = [name for name in TrainConfig.__dataclass_fields__ if name not in (NOT_HERE | set(FIRST))]
        of_drawings = [name for name in names if PRESETS["drawings"].reads(name) and name not in NOT_OF_DRAWINGS]
        self._picture_form = SettingsForm([*FIRST, *names], PRESETS[DEFAULT_PRESET])
        self._drawing_form = SettingsForm(of_drawings, PRESETS["drawings"])
        for form in (self._picture_form, self._drawing_form):
            form["device"].value = self._device
        pictures = [self._data, hint(ONLY_THESE), self._people, self._picture_form, hint(CRITICS)]
        drawings = [hint(presets()["drawings"][1].note), self._tray, self._drawing_form]
        self._pictures = classed(widgets.VBox(pictures), "eg-form")
        self._drawings = classed(widgets.VBox(drawings), "eg-form", "eg-hidden")
        self._follow_model()
        return [self._model, classed(self._source, "eg-source"), self._pictures, self._drawings, self._named]

    def _follow_model(self) -> None:
        """The reference settings of the chosen model, and which classes are new to it."""
        self._data.mark_again()
        if not self._model.classes:
            return
        tuned = finetune_config(self._model.name, "", "")
        show(self._people, tuned.reads("sketches"))
        drawn = drawings_config(self._model.name, "", "")
        for form, config in ((self._picture_form, tuned), (self._drawing_form, drawn)):
            device = form["device"].value
            form.show(config)
            form["device"].value = device
        self.complain(None)

    def _follow_source(self) -> None:
        drawn = self._source.value == DRAWINGS
        show(self._pictures, not drawn)
        show(self._drawings, drawn)
        self._name.propose(self._stem)
        self.complain(None)

    @property
    def _stem(self) -> str:
        return "drawings" if self._source.value == DRAWINGS else "finetune"

    def _remark(self, name: str) -> str:
        if not self._model.classes:
            return ""
        return "known" if name in self._model.classes else "new"

    def _check_drawings(self) -> None:
        unknown = sorted({label for _, label in self._tray.drawings} - set(self._model.classes))
        if unknown:
            names = ", ".join(map(spoken, unknown))
            raise ConfigError(f"the model does not draw {names}; remove those drawings, or choose a model that does.")

    def _looked(self, active: bool) -> None:
        super()._looked(active)
        try:
            self._model.list_runs()
        except EdgeGANError as error:
            self.complain(error)

"""Fine-tuning: going on from a trained model with new pictures, or with a handful of one's own drawings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.panels.forms import SettingsForm, hint, labelled
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.model_choice import ModelChoice
from edgegan_widget.panels.run_parts import RunName, columns, start_row
from edgegan_widget.panels.training.data_choice import DataChoice
from edgegan_widget.panels.training.drawing_tray import DrawingTray
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.panels.widgets import button, guard, heading, show, toggle
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.training.config import DEFAULT_PRESET, PRESETS, TrainConfig
from edgegan_widget.training.finetuning import drawings_config, finetune_config
from edgegan_widget.training.kinds import presets
from edgegan_widget.training.runs import start_run

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


class FinetunePanel(Panel):
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
        super().__init__()
        self.add_class("eg-training")
        self._root, self._device = Path(root), device
        self._ready = False
        form = self._build_form(take_drawing)
        self._ready = True
        self._follow_model()
        self.view = RunView(
            self._root, on_use=on_use, lists=lambda config: bool(config and config.start_from), on_look=self._looked
        )
        self.children = [columns(form, self.view)]

    @property
    def config(self) -> TrainConfig:
        """The settings as they stand in the form; drawings are named but not yet saved.

        Raises
        ------
        EdgeGANError
            Something is missing or out of its range.
        """
        self._model.config  # noqa: B018 - raises where the model cannot be used
        out = str(self._name.folder)
        if self._source.value == DRAWINGS:
            self._check_drawings()
            folder = self._root / time.strftime("drawings-%Y%m%d-%H%M%S")
            return drawings_config(self._model.name, str(folder), out, **self._drawing_form.values)
        data = self._data.data
        config = finetune_config(self._model.name, data, out, classes=self._data.chosen, **self._picture_form.values)
        return dataclasses.replace(config, sketches=self._people.folders) if config.reads("sketches") else config

    def start(self) -> None:
        """Start fine-tuning with these settings."""
        self._start.disabled = True  # a second click must not start a second run
        try:
            config = self.config
            if config.drawings:
                self._tray.save(Path(config.drawings))
            run = start_run(config)
        except Exception:
            self._start.disabled = False
            raise
        self.complain(None)
        self._name.propose(self._stem())
        self.view.attach(run)

    def close(self) -> None:
        """Take the panel off the page; a run goes on."""
        view = getattr(self, "view", None)
        if view is not None:
            view.close()
        super().close()

    # Form ------------------------------------------------------------------------------------------------------

    def _build_form(self, take_drawing: Callable[[], tuple[Drawing, str]] | None) -> widgets.Widget:
        self._model = ModelChoice(self._root, self._follow_model, self.complain)
        self._source = widgets.ToggleButtons(options=[PICTURES, DRAWINGS], tooltips=["A folder of pictures", ""])
        self._source.add_class("eg-source")
        self._source.observe(guard(self._follow_source, self.complain), "value")
        self._data = DataChoice(self.complain, self._remark, lambda: self._people.look())
        self._people = PeopleChoice(lambda: self._data.ticked, self.complain)
        self._tray = DrawingTray(take_drawing, self.complain)
        names = [name for name in TrainConfig.__dataclass_fields__ if name not in (NOT_HERE | set(FIRST))]
        self._picture_form = SettingsForm([*FIRST, *names], PRESETS[DEFAULT_PRESET])
        self._drawing_form = SettingsForm([name for name in names if self._is_of_drawings(name)], PRESETS["drawings"])
        for form in (self._picture_form, self._drawing_form):
            form["device"].value = self._device
        self._pictures = widgets.VBox([self._data, hint(ONLY_THESE), self._people, self._picture_form, hint(CRITICS)])
        self._drawings = widgets.VBox([hint(presets()["drawings"][1].note), self._tray, self._drawing_form])
        for part in (self._pictures, self._drawings):
            part.add_class("eg-form")
        self._drawings.add_class("eg-hidden")
        self._name = RunName(self._root, self._stem())
        self._start = button(
            "Start fine-tuning", guard(self.start, self.complain), "Train on in the background", "eg-start"
        )
        named = labelled(self._name, f"a folder in {self._root}")
        above = [heading("Go on from a trained model"), self._model, self._source, self._pictures, self._drawings]
        return widgets.VBox([*above, named, start_row(self.error_line, self._start)])

    def _follow_model(self) -> None:
        """The reference settings of the chosen model, and which classes are new to it."""
        if not self._ready:
            return
        self._data.mark_again()
        if not self._model.classes:
            return
        tuned = finetune_config(self._model.name, "", "")
        show(self._people, tuned.reads("sketches"))
        for form, config in (
            (self._picture_form, tuned),
            (self._drawing_form, drawings_config(self._model.name, "", "")),
        ):
            device = form["device"].value
            form.show(config)
            form["device"].value = device
        self.complain(None)

    @staticmethod
    def _is_of_drawings(name: str) -> bool:
        return PRESETS["drawings"].reads(name) and name not in NOT_OF_DRAWINGS

    def _follow_source(self) -> None:
        drawn = self._source.value == DRAWINGS
        show(self._pictures, not drawn)
        show(self._drawings, drawn)
        self._name.propose(self._stem())
        self.complain(None)

    def _stem(self) -> str:
        return "drawings" if self._source.value == DRAWINGS else "finetune"

    def _remark(self, name: str) -> str:
        if not self._model.classes:
            return ""
        return "known" if name in self._model.classes else "new"

    def _check_drawings(self) -> None:
        unknown = sorted({label for _, label in self._tray.drawings} - set(self._model.classes))
        if unknown:
            raise ConfigError(
                f"the model does not draw {', '.join(unknown)}; remove those drawings, or choose a model that does."
            )

    def _looked(self, active: bool) -> None:
        self._start.disabled = active
        self._start.description = "A run is at work" if active else "Start fine-tuning"
        toggle(self, "eg-at-work", active)
        try:
            self._model.list_runs()
        except EdgeGANError as error:
            self.complain(error)

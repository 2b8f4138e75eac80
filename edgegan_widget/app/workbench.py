"""The whole page as tabs."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import ipywidgets as widgets

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.result import Engine
from edgegan_widget.base.runs import JobFolder, find_jobs
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.widgets import classed, guard, refill
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.training.runs.jobs import find_runs

if TYPE_CHECKING:
    from edgegan_widget.panels.data.panel import DataPanel
    from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel
    from edgegan_widget.panels.photo.photopad import PhotoPad
    from edgegan_widget.panels.training.finetune import FinetunePanel
    from edgegan_widget.panels.training.train import TrainPanel

__all__ = ["Workbench"]

LOOK_EVERY_SECONDS = 3.0
PANELS = {
    "Photo": "photo",
    "Data": "data",
    "Train": "train",
    "Fine-tune": "finetune",
    "Evaluate": "evaluate",
}  # tabs, and whose they are


class _Closes(Protocol):
    def close(self) -> None: ...


Made = TypeVar("Made", bound=_Closes)


class Workbench(Panel):
    """Drawing, photos, preparing data, training, fine-tuning and evaluating as tabs that share one pad.

    Parameters
    ----------
    model
        As for :class:`edgegan_widget.SketchPad`.
    device
        ``auto``, ``cpu`` or ``cuda``, for drawing and as the forms' first choice.
    runs
        Folder of the training runs.
    runner
        How the pad's networks are run, see :mod:`edgegan_widget.networks.runners`.

    Attributes
    ----------
    pad
        The :class:`edgegan_widget.SketchPad`. The other tabs' panels are made when first opened or asked for, so that
        the page is ready to draw at once.
    """

    _ticker: Ticker | None = None  # from the start: a page whose making failed is closed as well

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine = "default",
        *,
        device: str = "auto",
        runs: str | os.PathLike[str] = "runs",
        runner: str = AUTO,
    ) -> None:
        super().__init__()
        self.pad = SketchPad(model, device=device, runner=runner, runs=runs)
        self._model, self._runner = model, runner
        self._device, self._runs = device, Path(runs)
        self._preparations = self._runs.parent / "preparations"
        self._made: list[_Closes] = []
        self._places = {name: widgets.VBox([_opening(name)]) for name in ("Draw", *PANELS)}
        refill(self._places["Draw"], [self.pad])
        self._tabs = widgets.Tab([*self._places.values()], titles=[*self._places], selected_index=0)
        self._tabs.add_class("eg-tabs")
        self._tabs.observe(guard(self._opened, self.complain), "selected_index")
        self.children = [self.error_line, self._tabs]
        self.add_class("eg-workbench")
        self._ticker = Ticker(self._look)

    @functools.cached_property
    def photo(self) -> PhotoPad:
        """Photos, in which objects are taken away and others drawn in their place."""
        from edgegan_widget.panels.photo.photopad import PhotoPad

        return self._place("Photo", PhotoPad(self._model, device=self._device, runner=self._runner, runs=self._runs))

    @functools.cached_property
    def data(self) -> DataPanel:
        """From photos to data to train on."""
        from edgegan_widget.panels.data.panel import DataPanel

        return self._place("Data", DataPanel(on_train=self.train_on, preparations=self._preparations))

    @functools.cached_property
    def train(self) -> TrainPanel:
        """Training from new."""
        from edgegan_widget.panels.training.train import TrainPanel

        return self._place("Train", TrainPanel(self._runs, self._device, self.use_model))

    @functools.cached_property
    def finetune(self) -> FinetunePanel:
        """Going on from a trained model."""
        from edgegan_widget.panels.training.finetune import FinetunePanel

        return self._place("Fine-tune", FinetunePanel(self._runs, self._device, self.use_model, self._take_drawing))

    @functools.cached_property
    def evaluate(self) -> EvaluatePanel:
        """Measuring models side by side."""
        from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel

        return self._place("Evaluate", EvaluatePanel(self._runs, self._device, take_drawing=self._take_drawing))

    def show_tab(self, name: str) -> None:
        """Show a tab by its name, such as ``Train``."""
        self._tabs.selected_index = list(self._places).index(name)

    def use_model(self, model: str | os.PathLike[str]) -> None:
        """Put a model on the pad and show it.

        Raises
        ------
        ModelError
            It cannot be used; the pad keeps the one it has.
        """
        self.pad.use_model(model)
        self.show_tab("Draw")

    def train_on(self, data: Path) -> None:
        """Put a data folder in the form of the Train tab and show it."""
        self.train.use_data(data)
        self.show_tab("Train")

    def close(self) -> None:
        """End all threads and take the page away; runs go on."""
        if self._ticker is not None:
            self._ticker.close()
            for part in (self.pad, *self._made):
                part.close()
        super().close()

    def _opened(self) -> None:
        name = list(self._places)[self._tabs.selected_index]
        if name in PANELS:
            getattr(self, PANELS[name])  # made the first time

    def _place(self, name: str, panel: Made) -> Made:
        """Put a panel that was just made into its tab."""
        self._made.append(panel)
        refill(self._places[name], [panel])
        return panel

    def _take_drawing(self) -> tuple[Drawing, str]:
        return self.pad.drawing, self.pad.label

    def _look(self) -> float:
        """Tell in the tabs' titles whether something is prepared, trained or measured; offer the runs' models."""
        runs = find_runs(self._runs)
        active = [run for run in runs if run.status().active]
        tuned = [config is not None and bool(config.start_from) for config in (run.config() for run in active)]
        jobs = find_jobs(self._preparations, ("*/status.json",))
        prepares = any(JobFolder(folder).status().active for folder in jobs)
        measures = "evaluate" in self.__dict__ and self.evaluate.active
        busy = {"Data": prepares, "Train": not all(tuned), "Fine-tune": any(tuned), "Evaluate": measures}
        titles = tuple(f"{name} (running)" if busy.get(name) else name for name in self._places)
        if tuple(self._tabs.titles) != titles:
            self._tabs.titles = titles
        self.pad.list_models(runs)
        return LOOK_EVERY_SECONDS


def _opening(name: str) -> widgets.HTML:
    """What a tab shows until its panel is made; it is in the browser already when the tab is opened."""
    return classed(widgets.HTML(f'<p role="status">Opening {name}…</p>'), "eg-opening")

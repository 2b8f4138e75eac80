"""The whole page as tabs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import ipywidgets as widgets

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.result import Engine
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.widgets import guard
from edgegan_widget.training.runs import find_runs

if TYPE_CHECKING:
    from edgegan_widget.panels.data.panel import DataPanel
    from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel
    from edgegan_widget.panels.training.finetune import FinetunePanel
    from edgegan_widget.panels.training.train import TrainPanel

__all__ = ["Workbench"]

LOOK_EVERY_SECONDS = 3.0


class _Closes(Protocol):
    def close(self) -> None: ...


class Workbench(Panel):
    """Drawing, preparing data, training, fine-tuning and evaluating as tabs that share one pad.

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

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine = "default",
        *,
        device: str = "auto",
        runs: str | os.PathLike[str] = "runs",
        runner: str = AUTO,
    ) -> None:
        super().__init__()
        self.pad = SketchPad(model, device=device, runner=runner)
        self._device, self._runs = device, Path(runs)
        self._makers = {  # in the tabs' order
            "Data": self._make_data,
            "Train": self._make_train,
            "Fine-tune": self._make_finetune,
            "Evaluate": self._make_evaluate,
        }
        self._made: dict[str, _Closes] = {}
        self._places = {name: widgets.VBox([]) for name in ("Draw", *self._makers)}
        self._places["Draw"].children = [self.pad]
        self._tabs = widgets.Tab(list(self._places.values()), titles=list(self._places), selected_index=0)
        self._tabs.add_class("eg-tabs")
        self._tabs.observe(guard(self._opened, self.complain), "selected_index")
        self.children = [self.error_line, self._tabs]
        self.add_class("eg-workbench")
        self._ticker = Ticker(self._look)

    @property
    def data(self) -> DataPanel:
        """From photos to data to train on."""
        return self._panel("Data")  # type: ignore[return-value]

    @property
    def train(self) -> TrainPanel:
        """Training from new."""
        return self._panel("Train")  # type: ignore[return-value]

    @property
    def finetune(self) -> FinetunePanel:
        """Going on from a trained model."""
        return self._panel("Fine-tune")  # type: ignore[return-value]

    @property
    def evaluate(self) -> EvaluatePanel:
        """Measuring models side by side."""
        return self._panel("Evaluate")  # type: ignore[return-value]

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
        ticker = getattr(self, "_ticker", None)  # also called on a widget whose making failed
        if ticker is not None:
            ticker.close()
            for part in (self.pad, *self._made.values()):
                part.close()
        super().close()

    def _opened(self) -> None:
        name = list(self._places)[self._tabs.selected_index]
        if name in self._makers:
            self._panel(name)

    def _panel(self, name: str) -> _Closes:
        """A tab's panel, made the first time."""
        if name not in self._made:
            self._made[name] = self._makers[name]()
            self._places[name].children = [self._made[name]]
        return self._made[name]

    def _make_data(self) -> DataPanel:
        from edgegan_widget.panels.data.panel import DataPanel

        return DataPanel(on_train=self.train_on)

    def _make_train(self) -> TrainPanel:
        from edgegan_widget.panels.training.train import TrainPanel

        return TrainPanel(self._runs, self._device, self.use_model)

    def _make_finetune(self) -> FinetunePanel:
        from edgegan_widget.panels.training.finetune import FinetunePanel

        return FinetunePanel(self._runs, self._device, self.use_model, lambda: (self.pad.drawing, self.pad.label))

    def _make_evaluate(self) -> EvaluatePanel:
        from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel

        return EvaluatePanel(self._runs, self._device, take_drawing=lambda: (self.pad.drawing, self.pad.label))

    def _look(self) -> float:
        """Tell in the tabs' titles whether something is prepared, trained or measured right now."""
        active = [run for run in find_runs(self._runs) if run.status().active]
        tuned = [config is not None and bool(config.start_from) for config in (run.config() for run in active)]
        prepares = "Data" in self._made and self.data.active
        measures = "Evaluate" in self._made and self.evaluate.active
        busy = {"Data": prepares, "Train": not all(tuned), "Fine-tune": any(tuned), "Evaluate": measures}
        titles = tuple(f"{name} (running)" if busy.get(name) else name for name in self._places)
        if tuple(self._tabs.titles) != titles:
            self._tabs.titles = titles
        return LOOK_EVERY_SECONDS

"""The whole page: draw, train, fine-tune; and training runs in the background for code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets
from IPython.display import HTML, display

from edgegan_widget.app import Engine, SketchPad
from edgegan_widget.config import TrainConfig
from edgegan_widget.jobs import Ticker
from edgegan_widget.panels.parts import error_html, guard, style_and_script
from edgegan_widget.panels.run_view import RunView
from edgegan_widget.runs import Run, Status, find_runs, start_run
from edgegan_widget.strokes import Drawing

if TYPE_CHECKING:
    from edgegan_widget.panels.finetune import FinetunePanel
    from edgegan_widget.panels.train import TrainPanel

__all__ = ["Launched", "Workbench", "launch"]

TABS = ("Draw", "Train", "Fine-tune")
LOOK_EVERY_SECONDS = 3.0


class Workbench(widgets.VBox):  # type: ignore[misc]
    """Draw, Train and Fine-tune as tabs that share one pad.

    Parameters
    ----------
    model
        As for :class:`edgegan_widget.SketchPad`.
    device
        ``auto``, ``cpu`` or ``cuda``, for drawing and as the forms' first choice.
    runs
        Folder of the training runs.

    Attributes
    ----------
    pad
        The :class:`edgegan_widget.SketchPad`.
    train, finetune
        The other tabs' panels; None until they are opened, so that the page is ready to draw at once.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine = "default",
        *,
        device: str = "auto",
        runs: str | os.PathLike[str] = "runs",
    ) -> None:
        self.pad = SketchPad(model, device=device)
        self.train: TrainPanel | None = None
        self.finetune: FinetunePanel | None = None
        self._device, self._runs = device, Path(runs)
        self._places = [widgets.VBox([]) for _ in TABS]
        self._places[0].children = [self.pad]
        self._tabs = widgets.Tab(self._places, titles=TABS, selected_index=0)
        self._tabs.add_class("eg-tabs")
        self._tabs.observe(guard(self._open, self._complain), "selected_index")
        self._error = widgets.HTML()
        self._error.add_class("eg-status")
        super().__init__([self._error, self._tabs])
        self.add_class("eg-workbench")
        self.add_class("eg-app")
        self._ticker = Ticker(self._look)

    def use_model(self, model: str | os.PathLike[str]) -> None:
        """Put a model on the pad and show it.

        Raises
        ------
        ModelError
            It cannot be used; the pad keeps the one it has.
        """
        self.pad.use_model(model)
        self._tabs.selected_index = 0

    def close(self) -> None:
        """End all threads and take the page away; runs go on."""
        ticker = getattr(self, "_ticker", None)
        if ticker is not None:
            ticker.close()
            self.pad.close()
            for panel in (self.train, self.finetune):
                if panel is not None:
                    panel.close()
        super().close()

    def _repr_mimebundle_(self, **options: object) -> object:
        display(HTML(style_and_script()))
        return super()._repr_mimebundle_(**options)

    def _open(self) -> None:
        """Make the chosen tab's panel the first time."""
        index = self._tabs.selected_index
        if index == 1 and self.train is None:
            from edgegan_widget.panels.train import TrainPanel

            self.train = TrainPanel(self._runs, self._device, self.use_model)
            self._places[1].children = [self.train]
        if index == 2 and self.finetune is None:
            from edgegan_widget.panels.finetune import FinetunePanel

            self.finetune = FinetunePanel(self._runs, self._device, self.use_model, self._drawn)
            self._places[2].children = [self.finetune]

    def _complain(self, error: Exception | None) -> None:
        self._error.value = "" if error is None else error_html(error)

    def _drawn(self) -> tuple[Drawing, str]:
        return self.pad.drawing, self.pad.label

    def _look(self) -> float:
        """Tell in the tabs' titles whether something is trained right now."""
        active = [run for run in find_runs(self._runs) if run.status().active]
        tuned = [config is not None and bool(config.start_from) for config in (run.config() for run in active)]
        titles = ("Draw", _title("Train", not all(tuned)), _title("Fine-tune", any(tuned)))
        if tuple(self._tabs.titles) != titles:
            self._tabs.titles = titles
        return LOOK_EVERY_SECONDS


def _title(name: str, busy: bool) -> str:
    return f"{name} (running)" if busy else name


class Launched:
    """A run that :func:`launch` started.

    Attributes
    ----------
    run
        The run's folder, from outside.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._panel: RunView | None = None

    @property
    def panel(self) -> RunView:
        """Live view for a notebook cell."""
        if self._panel is None:
            self._panel = RunView(self.run.folder.parent, self.run)
        return self._panel

    @property
    def status(self) -> Status:
        """Where the run stands now."""
        return self.run.status()

    def stop(self) -> None:
        """Ask it to save and end after the step at hand."""
        self.run.stop()

    def wait(self, timeout_seconds: float | None = None) -> Status:
        """Wait until it is over, or for that long; its status then."""
        return self.run.wait(timeout_seconds)

    def __repr__(self) -> str:
        status = self.status
        return f"<{self.run.folder}: {status.state}, step {status.step} of {status.steps}>"


def launch(config: TrainConfig, resume: bool = False) -> Launched:
    """Train in the background, in a process of its own that outlives this one.

    Examples
    --------
    >>> config = TrainConfig.from_preset("compact", data="my_objects", out="runs/first")
    >>> run = launch(config)  # doctest: +SKIP
    >>> run.panel  # live, in a notebook cell  # doctest: +SKIP
    >>> run.stop(); run.wait().state  # doctest: +SKIP
    'stopped'

    Raises
    ------
    ConfigError
        ``data`` (or ``drawings``) or ``out`` is missing.
    TrainingError
        ``out`` holds a run that is at work, or one that is over and is not to be resumed.
    """
    return Launched(start_run(config, resume))

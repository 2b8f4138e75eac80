"""Training runs in the background, for code."""

from __future__ import annotations

from edgegan_widget.base.runs import Status
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.runs.jobs import Run, start_run

__all__ = ["Launched", "launch"]


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
    >>> config = TrainConfig.from_preset("projected", data="my_objects", out="runs/first")
    >>> run = launch(config)  # doctest: +SKIP
    >>> run.panel  # live, in a notebook cell  # doctest: +SKIP
    >>> run.stop(); run.wait().state  # doctest: +SKIP
    'stopped'

    Raises
    ------
    ConfigError, DependencyError, ModelError
        What the run needs is missing, see :func:`edgegan_widget.training.runs.jobs.check_needs`.
    TrainingError
        ``out`` holds a run that is at work, or one that is over and is not to be resumed.
    """
    return Launched(start_run(config, resume))

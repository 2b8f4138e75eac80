"""A training run on the page: follows its folder, stops and resumes it, and compares it with another."""

from __future__ import annotations

import dataclasses
import html
import threading
import time
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import TrainingError
from edgegan_widget.base.runs import Status
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_lines import headline_html, log_html, run_figures, run_line
from edgegan_widget.panels.training.curves import CurveView, History
from edgegan_widget.panels.training.sample_view import SampleView
from edgegan_widget.panels.widgets import Silence, button, classed, folded, guard, offer, row
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.kinds import losses_of
from edgegan_widget.training.runs.jobs import Run, find_runs, start_run
from edgegan_widget.training.runs.resuming import recalled

__all__ = ["RunView"]

LOOK_SECONDS_ACTIVE = 0.5
LOOK_SECONDS_IDLE = 2.0
LIST_EVERY_SECONDS = 4.0
NOTHING = ""  # of a list; None would show an empty line
_NO_RUN = '<div class="eg-figures">No run yet. Choose data and press Start; it is shown here.</div>'


class RunView(Panel):
    """What a run does, live, with the runs before it.

    Parameters
    ----------
    root
        Folder whose runs are listed.
    run
        The run to show; if None the one that is at work, else the latest.
    on_use
        Called with the path of a model to draw with; without it the line of code for that is shown.
    lists
        Tells by its settings, None where they cannot be read, whether a run belongs on this list.
    on_look
        Called after each look with whether a run is at work anywhere below ``root``.
    """

    _ticker: Ticker | None = None  # from the start: a widget whose making failed is closed as well

    def __init__(
        self,
        root: Path | str,
        run: Run | None = None,
        on_use: Callable[[Path], None] | None = None,
        lists: Callable[[TrainConfig | None], bool] = lambda _config: True,
        on_look: Callable[[bool], None] = lambda _active: None,
    ) -> None:
        self._root, self._on_use, self._lists, self._on_look = Path(root), on_use, lists, on_look
        self._lock = threading.RLock()  # the ticker's thread and those of callbacks
        self._known: dict[Path, tuple[Run, TrainConfig | None]] = {}
        self._histories: dict[Path, tuple[Run, History]] = {}
        self._run: Run | None = None
        self._other: Run | None = None
        self._stopping: Path | None = None  # the run that was asked to stop
        self._listed_at = 0.0
        self._silent = Silence()
        self._busy = False  # whether a run is at work below the root
        super().__init__()
        self.children = self._build()
        self.add_class("eg-run")
        if run is not None:
            self._remember(run)
            self._run = run
        self._glance()
        self._ticker = Ticker(self.look)

    # For code --------------------------------------------------------------------------------------------------

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self._run

    def attach(self, run: Run) -> None:
        """Show this run."""
        with self._lock:
            self._remember(run)
            self._run = run
            self._histories.pop(run.folder, None)
            self._listed_at = 0.0
            self.complain(None)
            self._glance()
        self._poke()

    def close(self) -> None:
        """End following and take the widget off the page; the run itself goes on."""
        if self._ticker is not None:
            self._ticker.close()
        super().close()

    def look(self) -> float:
        """Bring the page up to date with the folder.

        Returns
        -------
        Seconds until it is worth looking again.
        """
        with self._lock:
            pause_seconds = LOOK_SECONDS_ACTIVE if self._glance().active else LOOK_SECONDS_IDLE
            shown = [run for run in (self._run, self._other) if run is not None]
            self._samples.show(shown)
            self._log.value = log_html(self._run.log() if self._run is not None else "")
            self._curves.show({run.name: self._history(run) for run in shown})
            return pause_seconds

    def _glance(self) -> Status:
        """The quick part of a look: which runs there are, and where the shown one stands."""
        if time.monotonic() - self._listed_at > LIST_EVERY_SECONDS:
            self._list()
        status = Status("unknown") if self._run is None else self._run.status()
        if not status.active:
            self._stopping = None
        elif self._run is not None and self._run.folder == self._stopping:  # a step may take its time
            status = dataclasses.replace(status, state="stopping", message="It saves and ends after the step at hand.")
        self._show_status(status)
        self._on_look(self._busy or status.active)
        return status

    # Which runs ------------------------------------------------------------------------------------------------

    def _list(self) -> None:
        """Fill the lists of runs, and take the first look at the run to show."""
        self._listed_at = time.monotonic()
        found = [self._remember(run) for run in find_runs(self._root)]
        stands = {run.folder: run.status() for run in found}
        self._busy = any(status.active for status in stands.values())
        mine = [run for run in found if self._is_mine(run)]
        if self._run is None and mine:
            self._run = next((run for run in mine if stands[run.folder].active), mine[0])
        if self._run is not None and self._run not in mine:
            mine.insert(0, self._run)
        lines = {run.folder: run_line(run, stands.get(run.folder) or run.status()) for run in [*found, *mine]}
        chosen = None if self._run is None else self._run.folder
        self._offer(
            self._choice, [(lines[run.folder], str(run.folder)) for run in mine] or [("none yet", NOTHING)], chosen
        )
        others = [run for run in found if run.folder != chosen]
        if self._other is not None and self._other not in others:
            self._other = None
        self._offer(
            self._against,
            [("nothing", NOTHING), *((lines[run.folder], str(run.folder)) for run in others)],
            None if self._other is None else self._other.folder,
        )

    def _remember(self, run: Run) -> Run:
        """The run's first object, which knows its process and how far it was read."""
        known = self._known.get(run.folder)
        if known is None or (run.process is not None and run.process is not known[0].process):
            self._known[run.folder] = known = (run, run.config())
        return known[0]

    def _is_mine(self, run: Run) -> bool:
        config = self._known[run.folder][1] or run.config()
        return self._lists(config)

    def _offer(self, choice: widgets.Dropdown, options: list[tuple[str, str]], chosen: Path | None) -> None:
        with self._silent, choice.hold_sync():
            offer(choice, options)
            choice.value = NOTHING if chosen is None else str(chosen)

    def _history(self, run: Run) -> History:
        if run.folder not in self._histories:
            config = self._known[run.folder][1] or run.config()
            losses = losses_of(None if config is None else config.preset)
            self._histories[run.folder] = Run(run.folder), History(losses=losses)
        reader, history = self._histories[run.folder]
        history.add(reader.new_metrics())
        return history

    def _chosen(self) -> None:
        with self._lock:
            folder = self._choice.value
            if self._silent or folder == NOTHING:
                return
            self._run = self._known[Path(folder)][0]
            self._listed_at = 0.0
            self.complain(None)
            self._glance()
        self._poke()

    def _compared(self) -> None:
        with self._lock:
            if self._silent:
                return
            folder = self._against.value
            self._other = None if folder == NOTHING else self._known[Path(folder)][0]
        self._poke()

    # Stop, resume, use -----------------------------------------------------------------------------------------

    def _stop(self) -> None:
        with self._lock:
            if self._run is not None:
                self._run.stop()
                self._stopping = self._run.folder
                self._glance()
        self._poke()

    def _resume(self) -> None:
        if self._run is None:
            return
        self.attach(start_run(recalled(self._run.folder), resume=True))

    def _use(self) -> None:
        path = self._model.value
        if path == NOTHING:
            raise TrainingError("this run has saved no model yet; wait for its first samples.")
        if self._on_use is None:
            self._said.value = f"In code: <code>SketchPad({html.escape(repr(path))})</code>"
            return
        self._on_use(Path(path))

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build(self) -> list[widgets.Widget]:
        self._choice = self._list_of_runs("Run", "eg-runs", self._chosen)
        self._against = self._list_of_runs("Compare with", "eg-compare", self._compared)
        self._headline, self._said = classed(widgets.HTML(), "eg-headline"), classed(widgets.HTML(), "eg-status")
        stop, resume, use = (guard(action, self.complain) for action in (self._stop, self._resume, self._use))
        self._stop_button = button("Stop", stop, "Save and stop after the step at hand", "eg-stop")
        self._resume_button = button("Resume", resume, "Go on from the last saved state", "eg-resume")
        self._use_button = button("Use this model", use, "Draw with this model now", "eg-use")
        self._model = widgets.Dropdown(options=[("no model yet", NOTHING)], layout={"width": "120px"})
        actions = [self._stop_button, self._resume_button, classed(self._model, "eg-checkpoint"), self._use_button]
        self._curves, self._samples = CurveView(self._poke), SampleView(self._poke)
        self._log = widgets.HTML()
        above = [row([self._choice, self._against]), self._headline, self.error_line, row(actions), self._said]
        return [*above, self._samples, self._curves, folded("Log", self._log)]

    def _list_of_runs(self, label: str, css_class: str, on_choice: Callable[[], None]) -> widgets.Dropdown:
        made = widgets.Dropdown(options=[("", NOTHING)], description=label)
        made.observe(guard(on_choice, self.complain), "value")
        return classed(made, css_class)

    def _show_status(self, status: Status) -> None:
        run = self._run
        self._headline.value = _NO_RUN if run is None else headline_html(run.name, status, run_figures(status))
        self._stop_button.disabled = not status.active or status.pid is None or status.state == "stopping"
        over = run is not None and not status.active and status.state != "finished"
        self._resume_button.disabled = not (over and run is not None and run.can_resume)
        models = {} if run is None else run.checkpoints()
        options = [(name, str(path)) for name, path in models.items()]
        kept = Path(self._model.value)
        keep = kept if kept in models.values() else next(iter(models.values()), None)
        self._offer(self._model, options or [("no model yet", NOTHING)], keep)
        self._use_button.disabled = not models

    def _poke(self) -> None:
        if self._ticker is not None:
            self._ticker.poke()

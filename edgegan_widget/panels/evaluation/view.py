"""An evaluation on the page: follows its folder, stops it, fills the table, opens the pictures behind a number."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.runs import Status
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.folder import (
    EvaluationFolder,
    Pictures,
    Request,
    folder_of,
    latest_evaluation,
    new_folder,
    start_evaluation,
)
from edgegan_widget.evaluation.report.table import judged, left_out_line, not_measured, people_line
from edgegan_widget.panels.evaluation.score_table import Gallery, Place, ScoreTable
from edgegan_widget.panels.run_lines import headline_html
from edgegan_widget.panels.widgets import Say, button, classed, guard, row, show

__all__ = ["EvaluationView"]

LOOK_SECONDS_ACTIVE = 0.3
LOOK_SECONDS_IDLE = 3.0
_NOTHING_YET = '<div class="eg-figures">Nothing measured yet. Choose models and data, and press Start.</div>'
_SAVED = '<div class="eg-state"><b>A saved report</b></div>'


class EvaluationView(widgets.VBox):  # type: ignore[misc]
    """What is measured, live.

    Parameters
    ----------
    root
        Folder of the evaluations; the latest one there is shown, whoever began it.
    on_report
        Called with the report whenever it has grown, and with None when another begins.
    on_look
        Called after each look with whether an evaluation is at work.
    say
        Called with an exception to show, or None.
    """

    _ticker: Ticker | None = None  # from the start: a widget whose making failed is closed as well

    def __init__(
        self,
        root: Path,
        on_report: Callable[[Json | None], None],
        on_look: Callable[[bool], None],
        say: Say,
    ) -> None:
        self._root, self._on_report, self._on_look, self._say = root, on_report, on_look, say
        self._lock = threading.RLock()  # the ticker's thread and those of callbacks
        self._folder: EvaluationFolder | None = latest_evaluation(root)  # that is at work, or has something to show
        self._shown: EvaluationFolder | None = None  # where the table's pictures are
        self._report: Json | None = None
        self._stopping = False
        super().__init__(self._build())
        self.add_class("eg-evaluation")

    def follow(self) -> None:
        """Show the latest evaluation, and keep up with it; called once, when what is told of it can be shown."""
        self.look()
        self._ticker = Ticker(self.look)

    @property
    def report(self) -> Json | None:
        """What was measured, or opened."""
        return self._report

    @property
    def folder(self) -> EvaluationFolder | None:
        """Where the table's pictures are; None where there is no table, or its pictures are gone."""
        return self._shown

    @property
    def active(self) -> bool:
        """Whether an evaluation is at work."""
        return self._folder is not None and self._folder.status().active

    def start(self, request: Request) -> None:
        """Measure anew; what was measured before gives way.

        Raises
        ------
        ConfigError
            Another one is at work.
        """
        with self._lock:
            self._refuse_while_at_work()
            latest = start_evaluation(request, new_folder(self._root))
            self._folder, self._stopping = latest, False
            self._forget_table()  # numbers of another evaluation under this one's name would mislead
            self.look()
        if self._ticker is not None:
            self._ticker.poke()

    def show_saved(self, report: Json) -> None:
        """Show a saved report, with its pictures where they are still there.

        Raises
        ------
        ConfigError
            An evaluation is at work.
        """
        with self._lock:
            self._refuse_while_at_work()
            self._forget_table()
            self._folder, self._stopping = None, False
            self._shown = folder_of(self._root, report)
            self._show_report(report)
            self.look()

    def _refuse_while_at_work(self) -> None:
        if self._folder is not None and self.active:
            raise ConfigError(f"{self._folder.name} is at work; wait for it, or stop it.")

    def stop(self) -> None:
        """Ask the evaluation to end; what was measured stays."""
        with self._lock:
            if self._folder is not None:
                self._folder.stop()
                self._stopping = True
                self.look()

    def wait(self, timeout_seconds: float | None = None) -> Status | None:
        """Wait until the evaluation is over, or for that long; where it stands then, None where there is none."""
        status = None if self._folder is None else self._folder.wait(timeout_seconds)
        self.look()
        return status

    def pictures(self, model: int, place: int) -> Pictures | None:
        """What a model drew of a set, both by their places in the report."""
        return None if self._shown is None else self._shown.pictures(model, place)

    def look(self) -> float:
        """Bring the page up to date with the folder.

        Returns
        -------
        Seconds until it is worth looking again.
        """
        with self._lock:
            status = None if self._folder is None else self._folder.status()
            active = status is not None and status.active
            if self._folder is not None:
                report = self._folder.report()
                if report is not None and self._shown is not self._folder:
                    self._forget_table()
                    self._shown = self._folder
                if report is not None and report is not self._report:
                    self._show_report(report)
            self._show_status(status)
            self._on_look(active)
            return LOOK_SECONDS_ACTIVE if active else LOOK_SECONDS_IDLE

    def close(self) -> None:
        """Stop following and take the widget off the page; an evaluation goes on."""
        if self._ticker is not None:
            self._ticker.close()
        super().close()

    def _forget_table(self) -> None:
        """Take the table and its pictures away."""
        self._shown, self._report = None, None
        self._gallery.clear()
        self._table.clear()
        self._about.value = ""
        self._on_report(None)

    def _build(self) -> list[widgets.Widget]:
        self._headline, self._about = classed(widgets.HTML(), "eg-headline"), classed(widgets.HTML(), "eg-about")
        tip = "End the evaluation; what was measured stays"
        self._stop_button = button("Stop", guard(self.stop, self._say), tip, "eg-stop")
        self._gallery = Gallery(lambda: self._table.press(None), self._say)
        self._table = ScoreTable(self._gallery, self._open_cell, self._say)
        return [row([self._headline, self._stop_button]), self._about, self._table]

    def _show_status(self, status: Status | None) -> None:
        none = _NOTHING_YET if self._report is None else _SAVED
        self._headline.value = none if status is None else headline_html("Evaluation", status)
        active = status is not None and status.active
        reached = self._folder is not None and (self._folder.process is not None or bool(status and status.pid))
        self._stop_button.disabled = not active or self._stopping or not reached
        show(self._stop_button, active)

    def _show_report(self, report: Json) -> None:
        self._report = report
        self._about.value = _about(report)
        self._table.show(report)
        self._on_report(report)

    def _open_cell(self, chosen: Place) -> None:
        with self._lock:
            if self._report is None:
                raise EdgeGANError("this table is gone; choose a number of the table that is shown.")
            model, place, metric = chosen
            self._gallery.show(self._report, model, place, metric, self.pictures(model, place))
            self._table.press(chosen)


def _about(report: Json) -> str:
    """What was held against what."""
    counts = {split: sum(by_class.values()) for split, by_class in report["data"].items()}
    classes = len(report["classes"])
    told = (
        f"{classes} class{'es' * (classes != 1)}; {counts['train']:,} training and {counts['val']:,} held-out pictures."
    )
    said = filter(None, [told, judged(report), not_measured(report), people_line(report), left_out_line(report)])
    return f"<p>{html.escape(' '.join(said))}</p>"

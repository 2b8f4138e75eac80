"""A preparation on the page: follows its folder, stops it, and tells what came of it, whoever began it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.runs import Status
from edgegan_widget.data.preparing.jobs import Figures, latest_preparation, start_preparation
from edgegan_widget.data.preparing.plan import Audit, Plan
from edgegan_widget.panels.run_lines import headline_html, log_html
from edgegan_widget.panels.widgets import button, guard, show

__all__ = ["Preparation"]

LOOK_SECONDS_ACTIVE = 0.3
LOOK_SECONDS_IDLE = 3.0
_MOST_SHOWN = 60  # problems; all of them are in problems.txt
_BEGUN = "This folder was begun and is not done; it goes on from there."


class Preparation(widgets.VBox):  # type: ignore[misc]
    """Shows a preparation or an audit, which goes on when the page or the kernel ends.

    Parameters
    ----------
    root
        Folder of the preparations; the latest one there is shown, whoever began it.
    on_change
        Called with True once something is at work, and with False once it is over.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    line, stop_button, left_out
        What is told, the button beside it, and folded away what could not be used.
    """

    def __init__(self, root: Path, on_change: Callable[[bool], None], say: Callable[[Exception | None], None]) -> None:
        self._root, self._on_change = root, on_change
        self._lock = threading.RLock()  # the ticker's thread and those of callbacks
        self._job = latest_preparation(root)
        self._at_work = self._stopping = False
        self.line = widgets.HTML()
        self.line.add_class("eg-headline")
        self.stop_button = button("Stop", guard(self.stop, say), "What was made stays", "eg-stop-preparing")
        self.left_out = widgets.Accordion([widgets.HTML()], selected_index=None)
        self.left_out.add_class("eg-folded")
        super().__init__([self.line, self.stop_button, self.left_out])
        self.add_class("eg-preparation")
        self._show_nothing()

    def follow(self) -> None:
        """Keep up with the preparation; called once, when what is told of it can be shown."""
        self.look()
        self._ticker = Ticker(self.look)

    @property
    def active(self) -> bool:
        """Whether something is prepared or judged right now."""
        return self._job is not None and self._job.status().active

    @property
    def work(self) -> Plan | Audit | None:
        """What is prepared or judged, or was at last."""
        return None if self._job is None else self._job.work()

    def start(self, work: Plan | Audit) -> None:
        """Begin.

        Raises
        ------
        ConfigError
            Something is being prepared already.
        DataError
            The folder of the preparations cannot be written.
        """
        with self._lock:
            self._job = start_preparation(work, self._root)
            self._stopping, self._at_work = False, True
            self._on_change(True)
            self.look()
        self._ticker.poke()

    def stop(self) -> None:
        """Stop after what is at hand; what was made stays."""
        with self._lock:
            if self._job is not None:
                self._job.stop()
                self._stopping = True
                self.look()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until it is over and told; False where that took longer."""
        if self._job is not None:
            self._job.wait(timeout_seconds)
        self.look()
        return not self.active

    def note(self, folder: Path | None, begun: bool) -> None:
        """Tell of the folder that is named now: what became of it at last, or that it was begun, or nothing."""
        with self._lock:
            if self.active:
                return
            latest = latest_preparation(self._root)
            if latest != self._job:  # begun on another page
                self._job, self._stopping = latest, False
            if not self.active and (folder is None or self._job is None or not self._job.told_of(folder)):
                self._job = None
                self._show_nothing()
                if folder is not None and begun:
                    self._tell(folder.name, Status("stopped", message=_BEGUN), Figures())
            self.look()

    def look(self) -> float:
        """Bring the page up to date with the folder.

        Returns
        -------
        Seconds until it is worth looking again.
        """
        with self._lock:
            active = False
            if self._job is not None:
                status, data = self._job.status(), self._job.data
                active = status.active
                self._tell(self._job.name if data is None else data.name, status, self._job.figures())
            was_at_work, self._at_work = self._at_work, active
            if was_at_work != active:
                self._on_change(active)
            return LOOK_SECONDS_ACTIVE if active else LOOK_SECONDS_IDLE

    def close(self) -> None:
        """Stop following and take the widget off the page; a preparation goes on."""
        ticker = getattr(self, "_ticker", None)
        if ticker is not None:
            ticker.close()
        super().close()

    def _tell(self, name: str, status: Status, figures: Figures) -> None:
        show(self.line, True)
        self.line.value = headline_html(name, status, _spoken(status, figures))
        reached = self._job is not None and (self._job.process is not None or status.pid is not None)
        stopping = self._stopping and status.active
        self.stop_button.disabled = stopping or not reached
        self.stop_button.description = "Stopping…" if stopping else "Stop"
        show(self.stop_button, status.active)
        self._show_left_out(figures.left_out)

    def _show_nothing(self) -> None:
        for part in (self.line, self.stop_button, self.left_out):
            show(part, False)
        self.line.value = ""

    def _show_left_out(self, problems: tuple[str, ...]) -> None:
        show(self.left_out, problems)
        titles, shown = (f"Left out ({len(problems):,})",), log_html("\n".join(problems[:_MOST_SHOWN]))
        if self.left_out.titles != titles or self.left_out.children[0].value != shown:
            self.left_out.titles, self.left_out.children[0].value = titles, shown


def _spoken(status: Status, figures: Figures) -> Iterator[str]:
    """What a preparation tells in numbers."""
    if status.steps:
        yield f"{status.step:,} of {status.steps:,} sources"
    elif status.step:
        yield f"{status.step:,} so far"
    if figures.objects:
        yield f"{figures.objects:,} objects"
    if figures.reused:
        yield f"{figures.reused:,} were there"
    if figures.problems:
        yield f"{figures.problems:,} left out"

"""Long work on a data folder, on the page: what is done, how far it is, stop, and what came of it."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator

import ipywidgets as widgets

from edgegan_widget.base.background import Follower
from edgegan_widget.data.finish import Summary
from edgegan_widget.data.plan import Step
from edgegan_widget.panels.run_lines import log_html, spoken_time
from edgegan_widget.panels.widgets import button, guard, show

__all__ = ["Preparation"]

_MOST_SHOWN = 60  # problems; all of them are in problems.txt


class Preparation(widgets.VBox):  # type: ignore[misc]
    """Follows the steps of a preparation or an audit beside the page.

    Parameters
    ----------
    on_end
        Called once the work is over, with the error that ended it, or None.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_end: Callable[[Exception | None], None], say: Callable[[Exception | None], None]) -> None:
        self._on_end, self._last = on_end, Step("")
        self._follower: Follower[Step] = Follower(self._told, self._ended)
        self._line = widgets.HTML()
        self._line.add_class("eg-headline")
        self._stop_button = button("Stop", guard(self.stop, say), "What was made stays", "eg-stop-preparing")
        self._problems = widgets.HTML()
        self._folded = widgets.Accordion([self._problems], titles=("Left out",), selected_index=None)
        self._folded.add_class("eg-folded")
        super().__init__([self._line, self._stop_button, self._folded])
        self.add_class("eg-preparation")
        self._show_problems(())
        self.note("")

    @property
    def active(self) -> bool:
        """Whether something is done right now."""
        return self._follower.active

    def start(self, steps: Iterator[Step]) -> bool:
        """Begin; False where something else is being done."""
        if self._follower.active:
            return False
        self._began, self._last = time.monotonic(), Step("Starting")
        self._show_problems(())
        self._told(self._last)
        return self._follower.start(steps)

    def stop(self) -> None:
        """Stop after what is at hand."""
        self._follower.stop()
        self._stop_button.disabled = True
        self._stop_button.description = "Stopping…"

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until it is over; False where that took longer."""
        return self._follower.wait(timeout_seconds)

    def note(self, text: str, chip: str = "") -> None:
        """Say something while nothing is done; an empty text takes the line away."""
        self._line.value = _headline(text, chip, "", "") if text else ""
        show(self._line, text)
        self._show_stop(False)

    def _told(self, step: Step) -> None:
        """In the worker: a step."""
        self._last = step
        self._line.remove_class("eg-hidden")
        self._line.value = _headline(step.doing, "running", _bar(step), self._figures(step))
        if not self._stop_button.disabled or self._stop_button.description == "Stop":
            self._show_stop(True)

    def _ended(self, error: Exception | None, stopped: bool) -> None:
        """In the worker: it is over."""
        progress = self._last.progress
        summary = None if progress is None else progress.summary
        if summary is not None:
            self.note(_result(summary), "finished")
            self._show_problems(self._last.problems)
        elif error is not None:
            self.note("What was made stays.", "failed")
        elif stopped:
            at = "" if progress is None else f" at {progress.sources:,} of {self._last.total:,}"
            self.note(f"Stopped{at}. What was made stays; it goes on from there.", "stopped")
        self._on_end(error)

    def _figures(self, step: Step) -> str:
        progress = step.progress
        if progress is None:
            return f"<span>{step.total:,} so far</span>" if step.total else ""
        parts = [f"{progress.sources:,} of {step.total:,} sources", f"{progress.objects:,} objects"]
        made, seconds = progress.sources - progress.reused, time.monotonic() - self._began
        if made > 0 and seconds > 2 and progress.sources < step.total:
            parts.append(f"{spoken_time((step.total - progress.sources) * seconds / made)} left")
        if progress.reused:
            parts.append(f"{progress.reused:,} were there")
        problems = progress.problems + len(step.problems)
        if problems:
            parts.append(f"{problems:,} left out")
        return "".join(f"<span>{part}</span>" for part in parts)

    def _show_stop(self, active: bool) -> None:
        self._stop_button.disabled, self._stop_button.description = not active, "Stop"
        show(self._stop_button, active)

    def _show_problems(self, problems: tuple[str, ...]) -> None:
        show(self._folded, problems)
        self._folded.titles = (f"Left out ({len(problems):,})",)
        self._problems.value = log_html("\n".join(problems[:_MOST_SHOWN]))


def _headline(text: str, chip: str, bar: str, figures: str) -> str:
    mark = f' <span class="eg-chip eg-{chip}">{chip}</span>' if chip else ""
    return f'<div class="eg-state"><b>{html.escape(text)}</b>{mark}</div>{bar}<div class="eg-figures">{figures}</div>'


def _bar(step: Step) -> str:
    known = step.progress is not None and step.total
    value = f' value="{step.progress.sources / step.total:.4f}"' if known and step.progress is not None else ""
    return f'<progress class="eg-bar" max="1"{value} aria-label="Progress of the preparation"></progress>'


def _result(summary: Summary) -> str:
    parts = [f"{summary.pictures.total():,} pictures to train and validate on", summary.outcome]
    if summary.problems:
        parts.append(f"{summary.problems:,} could not be used")
    return ", ".join(parts) + "."

"""The process that prepares for a page; see :mod:`edgegan_widget.data.preparing.jobs` for what it writes."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.runs import DeferredSignals, Stopped, Teller, outcome
from edgegan_widget.data.preparing.finish import Summary
from edgegan_widget.data.preparing.jobs import Figures, PreparationFolder
from edgegan_widget.data.preparing.plan import Step, follow

__all__ = ["Pace", "result", "work"]

TELL_EVERY_SECONDS = 0.25
LEAST_SECONDS, LEAST_SOURCES = 1.0, 3  # before that, the time left would be a guess


def work(folder: Path) -> str:
    """Do what the folder asks for; returns the state in which it ended."""
    writer = _Writer(folder)
    with DeferredSignals() as signals:
        state, message = outcome(lambda: _prepare(folder, writer, signals))
        writer.end(state, message)
    return state


def _prepare(folder: Path, writer: _Writer, signals: DeferredSignals) -> None:
    """Step by step; asked to stop, it takes no further one, and what was made is gone on with later."""
    asked = PreparationFolder(folder).work()
    if asked is None:
        raise ConfigError(f"{folder} holds neither plan nor audit that can be read; start the preparation anew.")
    with contextlib.closing(follow(asked)) as steps:
        for step in steps:
            writer.tell(step)
            if signals.received and not writer.result:
                raise Stopped(f"Stopped{writer.at}. What was made stays; it goes on from there.")


class Pace:
    """How long the rest takes, at the rate since the first source that was made now.

    What came before it took time of another kind: starting processes, reading lists, drawing the sample; and what was
    there already took none.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None  # sources that were made, and when

    def seconds_left(self, step: Step, now: float) -> float:
        """Seconds from ``now``, a monotonic time; 0 as long as that would be a guess."""
        progress = step.progress
        made = 0 if progress is None else progress.sources - progress.reused
        if progress is None or not made or not progress.sources < step.total:
            return 0.0
        if self._first is None:
            self._first = made, now
        sources, seconds = made - self._first[0], now - self._first[1]
        if sources < LEAST_SOURCES or seconds < LEAST_SECONDS:
            return 0.0
        return (step.total - progress.sources) * seconds / sources


class _Writer:
    """Writes down how far it is, and at the end what came of it."""

    def __init__(self, folder: Path) -> None:
        self.result = ""
        self._folder, self._teller = PreparationFolder(folder), Teller(folder)
        self._step, self._left = Step("Starting"), 0.0
        self._pace, self._told_at = Pace(), time.monotonic()
        self._write("running", self._step.doing)

    @property
    def at(self) -> str:
        """How far it is, in words."""
        progress = self._step.progress
        return "" if progress is None or not self._step.total else f" at {progress.sources:,} of {self._step.total:,}"

    def tell(self, step: Step) -> None:
        """Write down where it is, as often as somebody may look."""
        changed = step.doing != self._step.doing
        self._step = step
        self._left = self._pace.seconds_left(step, time.monotonic())
        if step.progress is not None and step.progress.summary is not None:
            self.result = result(step.progress.summary)
        elif changed or time.monotonic() - self._told_at > TELL_EVERY_SECONDS:
            self._write("running", step.doing)

    def end(self, state: str, message: str) -> None:
        """Write the last word."""
        self._write(state, self.result if state == "finished" else message)

    def _write(self, state: str, message: str) -> None:
        """The figures first: who sees the end sees them too."""
        step, progress = self._step, self._step.progress
        left = 0.0
        if progress is not None:
            count = max(progress.problems, len(step.problems))
            self._folder.tell(Figures(progress.reused, progress.objects, count, step.problems))
            left = self._left if state == "running" else 0.0
        done, of = (step.total, 0) if progress is None else (progress.sources, step.total)
        self._teller.tell(state=state, message=message, step=done, steps=of, seconds_left=left)
        self._told_at = time.monotonic()


def result(summary: Summary) -> str:
    """What came of it, in a sentence."""
    parts = [f"{summary.pictures.total():,} pictures to train and validate on", summary.outcome]
    if summary.problems:
        parts.append(f"{summary.problems:,} could not be used")
    return ", ".join(parts) + "."


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sys.exit(work(Path(sys.argv[1])) == "failed")

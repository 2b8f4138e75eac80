"""The process that measures for a page; see :mod:`edgegan_widget.evaluation.folder` for what it writes."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.needs import device_of
from edgegan_widget.base.runs import Teller, outcome, stoppable
from edgegan_widget.base.settings import from_json
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.evaluate import Step, evaluate
from edgegan_widget.evaluation.features import CLASSIFIER_BATCH
from edgegan_widget.evaluation.folder import STEPS, Request
from edgegan_widget.evaluation.judge import Evaluation
from edgegan_widget.evaluation.report.page import page
from edgegan_widget.evaluation.report.pictures import pictures_of
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.runners import ON_TORCH

__all__ = ["work"]


TELL_EVERY_SECONDS = 0.25
LEAST_SHARE = 0.03  # before that, the time left would be a guess


def work(folder: Path) -> str:
    """Do what the folder asks for; returns the state in which it ended."""
    writer = _Writer(folder)
    state, message = outcome(lambda: _measure(folder, writer))
    writer.end(state, "What was measured stays." if state == "stopped" else message)
    return state


def _measure(folder: Path, writer: _Writer) -> None:
    with stoppable():
        for step in _steps(folder):
            writer.tell(step)


def _steps(folder: Path) -> Iterator[Step]:
    """What is asked for, step by step."""
    request = from_json(Request, (folder / "request.json").read_text("utf-8"))
    models = []
    for name, place in request.models:
        yield Step(0.0, f"loading {name}")
        models.append(EdgeGAN.from_pretrained(place, request.device, ON_TORCH[device_of(request.device)]))
        models[-1].name = name
    yield Step(0.0, "reading the pictures")
    yield from evaluate(models, request.data, request.sketches or None, request.config)


class _Writer:
    """Writes down how far it is, and each set as soon as it is measured."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._teller = Teller(folder)
        self._told_at, self._fraction, self._message = 0.0, 0.0, ""
        self._learning: tuple[int, int] | None = None  # steps of the classifier, of how many
        self._learning_since: tuple[float, int] | None = None  # when, and at which of them
        self._drawing_since: float | None = None
        self._so_far: Evaluation | None = None
        self._row: Json | None = None
        self._saved: set[tuple[int, int]] = set()

    def tell(self, step: Step) -> None:
        """Write what a step brought."""
        if step.so_far is not None:
            self._so_far = step.so_far
        if step.row is not None:
            self._row = step.row
            self._save_rows()
        changed = step.message != self._message
        self._fraction, self._message, self._learning = step.fraction, step.message, step.classifier
        if step.classifier is not None and self._learning_since is None:
            self._learning_since = time.monotonic(), step.classifier[0]
        if changed or time.monotonic() - self._told_at > TELL_EVERY_SECONDS:
            self._write("running", _told(step))

    def end(self, state: str, message: str) -> None:
        """Write the page of the models that are done, and the last word."""
        self._write(state if state == "failed" else "running", message or "writing the report")
        if self._so_far is not None:
            self._save_rows()
            if self._so_far.report["models"]:  # a page of none would have nothing to show
                write_bytes(self._folder / "report.html", page(_whole_models(self._so_far)))
        self._write(state, message)

    def _write(self, state: str, message: str) -> None:
        self._told_at = time.monotonic()
        step, steps = self._learning or (round(STEPS * self._fraction), STEPS)
        left = self._seconds_left() if self._learning is None else self._seconds_to_learn(*self._learning)
        self._teller.tell(state=state, step=step, steps=steps, message=message, seconds_left=left)

    def _seconds_to_learn(self, done: int, of: int) -> float:
        """How long the classifier still learns, at the rate since its first step."""
        since, first = self._learning_since or (0.0, done)
        return (time.monotonic() - since) * (of - done) / (done - first) if done > first else 0.0

    def _seconds_left(self) -> float:
        """As long as pictures have been drawn and are to be drawn at that rate; 0 as long as that would be a guess."""
        if self._fraction and self._drawing_since is None:
            self._drawing_since = time.monotonic()
        if self._drawing_since is None or self._fraction < LEAST_SHARE:
            return 0.0
        return (time.monotonic() - self._drawing_since) * (1 - self._fraction) / self._fraction

    def _save_rows(self) -> None:
        """Pictures first: a row that can be seen can be clicked."""
        if self._so_far is None:
            return
        names = [given["name"] for given in self._so_far.report["sets"]]
        for model, sets in enumerate(self._so_far.scored.values()):
            for name, scored in sets.items():
                key = (model, names.index(name))
                if key not in self._saved:
                    pictures_of(scored, self._so_far).save(self._folder / "pictures", *key)
                    self._saved.add(key)
        done = self._so_far.report["models"]
        row = [] if self._row is None or self._row in done else [self._row]
        report = self._so_far.report | {"models": [*done, *row]}
        write_bytes(self._folder / "report.json", json.dumps(report, indent=1) + "\n")


def _told(step: Step) -> str:
    """What is done now, counted where the classifier learns."""
    if step.classifier is None:
        return step.message
    done, of = step.classifier
    seen, to_see = done * CLASSIFIER_BATCH, of * CLASSIFIER_BATCH
    return f"{step.message}: step {done:,} of {of:,}, {seen:,} of {to_see:,} pictures seen; then the models draw"


def _whole_models(evaluation: Evaluation) -> Evaluation:
    """Without the model that was at work when it was stopped."""
    done = [row["name"] for row in evaluation.report["models"]]
    return Evaluation(evaluation.report, {name: evaluation.scored[name] for name in done}, evaluation.train)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sys.exit(work(Path(sys.argv[1])) == "failed")

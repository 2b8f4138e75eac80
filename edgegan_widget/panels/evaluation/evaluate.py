"""Evaluating models: which is better, at what, and where does it fail?"""

from __future__ import annotations

import html
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.files import telling, write_bytes
from edgegan_widget.base.runs import Status
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.folder import keep_pictures
from edgegan_widget.evaluation.report.table import read_report
from edgegan_widget.networks.find import packaged
from edgegan_widget.panels.evaluation.form import EvaluateForm
from edgegan_widget.panels.evaluation.one_drawing import OneDrawing
from edgegan_widget.panels.evaluation.view import EvaluationView
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_parts import start_row
from edgegan_widget.panels.widgets import button, classed, guard, heading, row, starting, uploaded
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["EvaluatePanel"]

FIRST_MODEL = "default"


class EvaluatePanel(Panel):
    """Measure models side by side and see what is behind each number: for a notebook cell, and a tab of the dashboard.

    The work is done in a process of its own, so that a pad beside it stays live; it ends with the panel.

    Parameters
    ----------
    runs
        Folder whose runs can be chosen.
    device
        ``auto``, ``cpu`` or ``cuda``.
    models
        Names or folders chosen at first; None takes the shipped model.
    data, sketches
        Folders named at first.
    config
        The settings at first; None takes the defaults.
    reports
        Where reports are saved; None takes ``evaluations`` beside ``runs``.
    take_drawing
        Returns the drawing on a pad and its class; without it there are only drawings of the sets.

    Examples
    --------
    >>> EvaluatePanel(models=["default", "runs/first"], data="my_objects")  # in a notebook cell  # doctest: +SKIP

    Raises
    ------
    ModelError
        One of ``models`` cannot be used.
    """

    def __init__(
        self,
        runs: str | os.PathLike[str] = "runs",
        device: str = "auto",
        models: Sequence[str | os.PathLike[str]] | None = None,
        data: str | os.PathLike[str] = "",
        sketches: str | os.PathLike[str] = "",
        config: EvaluationConfig | None = None,
        reports: str | os.PathLike[str] | None = None,
        take_drawing: Callable[[], tuple[Drawing, str]] | None = None,
    ) -> None:
        self._parts: list[EvaluationView | OneDrawing] = []  # from the start: one whose making failed is closed as well
        super().__init__()
        self._reports = Path(runs).parent / "evaluations" if reports is None else Path(reports)
        self._why = classed(hint(""), "eg-why")
        self._active = False
        self._form = EvaluateForm(Path(runs), device, config or EvaluationConfig(), self.complain, self._allow)
        for model in _first_models() if models is None else models:
            self._form.models.add(os.fspath(model))
        self._form.fill(os.fspath(data), os.fspath(sketches))
        self._build(device, take_drawing)
        classed(self, "eg-training", "eg-evaluate")

    @property
    def report(self) -> Json | None:
        """The table's numbers as the JSON of ``edgegan-widget evaluate``; None as long as nothing was measured."""
        return self._view.report

    @property
    def active(self) -> bool:
        """Whether something is measured right now."""
        return self._view.active

    def start(self) -> None:
        """Measure what the form says; numbers on the page give way.

        Raises
        ------
        EdgeGANError
            Something is missing or out of its range.
        """
        with starting(self._start):
            self._view.start(self._form.request)
        self.complain(None)
        self._said.value = ""

    def stop(self) -> None:
        """End the evaluation; what was measured stays."""
        self._view.stop()

    def wait(self, timeout_seconds: float | None = None) -> Status | None:
        """Wait until the evaluation is over, or for that long; where it stands then, None where there is none."""
        return self._view.wait(timeout_seconds)

    def save(self) -> Path:
        """Write the report as JSON with its pictures, and as a page where it is over; returns the JSON's path.

        Raises
        ------
        ConfigError
            Nothing was measured yet.
        DataError
            The files cannot be written.
        """
        report, folder = self._view.report, self._view.folder
        if report is None or not report["models"]:
            raise ConfigError("there is nothing to save yet; press Start and wait for the first row.")
        path = _free_path(self._reports)
        with telling(path, "written", "choose another folder"):
            write_bytes(path, json.dumps(report, indent=1) + "\n")
            if folder is not None and folder.page.is_file():
                shutil.copyfile(folder.page, path.with_suffix(".html"))
        if folder is not None:
            keep_pictures(folder, report, path.with_suffix(".pictures"))
        return path

    def open_report(self, path: str | os.PathLike[str]) -> None:
        """Show a saved report's table, and the pictures behind it where they are still there.

        Raises
        ------
        DataError
            It is no report; the numbers on the page stay.
        """
        with telling(os.fspath(path), "read", "choose another file"):
            content = Path(path).read_bytes()
        self._view.show_saved(read_report(content))

    def close(self) -> None:
        """Take the panel off the page; an evaluation goes on, and saved reports stay."""
        for part in self._parts:
            part.close()
        super().close()

    def _build(self, device: str, take: Callable[[], tuple[Drawing, str]] | None) -> None:
        self._start = button("Start", guard(self.start, self.complain), "Measure these models", "eg-start")
        tip = "Save the numbers as JSON, and the page with its pictures as HTML"
        self._save = button("Save report", guard(self._save_clicked, self.complain), tip, "eg-save-report")
        self._save.disabled = True
        about = "Show the table of a saved report"
        self._upload = classed(widgets.FileUpload(accept=".json", multiple=False, tooltip=about), "eg-open-report")
        self._upload.observe(guard(self._opened, self.complain), "value")
        self._said = classed(widgets.HTML(), "eg-status")
        self._drawing = OneDrawing(device, lambda: self._form.models.chosen, take, self.complain)
        self._view = EvaluationView(self._reports, self._show_report, self._looked, self.complain)
        self._parts = [self._view, self._drawing]
        files = row([self._save, self._upload, self._said])
        go = start_row(widgets.VBox([self.error_line, self._why]), self._start)
        title = heading("Which model is better, at what, and where does it fail?")
        self.children = [title, self._form, go, self._view, files, self._drawing]
        self._allow()
        self._view.follow()

    def _show_report(self, report: Json | None) -> None:
        self._drawing.show(report, lambda model, place: self._view.pictures(model, place))
        self._save.disabled = report is None

    def _looked(self, active: bool) -> None:
        self._start.description = "Measuring…" if active else "Start"
        self._upload.disabled = active
        if active != self._active or self._start.disabled:  # what was missing may have come
            self._active = active
            self._allow()
        if active:
            return
        try:
            self._form.models.list_runs()
        except EdgeGANError as error:
            self.complain(error)

    def _allow(self) -> None:
        """Offer to start where that can succeed, and say why where it cannot."""
        if not hasattr(self, "_start"):  # while the form is being made
            return
        missing = "" if self._active else self._form.missing
        self._start.disabled = self._active or bool(missing)
        if self._why.value != (told := html.escape(missing)):
            self._why.value = told

    def _save_clicked(self) -> None:
        path = self.save()
        self.complain(None)
        beside = " and the page beside it" if path.with_suffix(".html").is_file() else ""
        self._said.value = html.escape(f"Saved {path}{beside}.")

    def _opened(self) -> None:
        for name, content in uploaded(self._upload):
            self._view.show_saved(read_report(content))
            self.complain(None)
            self._said.value = html.escape(f"Opened {name}.")


def _first_models() -> list[str]:
    return [FIRST_MODEL] if any((root / FIRST_MODEL).is_dir() for root in packaged("models")) else []


def _free_path(folder: Path) -> Path:
    stem = time.strftime("evaluation-%Y%m%d-%H%M%S")
    names = (f"{stem}{'' if number == 1 else f'-{number}'}.json" for number in itertools.count(1))
    return next(path for name in names if not (path := folder / name).exists())

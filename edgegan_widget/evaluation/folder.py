"""An evaluation from outside: a job (:mod:`edgegan_widget.base.runs`), which outlives the page and leaves the pad live.

=============================  ========================================================================================
file                           content
=============================  ========================================================================================
``request.json``               what is measured, and how
``status.json``                state, process, share that is done
``report.json``                the report as far as it is; replaced at every row
``report.html``                the page, once it is over, of the models that were done
``pictures/MODEL_SET_*.npy``   what was drawn, and what each picture is worth; MODEL and SET are places in the report
``log.txt``                    what was said
=============================  ========================================================================================
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgegan_widget.base import runs, settings
from edgegan_widget.base.files import telling, write_bytes
from edgegan_widget.base.needs import check_torch
from edgegan_widget.base.runs import JobFolder, find_jobs, start_job
from edgegan_widget.base.units import U8, Json
from edgegan_widget.evaluation.config import EvaluationConfig

__all__ = [
    "EvaluationFolder",
    "folder_of",
    "keep_pictures",
    "Pictures",
    "Request",
    "find_evaluations",
    "latest_evaluation",
    "new_folder",
    "start_evaluation",
]

STEPS = 1000  # that a status counts to
REQUEST = "request.json"
MOST_WITH_PICTURES = 8  # evaluations whose pictures are kept


@dataclass(frozen=True)
class Request:
    """What to measure: names and places of models, data, sketches (or an empty string), and how."""

    models: tuple[tuple[str, str], ...]
    data: str
    sketches: str = ""
    device: str = "auto"
    config: EvaluationConfig = field(default_factory=EvaluationConfig)


@dataclass(frozen=True, eq=False)
class Pictures:
    """What one model made of a set: variation v of drawing n is row n * V + v of M = N * V.

    Arrays stay on disk until rows of them are asked for.

    Attributes
    ----------
    sketches, pictures, edges
        uint8 [N, S, S], [M, T, T, 3] and [M, S, S].
    labels, seen
        [M] Class numbers asked for, and seen by the classifier.
    sources
        [N] What each drawing is called.
    values
        Of single pictures, by the names that metrics give them: [M], or training pictures uint8 [M, R, R, 3].
    """

    sketches: U8
    pictures: U8
    edges: U8
    labels: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]
    values: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def variations(self) -> int:
        """Pictures of each drawing."""
        return len(self.pictures) // len(self.sketches)

    def save(self, folder: Path, model: int, place: int) -> None:
        """Write them where :meth:`load` finds them."""
        folder.mkdir(exist_ok=True)
        own = {name: given for name, given in vars(self).items() if name != "values"}
        for name, given in (own | dict(self.values)).items():
            np.save(folder / f"{model}_{place}_{name}.npy", given)

    @classmethod
    def load(cls, folder: Path, model: int, place: int) -> Pictures | None:
        """Pictures of the model and set at these places; None where there are none."""
        before = f"{model}_{place}_"
        try:
            found = {path.stem[len(before) :]: np.load(path, mmap_mode="r") for path in folder.glob(f"{before}*.npy")}
            own = {each.name: found.pop(each.name) for each in dataclasses.fields(cls) if each.name != "values"}
        except (OSError, ValueError, KeyError):
            return None
        return cls(**own, values=found)


@dataclass
class EvaluationFolder(JobFolder):
    """An evaluation's folder, read while it is being written."""

    gone: ClassVar = "Its process is gone; what was measured stays."
    _read: tuple[tuple[int, int], Json] | None = field(default=None, repr=False, compare=False)

    @property
    def page(self) -> Path:
        """The report as HTML; there once the evaluation is over."""
        return self.folder / "report.html"

    def report(self) -> Json | None:
        """The report as far as it is; the same object as before where nothing was added."""
        path = self.folder / "report.json"
        try:
            about = path.stat()
            stamp = (about.st_mtime_ns, about.st_ino)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return self._read[1]

    def pictures(self, model: int, place: int) -> Pictures | None:
        """What a model drew of a set, both by their places in the report."""
        return Pictures.load(self.folder / "pictures", model, place)


def start_evaluation(request: Request, folder: Path) -> EvaluationFolder:
    """Measure in a process of its own, which goes on when the page or the kernel ends.

    Raises
    ------
    DataError
        The folder cannot be written.
    DependencyError
        PyTorch is not installed.
    """
    check_torch("evaluation")
    words = ["edgegan_widget.evaluation.worker", str(folder)]
    with telling(folder, "written", "choose another folder"):
        return EvaluationFolder(folder, start_job(folder, REQUEST, settings.to_json(request), words))


def find_evaluations(root: Path) -> list[EvaluationFolder]:
    """Evaluations in the folders below ``root``, the latest first."""
    return [EvaluationFolder(place) for place in find_jobs(root, ("*/status.json",)) if (place / REQUEST).is_file()]


def latest_evaluation(root: Path) -> EvaluationFolder | None:
    """The one that is at work, or else the latest that measured something; None where there is neither."""
    found = find_evaluations(root)
    at_work = (one for one in found if one.status().active)
    return next(at_work, None) or next((one for one in found if one.report() is not None), None)


def folder_of(root: Path, report: Json) -> EvaluationFolder | None:
    """The folder below ``root`` with the pictures of a report; None where none has any."""
    for place in sorted(root.glob("*/pictures")):
        found = EvaluationFolder(place.parent)
        if found.report() == report:
            return found
    return None


def keep_pictures(found: EvaluationFolder, report: Json, folder: Path) -> None:
    """Keep the pictures of a report in a folder of their own, where no later evaluation makes them give way.

    Raises
    ------
    DataError
        The folder cannot be written.
    """
    if not (found.folder / "pictures").is_dir():
        return
    with telling(folder, "written", "choose another folder"):
        shutil.copytree(found.folder / "pictures", folder / "pictures", copy_function=_linked)
        write_bytes(folder / "report.json", json.dumps(report) + "\n")


def _linked(source: str, target: str) -> None:
    """The same file under another name, where the system can; pictures are never changed, only taken away."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def new_folder(root: Path) -> Path:
    """A fresh place for an evaluation; all but the last few before it lose their pictures, not their numbers."""
    for old in find_evaluations(root)[MOST_WITH_PICTURES - 1 :]:
        if not old.status().active:
            shutil.rmtree(old.folder / "pictures", ignore_errors=True)
    return runs.new_folder(root, "evaluation")

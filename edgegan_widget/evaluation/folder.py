"""An evaluation in a process of its own, from outside: the pad beside it stays live, and what is done stays.

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

import contextlib
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from edgegan_widget.base import settings
from edgegan_widget.base.files import write_bytes
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.training.runs import NICENESS, Run, Status, write_status

__all__ = ["EvaluationFolder", "Pictures", "Request", "start_evaluation"]

Json = dict[str, Any]
U8 = npt.NDArray[np.uint8]

STEPS = 1000  # that a status counts to
END_SECONDS = 10.0


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
    sketches, pictures, edges, nearest
        uint8 [N, S, S], [M, T, T, 3], [M, S, S], and [M, R, R, 3]: the training picture nearest by pixels.
    labels, seen
        [M] Class numbers asked for, and seen by the classifier.
    right, f_score, chamfer, relative
        [M] As in :class:`edgegan_widget.evaluation.scoring.Scored`.
    sources
        [N] What each drawing is called.
    """

    sketches: U8
    pictures: U8
    edges: U8
    nearest: U8
    labels: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    f_score: npt.NDArray[np.float64]
    chamfer: npt.NDArray[np.float64]
    relative: npt.NDArray[np.float64]
    sources: npt.NDArray[np.str_]

    @property
    def variations(self) -> int:
        """Pictures of each drawing."""
        return len(self.pictures) // len(self.sketches)

    def save(self, folder: Path, model: int, place: int) -> None:
        """Write them where :meth:`load` finds them."""
        folder.mkdir(exist_ok=True)
        for name, values in vars(self).items():
            np.save(folder / f"{model}_{place}_{name}.npy", values)

    @classmethod
    def load(cls, folder: Path, model: int, place: int) -> Pictures | None:
        """Pictures of the model and set at these places; None where there are none."""
        names = [each.name for each in dataclasses.fields(cls)]
        try:
            return cls(*(np.load(folder / f"{model}_{place}_{name}.npy", mmap_mode="r") for name in names))
        except (OSError, ValueError):
            return None


class EvaluationFolder:
    """An evaluation's folder, read while it is being written."""

    def __init__(
        self,
        folder: Path,
        process: subprocess.Popen[bytes] | None = None,
        place: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self.folder, self._place = folder, place
        self._run = Run(folder, process)
        self._read: tuple[tuple[int, int], Json] | None = None

    @property
    def page(self) -> Path:
        """The report as HTML; there once the evaluation is over."""
        return self.folder / "report.html"

    def status(self) -> Status:
        """Where it stands: ``step`` of ``steps`` is the share that is done."""
        status = self._run.status()
        if status.state == "interrupted":
            return dataclasses.replace(status, message="Its process is gone; what was measured stays.")
        return status

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

    def stop(self) -> None:
        """Ask it to end; what was measured stays."""
        self._run.stop()

    def wait(self, timeout_seconds: float | None = None) -> Status:
        """Wait until it is over, or for that long; its status then."""
        self._run.wait(timeout_seconds)
        return self.status()

    def discard(self) -> None:
        """End it at once and remove the folder."""
        if self._run.process is not None:
            _end(self._run.process)
        if self._place is not None:
            self._place.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_evaluation(request: Request, folder: Path | None = None) -> EvaluationFolder:
    """Measure in a process of its own, which ends with the one that asked for it.

    Without a folder a temporary one is taken, which is gone when it is discarded, or when this process ends.
    """
    place = None
    if folder is None:
        place = tempfile.TemporaryDirectory(prefix="edgegan-evaluation-", ignore_cleanup_errors=True)
        folder = Path(place.name)
    write_bytes(folder / "request.json", settings.to_json(request))
    write_status(folder, Status("starting", told_at=time.time()))
    command = [sys.executable, "-m", "edgegan_widget.evaluation.worker", str(folder)]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    with contextlib.suppress(psutil.Error, OSError):  # not every system lets us; it is merely less polite
        psutil.Process(process.pid).nice(NICENESS)
    found = EvaluationFolder(folder, process, place)
    weakref.finalize(found, _end, process)  # also when this process exits
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait(END_SECONDS)

"""Run folders from outside: start, follow, stop and list training runs that live in processes of their own.

The folder is the whole protocol, so whoever looks can come and go: a page that was reloaded or a kernel that was
restarted finds the run again by its folder.

===========================  ==========================================================================================
file                         content
===========================  ==========================================================================================
``config.json``              settings, with version, commit and hardware
``status.json``              state, process, progress; replaced at every report
``metrics.jsonl``            a line a report: step, epoch, losses, rate, memory, and at saves the score
``log.txt``                  what was said
``samples/KIND_STEP.png``    grids of pictures: ``sketches``, ``people``, and ``styles`` or ``latents``
``checkpoints/last.pt``      the training state, to resume from
``checkpoints/NAME``         ``last.safetensors`` and ``best.safetensors``: models to draw with and to fine-tune
===========================  ==========================================================================================
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, TrainingError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.needs import check_needs

__all__ = ["Run", "Status", "find_runs", "start_run"]

SAMPLE_KINDS = ("latents", "styles", "sketches", "people")
ACTIVE = ("starting", "running", "stopping")
START_SECONDS = 90.0  # a process that has said nothing for so long has not started
NICENESS = 15  # a drawing pad beside the run stays live
TAIL_BYTES = 20_000
_children: list[subprocess.Popen[bytes]] = []  # held until they end, whoever else forgets them


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Attributes
    ----------
    state
        ``starting``, ``running``, ``stopping``, or over: ``finished``, ``stopped``, ``failed``, ``interrupted``
        (its process is gone without a word; resume goes on from the last saved state), ``unknown`` (no run here).
    message
        What a person should know, such as why it failed.
    """

    state: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    images_per_second: float = 0.0
    seconds_left: float = 0.0
    memory_mb: float = 0.0
    message: str = ""
    pid: int | None = None
    process_started: float = 0.0
    told_at: float = 0.0
    device: str = ""

    @property
    def active(self) -> bool:
        """Whether its process is at work."""
        return self.state in ACTIVE


@dataclass
class Run:
    """A run folder. Reading it never fails because the run is only half written."""

    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)
    _read_bytes: int = field(default=0, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def config(self) -> TrainConfig | None:
        """The run's settings; None where they cannot be read."""
        for name in ("config.json", "launch.json"):
            try:
                return TrainConfig.from_json((self.folder / name).read_text("utf-8"))
            except (OSError, ConfigError):
                continue
        return None

    def status(self) -> Status:
        """Where the run stands now; a process that is gone is noticed."""
        told = self._told()
        if told is None:
            return Status("unknown", message=f"{self.folder} holds no run.")
        if not told.active or self._is_alive(told):
            return told
        if told.state == "starting":
            return dataclasses.replace(told, state="failed", message=self.log().strip().rpartition("\n")[2])
        return dataclasses.replace(
            told, state="interrupted", message="Its process is gone; resume goes on from the last saved state."
        )

    def new_metrics(self) -> list[Mapping[str, Any]]:
        """Reports since the last call (all of them at the first); a run that began anew is read from its start."""
        path = self.folder / "metrics.jsonl"
        try:
            if path.stat().st_size < self._read_bytes:
                self._read_bytes = 0
            with path.open("rb") as stream:
                stream.seek(self._read_bytes)
                content = stream.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]  # the last line may be half written
        self._read_bytes += len(whole)
        found = []
        for line in whole.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def samples(self, kind: str) -> dict[int, Path]:
        """Pictures of one of :data:`SAMPLE_KINDS` by step, ascending."""
        found = {}
        for path in sorted((self.folder / "samples").glob(f"{kind}_*.png")):
            if match := re.fullmatch(rf"{kind}_(\d+)\.png", path.name):
                found[int(match[1])] = path
        return found

    def log(self) -> str:
        """The end of ``log.txt``."""
        try:
            with (self.folder / "log.txt").open("rb") as stream:
                stream.seek(max(0, stream.seek(0, 2) - TAIL_BYTES))
                return stream.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def checkpoints(self) -> dict[str, Path]:
        """Models to draw with, ``best`` before ``last``, as far as they are there."""
        places = {name: self.folder / "checkpoints" / f"{name}.safetensors" for name in ("best", "last")}
        return {name: path for name, path in places.items() if path.is_file()}

    @property
    def can_resume(self) -> bool:
        """Whether a training state is there to go on from."""
        return (self.folder / "checkpoints" / "last.pt").is_file()

    def stop(self) -> None:
        """Ask the run to save and end after the step at hand; nothing happens where it is over."""
        told = self._told()
        if told is None or not told.active or not self._is_alive(told):
            return
        if told.pid is not None:
            psutil.Process(told.pid).send_signal(signal.SIGTERM)
        elif self.process is not None:  # it has not said anything yet
            self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_seconds: float | None = None) -> Status:
        """Wait until the run is over, or for that long; its status then."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while (status := self.status()).active and (deadline is None or time.monotonic() < deadline):
            time.sleep(0.1)
        if self.process is not None and not status.active:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it has said its last word and is about to end
                self.process.wait(START_SECONDS if timeout_seconds is None else 5)
        return self.status()

    def _told(self) -> Status | None:
        try:
            record = json.loads((self.folder / "status.json").read_text("utf-8"))
            known = {each.name for each in dataclasses.fields(Status)}
            return Status(**{name: value for name, value in record.items() if name in known})
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def _is_alive(self, told: Status) -> bool:
        if self.process is not None and self.process.poll() is not None and told.pid in (None, self.process.pid):
            return False  # our own child, whose end only we can see
        if told.pid is None:
            return time.time() - told.told_at < START_SECONDS
        try:
            process = psutil.Process(told.pid)
            # Process numbers are used again; the time of its start tells one from another.
            same = abs(process.create_time() - told.process_started) < 2.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


def find_runs(root: Path | str) -> list[Run]:
    """Runs in the folders below ``root`` (one or two levels down), the latest first."""
    places = [path.parent for pattern in ("*/status.json", "*/*/status.json") for path in Path(root).glob(pattern)]
    return [Run(place) for place in sorted(places, key=lambda place: _changed(place / "status.json"), reverse=True)]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def start_run(config: TrainConfig, resume: bool = False) -> Run:
    """Train in a process of its own, which outlives the one that asked for it.

    Raises
    ------
    ConfigError, DependencyError, ModelError
        What the run needs is missing, see :func:`edgegan_widget.training.needs.check_needs`.
    TrainingError
        ``out`` holds a run that is at work, or one that is over and is not to be resumed.
    """
    check_needs(config, resume)
    run = Run(Path(config.out))
    if run.status().active:
        raise TrainingError(f"{run.folder} is being trained right now; stop that run or choose another folder.")
    if run.can_resume and not resume:
        raise TrainingError(f"{run.folder} already holds a run; resume it, or choose another folder.")
    if resume and not run.can_resume:
        raise TrainingError(f"{run.folder} holds no saved state; start the run anew.")
    write_bytes(run.folder / "launch.json", settings.to_json(config))
    write_status(run.folder, Status("starting", told_at=time.time()))
    command = [sys.executable, "-m", "edgegan_widget", "train", "--config", str(run.folder / "launch.json"), "--quiet"]
    _children[:] = [child for child in _children if child.poll() is None]
    with (run.folder / "log.txt").open("ab") as log:
        run.process = subprocess.Popen(
            [*command, *(["--resume"] if resume else [])],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    _children.append(run.process)
    with contextlib.suppress(psutil.Error, OSError):  # not every system lets us; the run is merely less polite
        psutil.Process(run.process.pid).nice(NICENESS)
    return run


def write_status(folder: Path, status: Status) -> None:
    """Replace ``status.json``."""
    write_bytes(folder / "status.json", json.dumps(dataclasses.asdict(status)) + "\n")


def this_process() -> tuple[int, float]:
    """Number and time of start, which name this process for good."""
    process = psutil.Process()
    return process.pid, process.create_time()

"""Job folders: long work in a process of its own, which outlives the page that asked for it.

Training, evaluation and preparation of data speak this protocol. The folder is all of it, so whoever looks can come
and go: a page that was reloaded or a kernel that was restarted finds the work again by its folder.

===============  ====================================================================================================
file             content
===============  ====================================================================================================
settings         what is to be done, under a name that each kind of work has of its own
``status.json``  state, process, progress; replaced at every report
``log.txt``      what was said
===============  ====================================================================================================
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psutil

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.needs import without_torch

__all__ = [
    "DeferredSignals",
    "JobFolder",
    "Status",
    "Stopped",
    "Teller",
    "find_jobs",
    "new_folder",
    "outcome",
    "start_job",
    "stoppable",
    "write_status",
]

log = logging.getLogger(__name__)

ACTIVE = ("starting", "running", "stopping")
START_SECONDS = 90.0  # a process that has said nothing for so long has not started
NICENESS = 15  # a drawing pad beside the work stays live
TAIL_BYTES = 20_000
_children: list[subprocess.Popen[bytes]] = []  # held until they end, whoever else forgets them


@dataclass(frozen=True)
class Status:
    """Where a job stands.

    Attributes
    ----------
    state
        ``starting``, ``running``, ``stopping``, or over: ``finished``, ``stopped``, ``failed``, ``interrupted``
        (its process is gone without a word; what it wrote stays), ``unknown`` (no job here).
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
class JobFolder:
    """A job's folder. Reading it never fails because it is only half written."""

    gone: ClassVar = "Its process is gone; what it wrote stays."  # what to say where it went without a word
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def status(self) -> Status:
        """Where it stands now; a process that is gone is noticed."""
        told = self._told()
        if told is None:
            return Status("unknown", message=f"{self.folder} holds no job.")
        if not told.active or self._is_alive(told):
            return told
        if self.process is not None and self.process.returncode == -signal.SIGTERM:  # before it could say so
            return dataclasses.replace(told, state="stopped")
        if told.state == "starting":
            return dataclasses.replace(told, state="failed", message=self.log().strip().rpartition("\n")[2])
        return dataclasses.replace(told, state="interrupted", message=self.gone)

    def log(self) -> str:
        """The end of ``log.txt``."""
        try:
            with (self.folder / "log.txt").open("rb") as stream:
                stream.seek(max(0, stream.seek(0, 2) - TAIL_BYTES))
                return stream.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def stop(self) -> None:
        """Ask it to end; nothing happens where it is over."""
        told = self._told()
        if told is None or not told.active or not self._is_alive(told):
            return
        if told.pid is not None:
            psutil.Process(told.pid).send_signal(signal.SIGTERM)
        elif self.process is not None:  # it has not said anything yet
            self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_seconds: float | None = None) -> Status:
        """Wait until it is over, or for that long; its status then."""
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


def find_jobs(root: Path | str, patterns: Sequence[str]) -> list[Path]:
    """Folders below ``root`` whose status files match, such as ``*/status.json``; the latest told first."""
    places = [path.parent for pattern in patterns for path in Path(root).glob(pattern)]
    return sorted(places, key=lambda place: _changed(place / "status.json"), reverse=True)


def new_folder(root: Path, kind: str) -> Path:
    """A place below ``root`` for a job that begins now, such as ``evaluation-20260131-101500``; nothing is made yet."""
    stem, number = time.strftime(f"{kind}-%Y%m%d-%H%M%S"), 1
    while (folder := root / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return folder


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def start_job(folder: Path, settings_name: str, settings_json: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Write what is to be done, and begin ``python -m WORDS`` in a process that outlives this one."""
    write_bytes(folder / settings_name, settings_json)
    write_status(folder, Status("starting", told_at=time.time()))
    _children[:] = [child for child in _children if child.poll() is None]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _children.append(process)
    with contextlib.suppress(psutil.Error, OSError):  # not every system lets us; the job is merely less polite
        psutil.Process(process.pid).nice(NICENESS)
    return process


def write_status(folder: Path, status: Status) -> None:
    """Replace ``status.json``."""
    write_bytes(folder / "status.json", json.dumps(dataclasses.asdict(status)) + "\n")


def this_process() -> tuple[int, float]:
    """Number and time of start, which name this process for good."""
    process = psutil.Process()
    return process.pid, process.create_time()


class Teller:
    """Writes a job's status from inside its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid, self._began = this_process()
        self._last = Status("starting")

    def tell(self, **changes: Any) -> None:
        """Replace what has changed since."""
        self._last = dataclasses.replace(
            self._last, pid=self._pid, process_started=self._began, told_at=time.time(), **changes
        )
        write_status(self._folder, self._last)


class Stopped(BaseException):
    """The job was asked to stop; no handler of ordinary errors may swallow that. It may say what became of the work."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM ends the block where it stands, in the middle of a long step too, with :class:`Stopped`."""

    def stop(*_signal: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; the last words must be written
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


class DeferredSignals:
    """Holds Ctrl-C and SIGTERM back until the step at hand is whole; ``received`` tells whether one has come.

    What must not be torn, as what is saved to go on from exactly, is a step; a long one that may be is
    :func:`stoppable`.
    """

    KINDS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> DeferredSignals:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            self._previous = {kind: signal.signal(kind, self._receive) for kind in self.KINDS}
        return self

    def __exit__(self, *_: object) -> None:
        for kind, handler in self._previous.items():
            signal.signal(kind, handler)

    def _receive(self, *_: object) -> None:
        self.received = True


def outcome(work: Callable[[], None]) -> tuple[str, str]:
    """Do a job's work, whatever becomes of it: the state in which it ended, and of a failure the sentence to tell."""
    try:
        work()
    except Stopped as stopped:
        return "stopped", str(stopped)
    except EdgeGANError as error:
        return "failed", str(error)
    except Exception as error:
        log.exception("the job failed")
        return "failed", without_torch(error) or f"Something went wrong ({type(error).__name__}: {error})."
    return "finished", ""

"""What a run writes down: settings, status, metrics, log, samples, checkpoints. :mod:`training.runs.jobs` reads it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch
from PIL import Image

from edgegan_widget._version import __version__
from edgegan_widget.base.errors import TrainingError
from edgegan_widget.base.files import sweep, write_atomic, write_bytes
from edgegan_widget.base.runs import Status, Teller
from edgegan_widget.networks.devices import describe_device
from edgegan_widget.networks.store import save_checkpoint, save_state
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.recipes.common import Recipe
from edgegan_widget.training.runs.jobs import SAMPLE_KINDS, Run
from edgegan_widget.training.runs.resuming import places

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["Progress", "Recorder", "memory_mb", "telling_start", "warnings_of"]

log = logging.getLogger(__name__)

MOST_SAMPLES = 200  # of a kind; beyond that every second of the older ones goes


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    losses
        Means since the last report, by name.
    images_per_second, seconds_left
        Rate since the last report, and what it means for the rest.
    memory_mb
        Of the process, or on CUDA the most that was allocated on the device.
    score
        Sliced Wasserstein distance of validation pictures, lower is better; only where the run was saved.
    """

    step: int
    steps: int
    epoch: float
    losses: dict[str, float]
    images_per_second: float
    seconds_left: float
    memory_mb: float = 0.0
    score: float | None = None


class Recorder:
    """Writes one run folder; entered while the run goes on.

    Raises
    ------
    TrainingError
        The disk is full, the folder cannot be written, or the run needs more than ``disk_limit_mb``.
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        told: Sequence[logging.LogRecord] = (),
        changes: Sequence[str] = (),
    ) -> None:
        self._changes = changes
        self._told_before = told  # what was warned of while the data was read, before there was a log
        self.folder, self.config, self.device = Path(config.out), config, device
        self.best_score = float("inf")
        self._run = Run(self.folder)
        self._tell = Teller(self.folder).tell
        self._board: SummaryWriter | None = None
        self._handler: logging.Handler | None = None

    def begin(self, step: int, steps: int, epoch: float) -> None:
        """Write the settings, and forget what was told after the state that the run goes on from."""
        with self._told_plainly():
            for place in (self.folder, self.folder / "checkpoints", self.folder / "samples"):
                place.mkdir(parents=True, exist_ok=True)
                sweep(place)
            self._forget_after(step)
            write_bytes(self.folder / "config.json", json.dumps(self._about(), indent=2) + "\n")
            self._handler = logging.FileHandler(self.folder / "log.txt", encoding="utf-8", delay=True)
            self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
            logger = logging.getLogger("edgegan_widget")
            logger.addHandler(self._handler)
            for record in self._told_before:
                self._handler.handle(record)
            if logger.getEffectiveLevel() > logging.INFO:
                logger.setLevel(logging.INFO)
            self._board = _tensorboard(self.folder)
            self._tell(state="running", step=step, steps=steps, epoch=epoch, device=describe_device(self.device))
        self._changes = [f"{change}, from step {step}" for change in self._changes]
        origin = f"resumed at step {step}" if step else "from the start"
        for change in self._changes:
            log.info("changed: %s", change)
        log.info("training %s on %s, %s", self.config.preset, describe_device(self.device), origin)

    def report(self, progress: Progress) -> None:
        """Add a line to the metrics and replace the status."""
        with self._told_plainly():
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
                metrics.write(json.dumps(dataclasses.asdict(progress)) + "\n")
            known = {field.name for field in dataclasses.fields(Status)}
            told = {name: value for name, value in dataclasses.asdict(progress).items() if name in known}
            self._tell(state="running", **told)
        self._plot(progress)

    def save(
        self,
        state: Mapping[str, Any],
        recipe: Recipe,
        samples: Mapping[str, Image.Image],
        step: int,
        score: float | None,
    ) -> None:
        """Write state, checkpoints and samples, each whole or not at all."""
        places = self.folder / "checkpoints"
        with self._told_plainly():
            is_best = score is not None and score < self.best_score
            if is_best and score is not None:
                self.best_score = score
            save_state(places / "last.pt", {**state, "best_score": self.best_score})
            about = {"step": step, "score": score, "preset": self.config.preset, "version": __version__}
            for name in ("last", "best") if is_best else ("last",):
                save_checkpoint(places / f"{name}.safetensors", recipe.drawing_networks(), recipe.critics, about)
            self._write_samples(samples, step)
            self._tell(step=step)
            self._make_room()
        log.info("saved at step %d%s", step, "" if score is None else f", score {score:.1f}")

    def show(self, samples: Mapping[str, Image.Image], step: int) -> None:
        """Write samples alone, before anything is saved."""
        with self._told_plainly():
            self._write_samples(samples, step)

    def _write_samples(self, samples: Mapping[str, Image.Image], step: int) -> None:
        for kind, picture in samples.items():
            with write_atomic(self.folder / "samples" / f"{kind}_{step:07}.png") as stream:
                picture.save(stream, "PNG")

    def end(self, state: str, message: str = "") -> None:
        """Say how the run ended; nothing here may hide the reason."""
        if message:
            log.info("%s: %s", state, message)
        with contextlib.suppress(OSError, TrainingError):
            self._tell(state=state, message=message)
        if self._board is not None:
            self._board.close()
        if self._handler is not None:
            logging.getLogger("edgegan_widget").removeHandler(self._handler)
            self._handler.close()

    def _plot(self, progress: Progress) -> None:
        """Add TensorBoard events; where its folder is gone the run does without."""
        if self._board is None:
            return
        try:
            for name, value in progress.losses.items():
                self._board.add_scalar(f"loss/{name}", value, progress.step)
            if progress.score is not None:
                self._board.add_scalar("score", progress.score, progress.step)
        except OSError as error:
            log.warning("no more TensorBoard events: %s", error)
            self._board = None

    def _about(self) -> dict[str, Any]:
        return {
            "edgegan_widget": __version__,
            "commit": _commit(),
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "seed": self.config.seed,
            "hardware": {
                "device": describe_device(self.device),
                "processor": platform.processor() or platform.machine(),
                "cores": psutil.cpu_count(),
                "threads": torch.get_num_threads(),
                "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
                "system": platform.platform(),
            },
            "python": platform.python_version(),
            "torch": torch.__version__,
            "settings": dataclasses.asdict(self.config),
            "places": places(self.config, self.folder),
            "changes": [*self._changes_before(), *self._changes],
        }

    def _changes_before(self) -> list[str]:
        """What was changed when the run went on earlier."""
        try:
            return list(json.loads((self.folder / "config.json").read_text("utf-8")).get("changes", []))
        except (OSError, ValueError, AttributeError):
            return []

    def _forget_after(self, step: int) -> None:
        """Drop reports and samples of steps that are about to be taken again."""
        path = self.folder / "metrics.jsonl"
        if path.exists():
            kept = [line for line in self._run.new_metrics() if int(line.get("step", 0)) <= step]
            write_bytes(path, "".join(json.dumps(line) + "\n" for line in kept))
        for kind in SAMPLE_KINDS:
            for at, picture in self._run.samples(kind).items():
                if at > step:
                    picture.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Thin out older samples until count and disk limit are kept."""
        for kind in SAMPLE_KINDS:
            pictures = list(self._run.samples(kind).values())
            while len(pictures) > MOST_SAMPLES or (len(pictures) > 2 and self._too_large()):
                for old in pictures[:-2:2]:
                    old.unlink(missing_ok=True)
                pictures = list(self._run.samples(kind).values())
        if self._too_large():
            raise TrainingError(
                f"{self.folder} needs {_size_mb(self.folder):,.0f} MB, more than disk_limit_mb = "
                f"{self.config.disk_limit_mb}; what is saved is kept, so resume with a higher limit."
            )

    def _too_large(self) -> bool:
        return _size_mb(self.folder) > self.config.disk_limit_mb

    @contextlib.contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            reason = "the disk is full" if full else f"it cannot be written ({error.strerror or error})"
            raise TrainingError(
                f"{self.folder}: {reason}; what was saved before is whole, so make room or mend it, and resume."
            ) from error


class _Repeater(logging.Handler):
    """Tells in a job's status what is logged."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self._tell = Teller(folder).tell

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # it is only for whoever waits
            self._tell(state="starting", message=record.getMessage())


@contextlib.contextmanager
def telling_start(folder: Path) -> Iterator[None]:
    """While data is read, tell what is logged of it to whoever started the run's process and watches its folder."""
    if Run(folder).status().state != "starting":  # begun on the command line: nobody watches, nothing is written yet
        yield
        return
    reading, repeater = logging.getLogger("edgegan_widget.training.dataset"), _Repeater(folder)
    before = reading.level
    reading.addHandler(repeater)
    reading.setLevel(logging.INFO)
    try:
        yield
    finally:
        reading.removeHandler(repeater)
        reading.setLevel(before)


@contextlib.contextmanager
def warnings_of() -> Iterator[list[logging.LogRecord]]:
    """What the package warns of in the meantime."""
    logger, kept = logging.getLogger("edgegan_widget"), list[logging.LogRecord]()
    keeper = logging.Handler(logging.WARNING)
    keeper.emit = kept.append  # type: ignore[method-assign, assignment]
    logger.addHandler(keeper)
    try:
        yield kept
    finally:
        logger.removeHandler(keeper)


def memory_mb(device: torch.device) -> float:
    """Memory of this process in MB, or on CUDA the most that was allocated on the device."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return float(psutil.Process().memory_info().rss) / 1e6


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _tensorboard(folder: Path) -> SummaryWriter | None:
    """A writer of TensorBoard events where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))


def _commit() -> str | None:
    """The commit of the checkout that this code runs from; None where it was installed."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None

"""Run folders from outside: start, follow, stop and list training runs, which are jobs (:mod:`base.runs`).

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

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, TrainingError
from edgegan_widget.base.layout import split_folders
from edgegan_widget.base.needs import check_torch
from edgegan_widget.base.runs import JobFolder, find_jobs, start_job
from edgegan_widget.networks.config import SIZES_PX
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.training.kinds import kind_of, that_fit

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = ["SAMPLE_KINDS", "Run", "SampleKind", "check_needs", "find_runs", "start_run"]

SETTINGS = ("config.json", "launch.json")


@dataclass(frozen=True)
class SampleKind:
    """A grid of samples as it is told to a person: what it shows, what its columns are, and why it is worth a look."""

    title: str
    columns: tuple[str, ...]
    note: str

    def blocks(self, width_px: int) -> int:
        """How many times the columns stand beside each other in a grid so wide; 1 where that cannot be told."""
        wide = (len(self.columns) * size_px + GRID_GAP_PX for size_px in SIZES_PX)
        return next((width_px // each for each in wide if width_px % each == 0), 1)


SAMPLE_KINDS = {
    "sketches": SampleKind(
        "Photos it is not trained on, drawn again",
        ("photo", "its edges", "own edges", "picture"),
        "The model sees the photo's edges alone. It draws edges of its own, and from them the picture.",
    ),
    "people": SampleKind(
        "People's drawings it is not trained on",
        ("drawing", "own edges", "picture"),
        "What your drawings will come to look like.",
    ),
    "styles": SampleKind(
        "One drawing in several styles",
        tuple(f"style {number}" for number in range(1, 5)),
        "The first drawing of each class: the shape stays, colours and pattern should differ.",
    ),
    "latents": SampleKind(
        "Pictures of chance",
        tuple(f"chance {number}" for number in range(1, 5)),
        "Made of no drawing, but of the same four sets of random numbers at every save and in every class, so what "
        "changes from save to save is the model alone. Own edges stand above each picture.",
    ),
}
GRID_GAP_PX = 4  # between blocks


@dataclass
class Run(JobFolder):
    """A run folder. Reading it never fails because the run is only half written."""

    gone: ClassVar = "Its process is gone; resume goes on from the last saved state."
    _read_bytes: int = field(default=0, repr=False, compare=False)

    def config(self) -> TrainConfig | None:
        """The run's settings; None where they cannot be read."""
        from edgegan_widget.training.config import TrainConfig  # a page that lists runs is there sooner without it

        for name in SETTINGS:
            try:
                return TrainConfig.from_json((self.folder / name).read_text("utf-8-sig"))
            except (OSError, ValueError, ConfigError):
                continue
        return None

    def check_goes_on(self, preset: str | None = None) -> None:
        """Refuse to go on with a run whose recipe is gone, or is another one than ``preset``.

        Raises
        ------
        ConfigError
            It cannot be resumed so; settings that cannot be read are no reason.
        """
        made_by = self._recipe()
        if made_by:
            kind_of(made_by)  # says what became of one that is gone
        if made_by and preset not in (None, made_by):
            raise ConfigError(
                f"{self.folder} was made by the recipe {made_by!r} and cannot go on with {preset!r}; resume it with "
                f"the preset {made_by!r}, or choose another folder."
            )

    def _recipe(self) -> str:
        """The recipe that made it, also one that is gone; nothing where that cannot be read."""
        for name in SETTINGS:
            try:
                record = json.loads((self.folder / name).read_text("utf-8-sig"))
                return str(record.get("settings", record)["preset"])
            except (OSError, ValueError, AttributeError, KeyError, TypeError):
                continue
        return ""

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

    def checkpoints(self) -> dict[str, Path]:
        """Models to draw with, ``best`` before ``last``, as far as they are there."""
        places = {name: self.folder / "checkpoints" / f"{name}.safetensors" for name in ("best", "last")}
        return {name: path for name, path in places.items() if path.is_file()}

    @property
    def can_resume(self) -> bool:
        """Whether a training state is there to go on from."""
        return (self.folder / "checkpoints" / "last.pt").is_file()


def find_runs(root: Path | str) -> list[Run]:
    """Runs in the folders below ``root`` (one or two levels down), the latest first."""
    places = find_jobs(root, ("*/status.json", "*/*/status.json"))
    return [Run(place) for place in places if any((place / name).is_file() for name in SETTINGS)]  # other jobs are none


def start_run(config: TrainConfig, resume: bool = False) -> Run:
    """Train in a process of its own, which outlives the one that asked for it.

    Raises
    ------
    ConfigError, DependencyError, ModelError
        What the run needs is missing, see :func:`check_needs`.
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
    if resume:
        run.check_goes_on(config.preset)
    words = ["edgegan_widget", "train", "--config", str(run.folder / "launch.json"), "--quiet"]
    resumed = ["--resume"] if resume else []
    run.process = start_job(run.folder, "launch.json", settings.to_json(config), [*words, *resumed])
    return run


def check_needs(config: TrainConfig, resume: bool = False) -> None:
    """Refuse settings that cannot be trained with; a run that goes on needs its start model no more.

    Raises
    ------
    ConfigError
        ``data`` (or ``drawings``), ``out`` or a folder of sketches is missing, or recipe and start model do not fit.
    DependencyError
        PyTorch or a package that the recipe needs is not installed.
    ModelError
        There is no such start model.
    """
    check_torch("training")
    _check_places(config)
    kind_of(config.preset).check_package()
    if config.start_from and not resume:
        _check_start(config)


def _check_places(config: TrainConfig) -> None:
    """Refuse settings that name no data, no run folder, or sketches that are not there."""
    if not config.out:
        raise ConfigError("out is empty; name a new folder for the run, such as 'runs/first'.")
    word = kind_of(config.preset).learns_from
    source = getattr(config, word)
    if not source:
        raise ConfigError(f"{word} is empty; name the folder with the pictures to train on.")
    _check_apart(Path(config.out).resolve(), Path(source).resolve())
    if not Path(source).exists():
        raise ConfigError(f"{word} is {source!r}, which does not exist; name a folder of pictures or a packed file.")
    if config.sketches and not config.reads("sketches"):
        raise ConfigError(
            f"sketches are learnt from by the recipe 'projected' alone; leave them out, or choose it instead of "
            f"{config.preset!r}."
        )
    for folder in config.sketches:
        if not Path(folder).exists():
            raise ConfigError(f"sketches names {folder!r}, which does not exist; name folders of people's drawings.")


def _check_apart(out: Path, source: Path) -> None:
    """Refuse a run folder inside the pictures that it learns from: its own samples would be learnt next."""
    for folder in split_folders(source).values():
        if out.is_relative_to(folder):
            raise ConfigError(f"out is {str(out)!r}, inside its own data {str(folder)!r}; name a folder beside it.")


def _check_start(config: TrainConfig) -> None:
    architecture = read_config(find_model(config.start_from)).architecture
    fitting = that_fit(architecture)
    if config.preset not in fitting:
        raise ConfigError(
            f"the model {config.start_from!r} is of architecture {architecture!r}, which the recipe {config.preset!r} "
            f"cannot go on from; presets that fit are {', '.join(fitting)}."
        )

"""What a run goes on with: its own settings and data, wherever the folders lie now, and changes that it can bear."""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.layout import split_folders
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.words import listed
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.runs.jobs import Run

__all__ = [
    "changed_pictures",
    "check_changes",
    "check_state",
    "keep_pictures",
    "places",
    "recalled",
    "with_folders_found",
]

CHANGEABLE = (  # what a run that goes on may take over; all else would make it another run
    "epochs", "lr_generator", "lr_discriminator", "decay_fraction", "device", "precision", "deterministic",
    "save_every_seconds", "disk_limit_mb",
)  # fmt: skip
FOLDERS = ("data", "sketches", "drawings")  # they may have moved
_OF_THE_START = (
    "width",
    "critic_warmup_steps",
    "start_from",
    "trains",
    "new_classes",
)  # a start model says or had them
_IN_STATE = ("step", "classes", "model", "critic_warmup_steps", "parts", "recipe")
_OF_NETWORK = ("width", "size_px")  # settings that the saved network has too
PICTURES = "pictures.json"
_MOST_NAMED = 4
_PIECE_BYTES = 1 << 20


def places(config: TrainConfig, folder: Path) -> dict[str, list[dict[str, str]]]:
    """Where the folders that a run reads lie: whole, and seen from the run's own folder."""
    return {name: [_place(Path(path), folder) for path in _paths(config, name)] for name in FOLDERS}


def _place(path: Path, folder: Path) -> dict[str, str]:
    whole = path.resolve()
    try:
        seen = os.path.relpath(whole, folder.resolve())
    except ValueError:  # another drive
        seen = str(whole)
    return {"absolute": str(whole), "relative": seen}


def _paths(config: TrainConfig, name: str) -> tuple[str, ...]:
    value = getattr(config, name)
    return tuple(value) if isinstance(value, tuple) else (value,) if value else ()


def recalled(folder: Path) -> TrainConfig:
    """The settings of a run, with its folders where they are found: in their place, or where they lie beside the run.

    Raises
    ------
    ConfigError
        The settings cannot be read, or are of a recipe that is gone.
    """
    run = Run(folder)
    run.check_goes_on()
    config = run.config()
    if config is None:
        raise ConfigError(_unreadable(folder))
    try:
        known = json.loads((folder / "config.json").read_text("utf-8-sig"))["places"]
        found = {name: tuple(_found(folder, each) for each in known.get(name) or ()) for name in FOLDERS}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):  # of another version, or edited
        found = {}
    changes: dict[str, Any] = {
        name: there if isinstance(getattr(config, name), tuple) else there[0] for name, there in found.items() if there
    }
    return dataclasses.replace(config, out=str(folder), **changes)


def _unreadable(folder: Path) -> str:
    """What is wrong with the settings of a run."""
    file = folder / "config.json"
    if not file.is_file():
        return f"{folder} holds no settings of a run; name the run's folder as --out."
    try:
        TrainConfig.from_json(file.read_text("utf-8-sig"))
        why = "it was written just now"
    except (OSError, ValueError, ConfigError) as error:
        why = str(error).rstrip(".")
    return f"{file} holds no settings of a run that can be read ({why}); mend it, or put back a copy of it."


def check_state(state: Mapping[str, Any], config: TrainConfig, file: Path) -> None:
    """Refuse a training state that is another program's, or whose network is not the one of the settings.

    Raises
    ------
    ConfigError
        It does not fit.
    """
    if missing := [name for name in _IN_STATE if name not in state]:
        raise ConfigError(
            f"{file} is no training state of this program (it has no {listed(missing, _MOST_NAMED)}); put back the "
            "run's own, or start a new run."
        )
    try:
        model = json.loads(state["model"])
        differs = [name for name in _OF_NETWORK if model.get(name, getattr(config, name)) != getattr(config, name)]
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} says nothing of its network ({error}); put back a copy of it.") from error
    if differs and not config.start_from:
        said = ", ".join(f"{name} {model[name]} (not {getattr(config, name)})" for name in differs)
        raise ConfigError(f"the network of {file} has {said}; put that back into the run's config.json.")


def with_folders_found(config: TrainConfig) -> TrainConfig:
    """Settings that came from a file, with the folders of the run that goes on where their own are not there."""
    if Run(Path(config.out)).config() is None:
        return config
    known = recalled(Path(config.out))
    gone = [name for name in FOLDERS if not all(Path(path).exists() for path in _paths(config, name))]
    changes: dict[str, Any] = {name: getattr(known, name) for name in gone}
    return dataclasses.replace(config, **changes)


def _found(folder: Path, place: Mapping[str, str]) -> str:
    beside = os.path.normpath(folder / place["relative"])
    return beside if not Path(place["absolute"]).exists() and Path(beside).exists() else place["absolute"]


def check_changes(before: TrainConfig, wanted: TrainConfig) -> list[str]:
    """What a run is to take over, in words: ``epochs 2 instead of 1``.

    Raises
    ------
    ConfigError
        It cannot change so.
    """
    free = (*FOLDERS, "out", *(_OF_THE_START if before.start_from else ()))
    old, new = dataclasses.asdict(before), dataclasses.asdict(wanted)
    differs = [name for name in old if old[name] != new[name] and name not in free]
    refused = [name for name in differs if name not in CHANGEABLE]
    if refused:
        said = ", ".join(f"{name} {_shown(old[name])} (not {_shown(new[name])})" for name in refused[:_MOST_NAMED])
        raise ConfigError(
            f"the run in {before.out} has {said} and keeps it; resume without that, or start a new run elsewhere."
        )
    return [f"{name} {_shown(new[name])} instead of {_shown(old[name])}" for name in differs]


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def keep_pictures(folder: Path, data: str) -> None:
    """Write down what the run learns from: each picture's checksum."""
    write_bytes(folder / PICTURES, json.dumps(_checksums(Path(data))))


def changed_pictures(folder: Path, data: str) -> Iterator[str]:
    """Sentences about pictures that changed, went or came since the run began; none where nobody wrote them down."""
    try:
        before = json.loads((folder / PICTURES).read_text("utf-8"))
    except (OSError, ValueError):
        return
    now = _checksums(Path(data))
    found = {
        "changed": sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
        "are gone": sorted(before.keys() - now.keys()),
        "are new": sorted(now.keys() - before.keys()),
    }
    for what, names in found.items():
        if names:
            yield f"{len(names)} pictures of {data} {what} since the run began: {listed(names, _MOST_NAMED)}"


def _checksums(data: Path) -> dict[str, int]:
    """CRC-32 by path below ``data``: of its training pictures, or of the packed file."""
    if data.is_file():
        return {data.name: _checksum(data)}
    top = split_folders(data).get("train")
    paths = sorted(path for path in top.glob("*/*") if is_picture(path) and path.is_file()) if top is not None else ()
    return {path.relative_to(data).as_posix(): _checksum(path) for path in paths}


def _checksum(path: Path) -> int:
    """In pieces, since a packed file may be larger than memory."""
    found = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            found = zlib.crc32(piece, found)
    return found

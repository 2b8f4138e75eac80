"""Finding a model and reading its settings, without loading torch: a page shows its classes before its weights."""

from __future__ import annotations

import json
import os
from pathlib import Path

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.networks.config import ModelConfig

__all__ = ["find_model", "packaged", "read_config", "read_header"]

CHECKPOINT_SUFFIX = ".safetensors"
CHECKPOINTS = ("best.safetensors", "last.safetensors")  # of a run folder, in the order of preference
MOST_HEADER_BYTES = 10_000_000


def packaged(folder: str) -> list[Path]:
    """Where ``models`` or ``notebooks`` may lie: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    return [place for place in (package / folder, package.parent / folder) if place.is_dir()]


def find_model(name_or_folder: str | os.PathLike[str]) -> Path:
    """Where a model lies: a model folder, or the file of a checkpoint.

    Takes a path of either, a run folder (its best checkpoint, or its last), or the name of a shipped model.

    Raises
    ------
    ModelError
        Nothing of that name holds a model; the message lists the shipped names.
    """
    given = Path(name_or_folder)
    if given.suffix == CHECKPOINT_SUFFIX and given.is_file():
        return given
    for name in CHECKPOINTS:
        if (given / "checkpoints" / name).is_file():
            return given / "checkpoints" / name
    if (given / "status.json").is_file():
        raise ModelError(f"{given} is a run that has saved no checkpoint yet; wait for its first, or resume it.")
    shipped = packaged("models")
    for folder in (given, *(root / given for root in shipped)):
        if (folder / "config.json").is_file():
            return folder
    names = sorted({entry.parent.name for root in shipped for entry in root.glob("*/config.json")})
    raise ModelError(
        f"no model called {os.fspath(name_or_folder)!r}; give a run folder, a folder with config.json and "
        f"model.safetensors, or one of: {', '.join(names) or 'none is shipped here'}."
    )


def read_config(place: Path) -> ModelConfig:
    """The settings of a model folder or checkpoint file; a :class:`ModelError` where they cannot be used."""
    path = place if place.is_file() else place / "config.json"
    try:
        text = read_header(path)["config"] if place.is_file() else path.read_text("utf-8")
        return settings.from_json(ModelConfig, text)
    except (OSError, ConfigError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error


def read_header(path: Path) -> dict[str, str]:
    """What a safetensors file says about itself: a length of 8 bytes, then JSON with ``__metadata__``."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > MOST_HEADER_BYTES:
            raise ValueError("its header is no safetensors header")
        header = json.loads(stream.read(length))
    about: dict[str, str] = header["__metadata__"]
    return about

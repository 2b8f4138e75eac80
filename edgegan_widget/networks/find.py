"""Finding a model and reading its settings, without loading torch: a page shows its classes before its weights."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.units import F32
from edgegan_widget.base.words import meant
from edgegan_widget.networks.config import ModelConfig

if TYPE_CHECKING:
    from edgegan_widget.networks.store import Networks

__all__ = ["GUESSER", "INDEX", "Source", "find_model", "packaged", "read_config", "read_header", "read_styles"]

GUESSER = "guess.safetensors"  # in a model folder: the classifier that names drawings
INDEX = ".safetensors.index.json"  # of weights in several files, which it names

CHECKPOINT_SUFFIX = ".safetensors"
CHECKPOINTS = ("best.safetensors", "last.safetensors")  # of a run folder, in the order of preference
MOST_HEADER_BYTES = 10_000_000


@dataclass(frozen=True)
class Source:
    """A model to draw with: its settings, and where it lies or, for one that is being made, its networks."""

    config: ModelConfig
    place: Path | None = None
    networks: Networks | None = None

    def styles(self) -> F32 | None:
        """The bank float32 [classes, styles, style_size]; None of a model without."""
        if self.config.architecture != "modulated":
            return None
        if self.networks is not None:
            bank: Any = self.networks.styles
            return np.asarray(bank.cpu().numpy(), np.float32)
        return None if self.place is None else read_styles(self.place)


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
        f"no model called {os.fspath(name_or_folder)!r}{meant(given.name, names)}; give a run folder, a folder with "
        f"config.json and model.safetensors, or one of: {', '.join(names) or 'none is shipped here'}."
    )


def read_config(place: Path) -> ModelConfig:
    """The settings of a model folder or checkpoint file; a :class:`ModelError` where they cannot be used."""
    path = place if place.is_file() else place / "config.json"
    try:
        text = read_header(path)["config"] if place.is_file() else path.read_text("utf-8")
        return settings.from_json(ModelConfig, text)
    except (OSError, ConfigError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error


def read_styles(place: Path) -> F32:
    """The bank of styles [classes, styles, style_size] of a model folder or checkpoint file.

    Raises
    ------
    ModelError
        It is missing, or its file is damaged.
    """
    file, name = (place, "model.styles") if place.is_file() else (place / "model.safetensors", "styles")
    try:
        index = place / f"model{INDEX}"
        if index.is_file():
            file = place / Path(json.loads(index.read_text("utf-8"))["weight_map"][name]).name
        with safe_open(file, framework="np") as weights:
            return np.asarray(weights.get_tensor(name), np.float32)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(f"the styles in {file} cannot be read ({error}); fetch the model anew.") from error


def read_header(path: Path) -> dict[str, str]:
    """What a safetensors file says about itself: a length of 8 bytes, then JSON with ``__metadata__``."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > MOST_HEADER_BYTES:
            raise ValueError("its header is no safetensors header")
        header = json.loads(stream.read(length))
    about: dict[str, str] = header["__metadata__"]
    return about

"""Finding a model and reading its settings, without loading torch: a page shows its classes before its weights."""

from __future__ import annotations

import os
from pathlib import Path

from edgegan_widget import config as settings
from edgegan_widget.config import ModelConfig
from edgegan_widget.errors import ConfigError, ModelError

__all__ = ["find_model", "packaged", "read_config"]


def packaged(folder: str) -> list[Path]:
    """Where ``models`` or ``notebooks`` may lie: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    return [place for place in (package / folder, package.parent / folder) if place.is_dir()]


def find_model(name_or_folder: str | os.PathLike[str]) -> Path:
    """Folder of a model: a path, a run folder (its ``model``), or the name of a shipped model.

    Raises
    ------
    ModelError
        Nothing of that name has a ``config.json``; the message lists the shipped names.
    """
    given = Path(name_or_folder)
    shipped = packaged("models")
    for folder in (given / "model", given, *(root / given for root in shipped)):
        if (folder / "config.json").is_file():
            return folder
    names = sorted({entry.parent.name for root in shipped for entry in root.glob("*/config.json")})
    raise ModelError(
        f"no model called {os.fspath(name_or_folder)!r}; give a folder with config.json and model.safetensors, "
        f"or one of: {', '.join(names) or 'none is shipped here'}."
    )


def read_config(folder: Path) -> ModelConfig:
    """The model's settings; a :class:`ModelError` where they cannot be used."""
    path = folder / "config.json"
    try:
        return settings.from_json(ModelConfig, path.read_text("utf-8"))
    except (OSError, ConfigError, UnicodeDecodeError, TypeError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error

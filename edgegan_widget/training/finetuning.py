"""Settings for going on from a trained model: fine-tuning is a configuration of the same loop, not a second one."""

from __future__ import annotations

import os
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.training.config import PRESETS, TrainConfig
from edgegan_widget.training.kinds import kinds, that_fit

__all__ = ["drawings_config", "finetune_config", "moving_config"]

EPOCHS = 20  # the reference experiment: 20 epochs at 1e-5
LR = 1e-5


def finetune_config(start_from: str | os.PathLike[str], data: str, out: str, **changes: Any) -> TrainConfig:
    """Go on from a model with new pictures: 20 epochs at 1e-5 unless changed.

    The recipe is the one that makes such models; width, picture size and kind of latent are the model's own.

    Raises
    ------
    ModelError
        There is no such model.
    ConfigError
        A changed setting is unknown or out of its range.
    """
    model = read_config(find_model(start_from))
    preset = that_fit(model.architecture)[0]
    _check_has_recipe(start_from, preset)
    ratio = PRESETS[preset].lr_discriminator / PRESETS[preset].lr_generator
    reference = {
        "epochs": EPOCHS, "lr_generator": LR, "lr_discriminator": LR * ratio, "decay_fraction": 0.0,
        "width": model.width, "size_px": model.size_px, "latent": model.latent,
    }  # fmt: skip
    return TrainConfig.from_preset(
        preset, **{"data": data, "out": out, "start_from": os.fspath(start_from), **reference, **changes}
    )


def _check_has_recipe(start_from: str | os.PathLike[str], preset: str) -> None:
    if not kinds()[preset].from_scratch:
        raise ConfigError(
            f"no recipe goes on from the model {os.fspath(start_from)!r} with pictures any more; move it with a "
            f"handful of drawings (preset {preset!r}), or train anew."
        )


def drawings_config(start_from: str | os.PathLike[str], drawings: str, out: str, **changes: Any) -> TrainConfig:
    """Move a model towards a handful of one's own drawings (Wang et al., "Sketch Your Own GAN", ICCV 2021).

    ``drawings`` is a folder with a sub-folder of drawings (``.json``, ``.svg`` or pictures) for each class to move.
    """
    return moving_config("drawings", start_from, drawings=drawings, out=out, **changes)


def moving_config(preset: str, start_from: str | os.PathLike[str], **changes: Any) -> TrainConfig:
    """Settings of a recipe that moves a trained model, at that model's own width and size."""
    model = read_config(find_model(start_from))
    reference = {"width": model.width, "size_px": model.size_px, "start_from": os.fspath(start_from)}
    return TrainConfig.from_preset(preset, **{**reference, **changes})

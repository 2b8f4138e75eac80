"""Frozen settings: what a model is, how it is trained. JSON in and out, checked when made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from edgegan_widget.errors import ConfigError

__all__ = ["PRESETS", "ModelConfig", "TrainConfig", "from_json", "to_json"]

ARCHITECTURES = ("paper", "compact")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")
SIZES_PX = (64, 128, 256)


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; allowed are {', '.join(map(repr, allowed))}.")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{name} is {value}; it must be at least {least}.")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of an EdgeGAN.

    Parameters
    ----------
    classes
        Names, in the order of the model's class numbers; at least one, no name twice.
    architecture
        ``paper``: the networks of Gao et al. 2020. ``compact``: the narrow ones of :mod:`edgegan_widget.nets_compact`.
    size_px
        Side of sketch and picture, in pixels. ``paper`` knows 64 only.
    latent_size
        Numbers in the latent vector z (100 in the paper).
    style_size
        How many of them, at the end, describe colour and material, which no line shows (``compact`` only).
    width
        Channels of the generators at full resolution (64 in the paper).
    edge_channels
        3 as in the paper, where an edge map is stored as a colour picture, or 1.
    """

    classes: tuple[str, ...]
    architecture: str = "paper"
    size_px: int = 64
    latent_size: int = 100
    style_size: int = 0
    width: int = 64
    edge_channels: int = 3

    def __post_init__(self) -> None:
        _one_of("architecture", self.architecture, ARCHITECTURES)
        _one_of("size_px", self.size_px, SIZES_PX)
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ConfigError(f"classes is {self.classes!r}; give at least one name and none twice.")
        if not 0 <= self.style_size < self.latent_size:
            raise ConfigError(
                f"style_size is {self.style_size}; it must lie from 0 to latent_size - 1 = {self.latent_size - 1}."
            )
        _at_least("width", self.width, 1)
        _one_of("edge_channels", self.edge_channels, (1, 3))
        if self.architecture == "paper" and (self.size_px != 64 or self.style_size or self.edge_channels != 3):
            raise ConfigError(
                "the paper architecture draws 64 pixels from 3-channel edge maps without a style part; "
                "choose architecture 'compact' for other sizes."
            )

    @property
    def shape_size(self) -> int:
        """Numbers of the latent that the encoder reads from the sketch."""
        return self.latent_size - self.style_size

    @property
    def condition_size(self) -> int:
        """Length of the class condition: one number a class, none where there is only one class."""
        return len(self.classes) if len(self.classes) > 1 else 0


@dataclass(frozen=True)
class TrainConfig:
    """One training run: data, recipe and its numbers.

    Parameters
    ----------
    preset
        Name of the recipe, one of :data:`PRESETS`; decides networks, losses and order of updates.
    epochs, batch_size
        One epoch is as many batches as cover the training set once.
    lr_generator, lr_discriminator
        Learning rates; the encoder learns at the generator's, the classifier at the discriminator's.
    decay_fraction
        Final part of training over which both rates fall linearly to zero; 0 keeps them constant.
    ema_decay
        Running mean of encoder and generators, used for the pictures; 0 switches it off.
    width
        Channels of the generators at full resolution.
    precision
        ``bfloat16`` runs convolutions in bfloat16 with float32 weights; ``auto`` does so where the hardware can.
    """

    preset: str
    epochs: int
    batch_size: int
    lr_generator: float
    lr_discriminator: float
    decay_fraction: float
    ema_decay: float
    width: int
    precision: str
    seed: int = 0
    device: str = "auto"
    size_px: int = 64

    def __post_init__(self) -> None:
        _one_of("preset", self.preset, ARCHITECTURES)
        _one_of("device", self.device, DEVICES)
        _one_of("precision", self.precision, PRECISIONS)
        _at_least("epochs", self.epochs, 1)
        _at_least("batch_size", self.batch_size, 2)
        _at_least("width", self.width, 1)
        _at_least("seed", self.seed, 0)
        for name in ("lr_generator", "lr_discriminator"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ConfigError(f"{name} is {value}; give a learning rate above 0 and below 1, such as 2e-4.")
        for name in ("decay_fraction", "ema_decay"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ConfigError(f"{name} is {value}; it must be at least 0 and below 1.")


PRESETS: dict[str, TrainConfig] = {
    # Gao et al. 2020, section 3.1, and the training script's own defaults.
    "paper": TrainConfig(
        preset="paper", epochs=100, batch_size=64, lr_generator=2e-4, lr_discriminator=2e-4,
        decay_fraction=0.0, ema_decay=0.0, width=64, precision="float32",
    ),
    # Rates and betas of BigGAN's small-batch setting; the width is what two CPU cores train in about two hours.
    "compact": TrainConfig(
        preset="compact", epochs=60, batch_size=32, lr_generator=2e-4, lr_discriminator=4e-4,
        decay_fraction=0.3, ema_decay=0.999, width=32, precision="auto",
    ),
}  # fmt: skip


Config = TypeVar("Config", ModelConfig, TrainConfig)


def to_json(config: ModelConfig | TrainConfig) -> str:
    """Settings as indented JSON, one field a line, in the order of the class."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[Config], text: str) -> Config:
    """Settings from :func:`to_json`; a field that is unknown or missing is a :class:`ConfigError`."""
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"the settings are not valid JSON ({error}); restore the file or write it anew.") from error
    if not isinstance(fields, Mapping):
        raise ConfigError(f"the settings are a {type(fields).__name__}; a JSON object with named fields is needed.")
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ConfigError(f"unknown settings {', '.join(unknown)}; {kind.__name__} knows {', '.join(sorted(known))}.")
    values: dict[str, Any] = dict(fields)
    if "classes" in values:
        values["classes"] = tuple(values["classes"])
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"the settings do not fit {kind.__name__}: {error}.") from error

"""How a model is trained: recipe, data and numbers, presets of them, and what goes on from a trained model."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import expanded
from edgegan_widget.base.settings import advanced, check_settings, setting
from edgegan_widget.networks.config import SIZES_PX
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.sketch.pairs import ORDERS
from edgegan_widget.sketch.schedule import Schedule, parse_schedule, sources_of
from edgegan_widget.sketch.sources import always_drawn, told
from edgegan_widget.training.kinds import PLAIN_EDGES, kind_of, presets, read_by, that_fit
from edgegan_widget.training.recipes.drawings import DrawingsSettings
from edgegan_widget.training.recipes.projected import ProjectedSettings

__all__ = ["DEFAULT_PRESET", "PRESETS", "TrainConfig", "drawings_config", "finetune_config", "moving_config"]

DEFAULT_PRESET = "projected"  # where none is named, on the command line and in forms
TRAINS = ("all", "generators", "encoder")
NEW_CLASSES = ("nearest", "mean")
DEVICES = ("auto", "cpu", "cuda")
FINETUNING_EPOCHS, FINETUNING_RATE = 20, 1e-5  # the reference experiment: 20 epochs at 1e-5
RETIRED = ("r1_gamma",)  # settings that runs from before may have
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class SharedSettings:
    """What more than one recipe reads; where nothing else is said, the values are those of the preset ``projected``."""

    preset: str = setting(DEFAULT_PRESET, "recipe: networks, losses and order of updates")
    data: str = setting("", "folder <split>/<class>/*.png of cut-outs or pairs, or a packed file")
    out: str = setting("", "run folder to write")
    classes: tuple[str, ...] = setting((), "train on these classes only (default: all of the data)")
    epochs: int = setting(40, "how often to go through the data", least=1)
    batch_size: int = setting(16, "pictures in a step, of all processes together", least=2)
    size_px: int = advanced(
        128, "side of sketch and picture in pixels: 64, 128 or 256", allowed=SIZES_PX, option="--size", label="Size"
    )
    width: int = advanced(48, "channels of the generators at full size", least=1, most=512)
    lr_generator: float = setting(
        3e-4, "learning rate of encoder and generators", least=1e-8, most=1, label="Generator rate"
    )
    lr_discriminator: float = setting(
        2e-4, "learning rate of discriminators and classifier", least=1e-8, most=1, label="Discriminator rate"
    )
    decay_fraction: float = advanced(
        0.3, "final part of training over which the rates fall to zero", least=0, most=1, label="Rate decay"
    )
    ema_decay: float = advanced(
        0.998,
        "running mean of encoder and generators, used for pictures; 0: none",
        least=0,
        most=0.99999,
        label="Running mean",
    )
    balanced: bool = advanced(True, "draw classes evenly, however many pictures each has")
    mirror: bool = advanced(True, "mirror half of the pictures")
    poses: float = advanced(
        0.5, "other proportions, turns and slants of objects and drawings alike; 0: none, 1: some", least=0, most=2
    )
    edges: str = advanced(
        "full,outline,thin,coarse,person 0.5,person=1 0",
        f"kinds of edge maps the encoder sees, with commas between: {told()} (none named: {', '.join(always_drawn())})",
    )
    edge_schedule: str = advanced(
        "", "the same by epoch, instead of edges, as '0: full, hand 0; 30: full, contour, thin 2, hand 1'"
    )
    hand_details: float = advanced(
        0.5, "how often inner strokes are left out of edge maps, 1 as people do", least=0, most=4
    )
    hand_proportions: float = advanced(
        0.3, "how far edge maps lose their proportions, 1 as people's do", least=0, most=4
    )
    start_from: str = setting("", "fine-tune this model: a shipped name, model folder or run folder")
    trains: str = setting("all", "which networks fine-tuning moves", allowed=TRAINS, label="What trains")
    new_classes: str = setting(
        "nearest",
        "a new class starts from its most similar old one, or from their mean",
        allowed=NEW_CLASSES,
        label="New classes from",
    )
    critic_warmup_steps: int = advanced(
        0, "steps in which only the discriminators learn, where the model brought none", least=0, label="Warm-up steps"
    )
    precision: str = advanced("auto", "arithmetic of convolutions; weights stay float32", allowed=PRECISIONS)
    pair_order: str = advanced(
        "auto", "which half of a pair is the edge map; auto looks at what the halves hold", allowed=ORDERS
    )
    device: str = setting("auto", "where to train; auto takes a GPU where there is one", allowed=DEVICES)
    seed: int = setting(0, "seed of weights, order and all other chance", least=0)
    deterministic: bool = advanced(False, "only algorithms that repeat bit for bit on CUDA, at some cost of speed")
    save_every_seconds: float = advanced(
        120.0, "how often state and samples are written", least=0, label="Save every (s)"
    )
    disk_limit_mb: int = advanced(
        4000, "most the run folder may take, in MB; older samples give way first", least=1, label="Disk limit (MB)"
    )


@dataclass(frozen=True)
class TrainConfig(DrawingsSettings, ProjectedSettings, SharedSettings):
    """One training run: data, recipe and its numbers, best made by ``TrainConfig.from_preset("projected", ...)``.

    Each field's meaning and range stand beside it; the command line and the panels show the same words.

    Raises
    ------
    ConfigError
        A value is out of its range, or two contradict each other.
    """

    def __post_init__(self) -> None:
        kind = kind_of(self.preset)
        check_settings(self)
        for name in ("data", "out", "start_from", "drawings", "sketches"):  # ~ means the same in code as in a shell
            object.__setattr__(self, name, expanded(getattr(self, name)))
        if self.decay_fraction == 1:
            raise ConfigError("decay_fraction is 1; it must be below 1, or no step has the whole rate.")
        if self.edges and self.edge_schedule:
            raise ConfigError("edges and edge_schedule are both given; name the kinds of edge maps in one of them.")
        if kind.check is not None:
            kind.check(self)
        self.schedule  # noqa: B018  raises where it cannot be read

    @property
    def sketch_px(self) -> int:
        """Side of the sketches and edge maps that the recipe takes."""
        return kind_of(self.preset).sketch_px or self.size_px

    def reads(self, name: str) -> bool:
        """Whether this run's recipe reads the setting of this name."""
        return self.preset in read_by(name)

    @property
    def schedule(self) -> Schedule:
        """Edge maps by epoch, read from ``edges`` or ``edge_schedule``."""
        return parse_schedule(self.edge_schedule or (f"0: {self.edges}" if self.edges else ""))

    @property
    def edge_sources(self) -> tuple[str, ...]:
        """Edge maps that have to be drawn beside those that always are."""
        return sources_of(self.schedule)

    @classmethod
    def from_preset(cls, preset: str, **changes: Any) -> TrainConfig:
        """The preset with these fields changed; an unknown field is a :class:`ConfigError`.

        Examples
        --------
        >>> TrainConfig.from_preset("projected", data="my_objects", out="runs/first", epochs=3).epochs
        3
        """
        known_presets = presets()
        if preset not in known_presets:
            kind_of(preset)  # says what became of one that is gone
        kind, given = known_presets[preset]
        return settings.from_record(cls, {"preset": kind.name, **given.settings, **changes})

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """The settings of a run's ``config.json`` or ``launch.json``, also of one from before settings went.

        Raises
        ------
        ConfigError
            They are no settings, or of a recipe that is gone.
        """
        try:
            record = json.loads(text)
            told = dict(record.get("settings", record))
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"they are no JSON object ({error})") from error
        kind_of(str(told.get("preset", DEFAULT_PRESET)))
        kept = {name: value for name, value in told.items() if name not in RETIRED}
        return settings.from_record(cls, {**PLAIN_EDGES, **kept})


PRESETS: dict[str, TrainConfig] = {name: TrainConfig.from_preset(name) for name in presets()}


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
    if not kind_of(preset).from_scratch:
        raise ConfigError(
            f"no recipe goes on from the model {os.fspath(start_from)!r} with pictures any more; move it with a "
            f"handful of drawings (preset {preset!r}), or train anew."
        )
    ratio = PRESETS[preset].lr_discriminator / PRESETS[preset].lr_generator
    reference = {
        "epochs": FINETUNING_EPOCHS, "lr_generator": FINETUNING_RATE, "lr_discriminator": FINETUNING_RATE * ratio,
        "decay_fraction": 0.0, "width": model.width, "size_px": model.size_px, "latent": model.latent,
    }  # fmt: skip
    return TrainConfig.from_preset(
        preset, **{"data": data, "out": out, "start_from": os.fspath(start_from), **reference, **changes}
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

"""How a model is trained: recipe, data and numbers, and presets of them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import check_settings, setting
from edgegan_widget.networks.config import LATENTS, SIZES_PX
from edgegan_widget.sketch.schedule import Schedule, parse_schedule, sources_of
from edgegan_widget.sketch.sources import always_drawn, told
from edgegan_widget.training.kinds import kind_of, presets, read_by

__all__ = ["DEFAULT_PRESET", "PRESETS", "TrainConfig"]

DEFAULT_PRESET = "projected"  # where none is named, on the command line and in forms
AUGMENTS = ("none", "shift", "diffaugment")
TRAINS = ("all", "generators", "encoder")
NEW_CLASSES = ("nearest", "mean")
DEVICES = ("auto", "cpu", "cuda")
RETIRED = ("r1_gamma",)  # settings that runs from before may have
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """One training run: data, recipe and its numbers, best made by ``TrainConfig.from_preset("projected", ...)``.

    Each field's meaning and range stand beside it; the command line and the panels show the same words.

    Raises
    ------
    ConfigError
        A value is out of its range, or two contradict each other.
    """

    preset: str = setting(DEFAULT_PRESET, "recipe: networks, losses and order of updates")
    data: str = setting("", "folder <split>/<class>/*.png of cut-outs or pairs, or a packed file")
    out: str = setting("", "run folder to write")
    classes: tuple[str, ...] = setting((), "train on these classes only (default: all of the data)")
    epochs: int = setting(60, "how often to go through the data", least=1)
    batch_size: int = setting(32, "pictures in a step, of all processes together", least=2)
    size_px: int = setting(
        64,
        "side of sketch and picture in pixels: 64, 128 or 256",
        allowed=SIZES_PX,
        option="--size",
        advanced=True,
        label="Size",
    )
    width: int = setting(32, "channels of the generators at full size", least=1, most=512, advanced=True)
    lr_generator: float = setting(
        2e-4, "learning rate of encoder and generators", least=1e-8, most=1, label="Generator rate"
    )
    lr_discriminator: float = setting(
        4e-4, "learning rate of discriminators and classifier", least=1e-8, most=1, label="Discriminator rate"
    )
    decay_fraction: float = setting(
        0.3,
        "final part of training over which the rates fall to zero",
        least=0,
        most=1,
        advanced=True,
        label="Rate decay",
    )
    ema_decay: float = setting(
        0.999,
        "running mean of encoder and generators, used for pictures; 0: none",
        least=0,
        most=0.99999,
        advanced=True,
        label="Running mean",
    )
    augment: str = setting(
        "shift",
        "changes to pictures before the discriminators, for small sets",
        allowed=AUGMENTS,
        advanced=True,
    )
    balanced: bool = setting(True, "draw classes evenly, however many pictures each has", advanced=True)
    mirror: bool = setting(True, "mirror half of the pictures", advanced=True)
    poses: float = setting(
        0.0,
        "other proportions, turns and slants of objects and drawings alike; 0: none, 1: some",
        least=0,
        most=2,
        advanced=True,
    )
    edges: str = setting(
        "",
        f"kinds of edge maps the encoder sees, with commas between: {told()} (none named: {', '.join(always_drawn())})",
        advanced=True,
    )
    edge_schedule: str = setting(
        "",
        "the same by epoch, instead of edges, as '0: full, hand 0; 30: full, contour, thin 2, hand 1'",
        advanced=True,
    )
    hand_details: float = setting(
        0.0,
        "how often inner strokes are left out of edge maps, 1 as people do",
        least=0,
        most=4,
        advanced=True,
    )
    hand_proportions: float = setting(
        0.0,
        "how far edge maps lose their proportions, 1 as people's do",
        least=0,
        most=4,
        advanced=True,
    )
    start_from: str = setting("", "fine-tune this model: a shipped name, model folder or run folder")
    trains: str = setting("all", "which networks fine-tuning moves", allowed=TRAINS, label="What trains")
    new_classes: str = setting(
        "nearest",
        "a new class starts from its most similar old one, or from their mean",
        allowed=NEW_CLASSES,
        label="New classes from",
    )
    critic_warmup_steps: int = setting(
        0,
        "steps in which only the discriminators learn, where the model brought none",
        least=0,
        advanced=True,
        label="Warm-up steps",
    )
    sketches: tuple[str, ...] = setting(
        (),
        "folders of people's drawings to learn from without photos of them, or packed files of such; sub-folders are "
        "named after classes, and a third of each is kept for testing",
        label="People's drawings",
        metavar="DIR",
    )
    people_share: float = setting(
        0.5,
        "people's drawings in a step, as a share of the batch",
        least=0,
        most=4,
        advanced=True,
        label="People's share",
    )
    restyled_share: float = setting(
        0.25, "objects drawn once more in another object's style", least=0, most=1, advanced=True
    )
    swapped_share: float = setting(
        0.25,
        "drawings given another class, so that the class counts",
        least=0,
        most=0.5,
        advanced=True,
    )
    latent: str = setting(
        "spatial",
        "numbers that keep their place, or the paper's one vector",
        allowed=LATENTS,
        advanced=True,
    )
    depths: int = setting(
        4,
        "depths of the feature network at which heads judge pictures",
        least=1,
        most=4,
        advanced=True,
    )
    weight_perceptual: float = setting(
        2.0,
        "how much pictures are held to photos in the feature network",
        least=0,
        most=100,
        advanced=True,
        label="Likeness weight",
    )
    weight_class: float = setting(
        0.5, "how much the classifier's verdict counts", least=0, most=100, advanced=True, label="Class weight"
    )
    weight_colour: float = setting(
        4.0, "how much a picture is held to its style's colour", least=0, most=100, advanced=True, label="Colour weight"
    )
    weight_coverage: float = setting(
        2.0,
        "how much pictures of people's drawings are held to what the lines enclose",
        least=0,
        most=100,
        advanced=True,
    )
    crop: float = setting(
        0.75,
        "smallest part of a picture's side that the heads are shown",
        least=0.5,
        most=1,
        advanced=True,
    )
    drawings: str = setting("", "folder <class>/*.json (or .svg, .png) of your own drawings")
    precision: str = setting(
        "auto", "arithmetic of convolutions; weights stay float32", allowed=PRECISIONS, advanced=True
    )
    device: str = setting("auto", "where to train; auto takes a GPU where there is one", allowed=DEVICES)
    seed: int = setting(0, "seed of weights, order and all other chance", least=0)
    deterministic: bool = setting(
        False, "only algorithms that repeat bit for bit on CUDA, at some cost of speed", advanced=True
    )
    save_every_seconds: float = setting(
        120.0, "how often state and samples are written", least=0, advanced=True, label="Save every (s)"
    )
    disk_limit_mb: int = setting(
        4000,
        "most the run folder may take, in MB; older samples give way first",
        least=1,
        advanced=True,
        label="Disk limit (MB)",
    )

    def __post_init__(self) -> None:
        kind = kind_of(self.preset)
        check_settings(self)
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
        unknown = sorted(set(changes) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            known = ", ".join(field.name for field in dataclasses.fields(cls))
            raise ConfigError(f"unknown settings {', '.join(unknown)}; TrainConfig knows {known}.")
        return cls(preset=kind.name, **{**given.settings, **changes})

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
        except (ValueError, AttributeError) as error:
            raise ConfigError(f"they are no JSON object ({error})") from error
        kind_of(str(told.get("preset", DEFAULT_PRESET)))
        return settings.from_json(cls, json.dumps({k: v for k, v in told.items() if k not in RETIRED}))


PRESETS: dict[str, TrainConfig] = {name: TrainConfig.from_preset(name) for name in presets()}

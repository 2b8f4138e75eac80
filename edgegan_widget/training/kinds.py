"""Recipes: one folder each below ``recipes``, which declares what it is; how it moves weights stands in its ``step``.

Presets, command line, forms, checks and the loop know a recipe by its :class:`RecipeKind` alone, which loads no torch.
To add one is to add a folder there that calls :func:`register`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edgegan_widget.base.errors import DependencyError
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.settings import Settings

if TYPE_CHECKING:
    from edgegan_widget.networks.config import ModelConfig
    from edgegan_widget.training.config import TrainConfig
    from edgegan_widget.training.dataset import PairDataset

__all__ = [
    "FALLS", "HOVERS", "PLAIN_EDGES", "Loss", "Preset", "RecipeKind", "Step", "kind_of", "kinds", "losses_of",
    "presets", "read_by", "register", "step_in", "that_fit",
]  # fmt: skip

# Edge maps as they are drawn, for recipes that do not have them as projected does; so it was before there was a choice.
PLAIN_EDGES: Mapping[str, Any] = {"edges": "", "poses": 0.0, "hand_details": 0.0, "hand_proportions": 0.0}
FALLS, HOVERS = "should fall", "should hover"  # what becomes of a loss where training goes well


class Step(Protocol):
    """What does the work of a recipe: a module, loaded when a run begins."""

    @property
    def Recipe(self) -> Callable[..., Any]:
        """Of a network, settings and a device: one training state, a :class:`recipes.common.Recipe`."""

    def model_config(self, classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
        """The network that is trained from scratch."""

    def load(self, config: TrainConfig) -> tuple[PairDataset, PairDataset]:
        """What is trained on, and what is shown and scored."""


@dataclass(frozen=True)
class Preset:
    """Settings with a name: what they are for and where they come from, and what differs from the usual ones."""

    note: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """A loss as it is told to a person: the network it moves, :data:`FALLS` or :data:`HOVERS`, and what it says."""

    network: str
    goes: str
    meaning: str


@dataclass(frozen=True)
class RecipeKind:
    """A recipe, as far as it is known without loading it.

    Attributes
    ----------
    name
        As in the setting ``preset``.
    presets
        By name, in the order in which they are offered.
    step
        Loads what does the work.
    architectures
        Networks that it can go on from; those it makes come first. Empty: any.
    learns_from
        The setting that names what it learns from.
    sketch_px
        Side of its sketches; None: that of its pictures.
    makes_critics
        Whether its discriminators go with the model, and are wanted from a model to start from.
    from_scratch
        Whether it can train a new model; otherwise it moves a trained one.
    losses
        What its step reports, by name, for whoever watches.
    own
        Settings of this recipe alone, a frozen dataclass, which :class:`~edgegan_widget.training.config.TrainConfig`
        inherits.
    reads
        Settings that are not its own, nor of every recipe, and that it reads.
    package, package_note
        A package that has to be installed, and the sentence that says so.
    check
        Raises a :class:`ConfigError` where settings contradict the recipe.
    """

    name: str
    presets: Mapping[str, Preset]
    step: Callable[[], Step]
    architectures: tuple[str, ...] = ()
    learns_from: str = "data"
    sketch_px: int | None = None
    makes_critics: bool = True
    from_scratch: bool = True
    losses: Mapping[str, Loss] = field(default_factory=dict)
    own: type[Settings] | None = None
    reads: tuple[str, ...] = ()
    package: str = ""
    package_note: str = ""
    check: Callable[[TrainConfig], None] | None = None

    def says_to_read(self, setting: str) -> bool:
        """Whether it names this setting among its own, or among those that not all recipes read."""
        return setting in self.reads or (self.own is not None and setting in self.own.__dataclass_fields__)

    def check_package(self) -> None:
        """Raise a :class:`DependencyError` where the package it needs is not installed."""
        if self.package and importlib.util.find_spec(self.package) is None:
            raise DependencyError(self.package_note)


GONE = dict.fromkeys(
    ("compact", "modern", "modern128"),
    ", a recipe that 'projected' took the place of: its models still draw, but train anew",
)
REGISTRY: Registry[RecipeKind] = Registry(
    "edgegan_widget.training.recipes", ("projected", "paper", "drawings"), packages=True, asked="preset is", gone=GONE
)
register, kinds, kind_of = REGISTRY.register, REGISTRY.known, REGISTRY.named


def step_in(package: str) -> Callable[[], Any]:
    """Loads the ``step`` beside what a recipe's package declares."""
    return lambda: importlib.import_module(f"{package}.step")


def presets() -> dict[str, tuple[RecipeKind, Preset]]:
    """All presets by name, with their recipes."""
    return {name: (kind, preset) for kind in kinds().values() for name, preset in kind.presets.items()}


def losses_of(name: str | None) -> Mapping[str, Loss]:
    """Losses of the recipe of this name; those of all recipes where there is none, as in runs of one that is gone."""
    known = kinds()
    if name in known:
        return known[name].losses
    return {loss: about for kind in reversed(known.values()) for loss, about in kind.losses.items()}


def that_fit(architecture: str) -> tuple[str, ...]:
    """Recipes that can go on from a model of this architecture, the one that makes such models first."""
    return tuple(kind.name for kind in kinds().values() if not kind.architectures or architecture in kind.architectures)


def read_by(setting: str) -> tuple[str, ...]:
    """Recipes that read a setting: those that say so, or all where none does."""
    some = tuple(kind.name for kind in kinds().values() if kind.says_to_read(setting))
    return some or tuple(kinds())

"""Recipes: one folder each below ``recipes``, which declares what it is; how it moves weights stands in its ``step``.

Presets, command line, forms, checks and the loop know a recipe by its :class:`RecipeKind` alone, which loads no torch.
To add one is to add a folder there that calls :func:`register`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edgegan_widget.base.errors import ConfigError, DependencyError
from edgegan_widget.base.registry import Registry

if TYPE_CHECKING:
    from edgegan_widget.networks.config import ModelConfig
    from edgegan_widget.training.config import TrainConfig
    from edgegan_widget.training.dataset import PairDataset

__all__ = ["Preset", "RecipeKind", "Step", "kind_of", "kinds", "presets", "read_by", "register", "that_fit"]


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
    reads
        Settings that not every recipe reads, and this one does.
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
    reads: tuple[str, ...] = ()
    package: str = ""
    package_note: str = ""
    check: Callable[[TrainConfig], None] | None = None

    def check_package(self) -> None:
        """Raise a :class:`DependencyError` where the package it needs is not installed."""
        if self.package and importlib.util.find_spec(self.package) is None:
            raise DependencyError(self.package_note)


REGISTRY: Registry[RecipeKind] = Registry(
    "edgegan_widget.training.recipes", ("projected", "paper", "drawings"), packages=True
)
register = REGISTRY.register


def kinds() -> dict[str, RecipeKind]:
    """All recipes by name, in the order in which they are offered."""
    return REGISTRY.known()


def kind_of(name: str) -> RecipeKind:
    """The recipe of this name.

    Raises
    ------
    ConfigError
        There is none.
    """
    known = kinds()
    if name not in known:
        gone = GONE.get(name, "")
        raise ConfigError(f"preset is {name!r}{gone}; allowed are {', '.join(map(repr, known))}.")
    return known[name]


def presets() -> dict[str, tuple[RecipeKind, Preset]]:
    """All presets by name, with their recipes."""
    return {name: (kind, preset) for kind in kinds().values() for name, preset in kind.presets.items()}


def that_fit(architecture: str) -> tuple[str, ...]:
    """Recipes that can go on from a model of this architecture, the one that makes such models first."""
    return tuple(kind.name for kind in kinds().values() if not kind.architectures or architecture in kind.architectures)


def read_by(setting: str) -> tuple[str, ...]:
    """Recipes that read a setting: those that say so, or all where none does."""
    some = tuple(kind.name for kind in kinds().values() if setting in kind.reads)
    return some or tuple(kinds())


GONE = dict.fromkeys(
    ("compact", "modern", "modern128"),
    ", a recipe that 'projected' took the place of: its models still draw, but train anew",
)

"""How models are measured."""

from __future__ import annotations

from dataclasses import dataclass

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import advanced, check_settings

__all__ = ["EvaluationConfig"]

PEOPLE = ("held_out", "all")


@dataclass(frozen=True)
class EvaluationConfig:
    """How models are measured; each field's meaning and range stand beside it.

    Raises
    ------
    ConfigError
        A value is out of its range.
    """

    per_class: int = advanced(0, "most drawings of a class and set; 0 takes all", least=0, label="Drawings a class")
    classes: tuple[str, ...] = advanced((), "those to measure; empty takes all that models and data share")
    variations: int = advanced(1, "pictures of each drawing: the most likely one, then others by seed", least=1)
    robustness_per_class: int = advanced(
        4,
        "held-out drawings of a class that are distorted more and more; 0 leaves that out",
        least=0,
        option="--robustness",
        label="Distorted a class",
    )
    people: str = advanced(
        "held_out",
        "people's sketches to ask for: those that training leaves out, one in three, or all of them",
        allowed=PEOPLE,
        label="People's sketches",
    )
    swapped_per_class: int = advanced(
        2,
        "held-out drawings of a class that are asked for as other classes; 0 leaves that out",
        least=0,
        option="--swapped",
        label="Swapped a class",
    )
    colour_seeds: int = advanced(
        8, "seeds of a few drawings of a class whose colours are compared; 0 leaves that out", least=0, most=64
    )
    inception: str = advanced("", "weights file for FID; empty takes a classifier trained on the data")
    seed: int = advanced(0, "of the classifier, which judges classes in any case", least=0)
    classifier_steps: int = advanced(900, "steps that the classifier is trained for", least=1)
    batch_size: int = advanced(128, "pictures that a network looks at together; no number depends on it", least=1)
    cache: str = advanced("", "folder of features; empty takes the user's cache, none keeps nothing")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.colour_seeds == 1:
            raise ConfigError("colour_seeds is 1; two colours or more can differ, so give 2 to 64, or 0 to do without.")

"""What to watch out for in a data folder before training on it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgegan_widget.base.words import listed, spoken

__all__ = ["ClassCount", "advice"]

_FEW = 100  # of a class to train on: below it a critic soon knows the pictures by heart
_FEW_UNSEEN = 5  # of a class to validate on: with fewer, its score is one picture's luck
_UNEVEN = 10  # times as many pictures in the largest class as in the smallest


@dataclass(frozen=True)
class ClassCount:
    """Pictures of a class: to train on, to validate on, and set aside."""

    label: str
    train: int
    val: int
    aside: int


def advice(counts: Sequence[ClassCount]) -> list[str]:
    """One sentence for each thing that will make training harder; empty where nothing will."""
    told = []
    empty = [spoken(each.label) for each in counts if not each.train]
    if empty:
        told.append(f"Nothing to train on for {listed(empty)}: accept pictures, or leave the class out.")
    few = [f"{spoken(each.label)} ({each.train})" for each in counts if 0 < each.train < _FEW]
    if few:
        told.append(f"Few pictures to train on: {listed(few)}. Below {_FEW} they are soon known by heart; add some.")
    trained = [each for each in counts if each.train]
    if trained:
        most, least = (pick(trained, key=lambda each: each.train) for pick in (max, min))
        if most.train > _UNEVEN * least.train:
            told.append(
                f"Unbalanced: {most.label} has {most.train / least.train:.0f} times as many as {least.label}. "
                "Classes are drawn evenly, so the small one repeats."
            )
    unseen = [spoken(each.label) for each in counts if each.train and not each.val]
    if unseen:
        told.append(f"Nothing to validate on for {listed(unseen)}: the score cannot tell whether it is learned.")
    hardly = [f"{spoken(each.label)} ({each.val})" for each in counts if each.train and 0 < each.val < _FEW_UNSEEN]
    if hardly:
        told.append(f"Few pictures to validate on: {listed(hardly)}. Their scores are luck; raise the share.")
    return told

"""What tables say about a number: declared beside what computes it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Column", "Told"]

Column = tuple[str, str, tuple[str, ...]]  # heading, how it is written, where it is among a set's numbers


@dataclass(frozen=True)
class Told:
    """One number.

    Attributes
    ----------
    column
        An arrow at the heading's end tells which way is better.
    meaning
        In a sentence.
    pictures
        What is said of the pictures that stand behind it; empty where its neighbours say it already.
    """

    column: Column
    meaning: str
    pictures: str = ""

"""Distances among many features, in blocks, so that ten thousand pictures need no more memory than a thousand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64

__all__ = ["blocks", "kth_nearest", "mean_pair", "nearest"]

Numbers = npt.NDArray[np.int64]

ROWS = 512  # of a block: 512 x 10,000 distances are 41 MB


def blocks(first: F64, second: F64, to_itself: float | None = None) -> Iterator[tuple[slice, F64]]:
    """Rows of ``first`` a block at a time, with their Euclidean distances to all of ``second`` [rows, M].

    Where both are the same, ``to_itself`` is told as the distance of each row to itself.
    Both are moved to the mean of ``second`` before |a|^2 - 2ab + |b|^2 is taken, which keeps small distances exact to
    about 1e-7 of the spread.
    """
    middle = second.mean(axis=0)
    second = second - middle
    squares = (second**2).sum(axis=1)
    for start in range(0, len(first), ROWS):
        part = first[start : start + ROWS] - middle
        squared = part @ second.T
        squared *= -2
        squared += squares
        squared += (part**2).sum(axis=1)[:, None]
        np.maximum(squared, 0, out=squared)
        np.sqrt(squared, out=squared)
        if to_itself is not None:
            own = np.arange(len(part))
            squared[own, own + start] = to_itself
        yield slice(start, start + len(part)), squared


def nearest(features: F64, among: F64 | None = None) -> tuple[F64, Numbers]:
    """Distance [N] to the nearest of ``among``, or without them to the nearest other row, and its number [N]."""
    found = np.empty(len(features))
    numbers = np.empty(len(features), np.int64)
    every = blocks(features, features, np.inf) if among is None else blocks(features, among)
    for rows, distances in every:
        numbers[rows] = distances.argmin(axis=1)
        found[rows] = distances[np.arange(len(distances)), numbers[rows]]
    return found, numbers


def kth_nearest(features: F64, k: int) -> F64:
    """Distance [N] of each row to its ``k``-th nearest other row.

    Raises
    ------
    ValueError
        There are not more than ``k`` rows.
    """
    if len(features) <= k:
        raise ValueError(f"there are {len(features)} samples; neighbour number {k} needs at least {k + 1}.")
    found = np.empty(len(features))
    for rows, distances in blocks(features, features, np.inf):
        found[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return found


def mean_pair(features: F64) -> float:
    """Mean distance between two different rows; nan for fewer than two."""
    count = len(features)
    if count < 2:
        return float("nan")
    return sum(float(distances.sum()) for _, distances in blocks(features, features, 0.0)) / (count * (count - 1))

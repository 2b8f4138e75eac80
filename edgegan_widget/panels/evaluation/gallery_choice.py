"""Which pictures stand behind a number: its best, middle and worst ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.table import Column, at

__all__ = ["Group", "groups"]

Json = dict[str, Any]
Numbers = npt.NDArray[np.int64]

SHOWN = 6


@dataclass(frozen=True)
class Group:
    """Pictures under one heading, by their numbers in the set."""

    title: str
    pictures: tuple[int, ...]


def groups(pictures: Pictures, found: Json, column: Column, classes: Sequence[str]) -> list[Group]:
    """What to show of a set behind one of its numbers."""
    make: dict[str, Callable[[], list[Group]]] = {
        "realism": lambda: [Group("", tuple(_spread(np.arange(len(pictures.labels)), 3 * SHOWN)))],
        "right_class": lambda: _ends(_of_class(pictures, found, column, classes)),
        "faithful": lambda: _ends(_worst_first(pictures, column)),
        "diversity": lambda: _by_class(pictures, found, column, classes),
        "swapped": lambda: _by_class(pictures, found, column, classes),
        "colours": lambda: _by_class(pictures, found, column, classes),
        "memorisation": lambda: _nearest(pictures),
    }
    return make[column[2][0]]()


def _of_class(pictures: Pictures, found: Json, column: Column, classes: Sequence[str]) -> Numbers:
    """Not seen as the class first; where the number is of one class, of that class only."""
    order = np.lexsort((pictures.f_score, pictures.right))
    name = (at(found, column[2]) or {}).get("class_name")
    return order if name is None else order[pictures.labels[order] == list(classes).index(str(name))]


def _worst_first(pictures: Pictures, column: Column) -> Numbers:
    values = np.asarray(getattr(pictures, column[2][-1]))
    return np.argsort(values if column[0].endswith("↑") else -values, kind="stable")


def _ends(order: Numbers) -> list[Group]:
    """Of pictures from the worst to the best; few pictures are not shown twice."""
    if len(order) < 3 * SHOWN:
        return [Group("from best to worst", _plain(order[::-1]))]
    middle = len(order) // 2 - SHOWN // 2
    return [
        Group("best", _plain(order[::-1][:SHOWN])),
        Group("in the middle", _plain(order[middle : middle + SHOWN])),
        Group("worst", _plain(order[:SHOWN])),
    ]


def _nearest(pictures: Pictures) -> list[Group]:
    """The closest to a training picture first."""
    order = np.argsort(np.nan_to_num(pictures.relative, nan=np.inf), kind="stable")
    if len(order) < 3 * SHOWN:
        return [Group("from near to far", _plain(order))]
    middle = len(order) // 2 - SHOWN // 2
    return [
        Group("nearest to a training picture", _plain(order[:SHOWN])),
        Group("in the middle", _plain(order[middle : middle + SHOWN])),
        Group("farthest", _plain(order[-SHOWN:])),
    ]


def _by_class(pictures: Pictures, found: Json, column: Column, classes: Sequence[str]) -> list[Group]:
    """Pictures of the best, the middle and the worst class by this number."""
    by_class = {name: one[column[2][-1]] for name, one in (at(found, (column[2][0], "by_class")) or {}).items()}
    if not by_class:
        return [Group("", tuple(_spread(np.arange(len(pictures.labels)), 3 * SHOWN)))]
    order = sorted(by_class, key=lambda name: float(by_class[name]), reverse=not column[0].endswith("↓"))
    chosen = dict.fromkeys([order[0], order[len(order) // 2], order[-1]])
    return [
        Group(
            f"{name.replace('_', ' ')}: {by_class[name]:{column[1]}}",
            tuple(_spread(np.nonzero(pictures.labels == list(classes).index(name))[0], SHOWN)),
        )
        for name in chosen
    ]


def _spread(numbers: Numbers, most: int) -> list[int]:
    kept = np.linspace(0, len(numbers) - 1, min(most, len(numbers))).round().astype(int)
    return [int(number) for number in numbers[kept]]


def _plain(numbers: Numbers) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)

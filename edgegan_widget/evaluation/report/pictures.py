"""Pictures of an evaluation: which stand behind a number, what is said below them, and how they come into a page.

Needs no torch: the report's page and the table on screen choose and caption alike.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.files import write_atomic
from edgegan_widget.base.units import U8, Json
from edgegan_widget.base.words import spoken
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.metrics import CLASSES, SET, Metric, at, leading, question_of
from edgegan_widget.sketch.edges import scaled

if TYPE_CHECKING:
    from edgegan_widget.evaluation.drawn import Drawn
    from edgegan_widget.evaluation.judge import Evaluation, Scored

__all__ = ["Figure", "Group", "caption", "ends_of_classes", "figure", "groups", "macro", "picture_url", "pictures_of",
           "planes", "render", "strip", "worst_first", "write_samples"]  # fmt: skip

Numbers = npt.NDArray[np.int64]

SHOWN = 6  # of each of a number's best, middle and worst pictures
SHOWN_OF_CLASS = 4
SAMPLES, BLOCKS = 2, 4  # of a class, and blocks in a row of a sheet of samples


@dataclass(frozen=True)
class Group:
    """Pictures under one heading, by their numbers in the set."""

    title: str
    pictures: tuple[int, ...]


@dataclass(frozen=True)
class Figure:
    """Planes side by side as one picture in a page."""

    url: str
    planes: int
    about: str


@functools.cache
def _pages() -> jinja2.Environment:
    folder = jinja2.FileSystemLoader(Path(__file__).parent / "pages")
    made = jinja2.Environment(loader=folder, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    made.filters["spoken"] = spoken
    return made


def render(template: str, **values: object) -> str:
    """A page; whatever it is given is escaped."""
    return _pages().get_template(template).render(**values)


def macro(template: str, name: str, *values: object) -> str:
    """One of a template's macros, as HTML."""
    return str(getattr(_pages().get_template(template).module, name)(*values))


def pictures_of(scored: Scored, evaluation: Evaluation, beside: bool = True) -> Pictures:
    """What was drawn, and what each picture is worth; with the training pictures beside them, or without."""
    drawn, inputs = scored.drawn, scored.drawn.inputs
    train = evaluation.train.images_u8
    theirs = {name: train[numbers].permute(0, 2, 3, 1).numpy() for name, numbers in scored.beside.items() if beside}
    return Pictures(
        inputs.sketches_u8, drawn.pictures_u8, drawn.edges_u8, drawn.labels, scored.seen, np.array(inputs.sources),
        {**scored.values, **theirs},
    )  # fmt: skip


def groups(pictures: Pictures, found: Json, metric: Metric, classes: Sequence[str]) -> list[Group]:
    """What to show of a set behind one of its numbers."""
    question = question_of(metric)
    if question.shown == CLASSES:
        return _by_class(pictures, found, metric, classes)
    if question.shown == SET:
        return [_sample(pictures)]
    order = worst_first(pictures, metric.quality(pictures.values[metric.per_picture]))
    name = (at(found, metric.path) or {}).get("class_name")  # where the number is of one class, of that class only
    if name is not None:
        order = order[pictures.labels[order] == list(classes).index(str(name))]
    return _ends(order, question.ends)


def worst_first(pictures: Pictures, quality: npt.ArrayLike) -> Numbers:
    """Numbers of pictures by quality, those alike by the leading number."""
    lead = leading()
    return np.lexsort((lead.quality(pictures.values[lead.per_picture]), np.asarray(quality)))


def ends_of_classes(pictures: Pictures, classes: Sequence[str]) -> Iterator[tuple[str, dict[str, Numbers]]]:
    """Each class's worst, median and best pictures by the leading number."""
    lead = leading()
    values = lead.quality(pictures.values[lead.per_picture])
    for number in np.unique(pictures.labels):
        members = np.nonzero(pictures.labels == number)[0]
        order = members[np.argsort(values[members], kind="stable")]
        middle = max(0, len(order) // 2 - SHOWN_OF_CLASS // 2)
        yield (
            classes[number],
            {
                "worst": order[:SHOWN_OF_CLASS],
                "median": order[middle : middle + SHOWN_OF_CLASS],
                "best": order[::-1][:SHOWN_OF_CLASS],
            },
        )


def caption(pictures: Pictures, number: int, metric: Metric, classes: Sequence[str]) -> list[str]:
    """What was seen in a picture, what it is worth by this number or else by the leading one, and its drawing."""
    asked, seen = (spoken(classes[int(found[number])]) for found in (pictures.labels, pictures.seen))
    told = metric if metric.caption else leading()
    worth = told.caption.format(pictures.values[told.per_picture][number])
    source = str(pictures.sources[number // pictures.variations])
    return [asked if asked == seen else f"{asked}, seen as {seen}", worth, source]


def planes(pictures: Pictures, number: int, beside: str = "") -> list[U8]:
    """Drawing, the model's own edge map and picture; or drawing, picture and the training picture of this name."""
    sketch, picture = pictures.sketches[number // pictures.variations], pictures.pictures[number]
    chosen = [sketch, picture, pictures.values[beside][number]] if beside else [sketch, pictures.edges[number], picture]
    return [np.asarray(plane) for plane in chosen]


def figure(shown: Sequence[U8], about: str) -> Figure:
    """Planes uint8 [S, S] or [S, S, 3] with what is said below them."""
    return Figure(picture_url(strip(shown)), len(shown), about)


def strip(shown: Sequence[U8], most_px: int | None = None) -> U8:
    """Pictures [S, S] or [S, S, 3] side by side, uint8 [T, T * N, 3] with T that of the largest, or ``most_px``."""
    side = min(max(map(len, shown)), most_px or 10**9)
    colours = [np.repeat(plane[..., None], 3, axis=2) if plane.ndim == 2 else plane for plane in shown]
    return np.ascontiguousarray(np.concatenate([scaled(plane, side) for plane in colours], axis=1))


def write_samples(path: Path, evaluation: Evaluation) -> None:
    """Write a sheet of what the first model drew as PNG, not picked: the first drawings of each class, set after set.

    Blocks of drawing | edge map | picture.
    """
    (sets, *_) = evaluation.scored.values()
    strips = [each for scored in sets.values() for each in _first_of_classes(scored.drawn)]
    strips += [np.full_like(strips[0], 255)] * (-len(strips) % BLOCKS)
    rows = [np.concatenate(strips[start : start + BLOCKS], axis=1) for start in range(0, len(strips), BLOCKS)]
    with write_atomic(path) as stream:
        Image.fromarray(np.concatenate(rows)).save(stream, "PNG")


def _first_of_classes(drawn: Drawn) -> Iterator[U8]:
    """Uint8 [S, 3 S, 3] of the first drawings of each class, in their order."""
    labels = drawn.inputs.labels
    for number in sorted(int(n) for label in np.unique(labels) for n in np.nonzero(labels == label)[0][:SAMPLES]):
        row = number * drawn.variations
        yield strip([drawn.inputs.sketches_u8[number], drawn.edges_u8[row], drawn.pictures_u8[row]])


def picture_url(pixels: U8, compress_level: int = 6) -> str:
    """A picture uint8 [H, W, 3] as a PNG in an address."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=compress_level)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _ends(order: Numbers, titles: tuple[str, str, str, str]) -> list[Group]:
    """Of pictures from the worst to the best; few pictures are not shown twice."""
    if len(order) < 3 * SHOWN:
        return [Group(titles[3], _plain(order[::-1]))]
    middle = len(order) // 2 - SHOWN // 2
    parts = order[::-1][:SHOWN], order[middle : middle + SHOWN], order[:SHOWN]
    return [Group(title, _plain(chosen)) for title, chosen in zip(titles, parts)]


def _by_class(pictures: Pictures, found: Json, metric: Metric, classes: Sequence[str]) -> list[Group]:
    """Pictures of the best, the middle and the worst class by this number."""
    *place, key = metric.path
    values = {name: one[key] for name, one in (at(found, (*place, "by_class")) or {}).items()}
    if not values:
        return [_sample(pictures)]
    order = sorted(values, key=lambda name: float(values[name]), reverse=metric.better != "↓")
    return [
        Group(
            f"{spoken(name)}: {values[name]:{metric.format}}",
            _spread(np.nonzero(pictures.labels == list(classes).index(name))[0], SHOWN),
        )
        for name in dict.fromkeys([order[0], order[len(order) // 2], order[-1]])
    ]


def _sample(pictures: Pictures) -> Group:
    return Group("", _spread(np.arange(len(pictures.labels)), 3 * SHOWN))


def _spread(numbers: Numbers, most: int) -> tuple[int, ...]:
    kept = np.linspace(0, len(numbers) - 1, min(most, len(numbers))).round().astype(int)
    return _plain(numbers[kept])


def _plain(numbers: Numbers) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)

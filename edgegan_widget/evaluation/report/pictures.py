"""The pictures of an evaluation: failures, galleries by class, nearly the same ones, possible copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from edgegan_widget.evaluation.evaluate import Evaluation
from edgegan_widget.evaluation.report.parts import drawn_figure, figure, text, tiles
from edgegan_widget.evaluation.scoring import Scored

__all__ = ["copies", "failures", "galleries", "nearly_the_same"]

SHOWN = 4  # tiles at each end of a class's gallery
WORST = 12


def failures(evaluation: Evaluation) -> Iterator[str]:
    """What is seen as another class first, and of these what follows its drawing least."""
    yield "<h2>Failures first</h2><p>Drawing | the model's own edge map | picture.</p>"

    def worst(scored: Scored) -> Iterator[str]:
        order = np.lexsort((scored.f_score, scored.right))[:WORST]
        return (drawn_figure(scored, one, evaluation) for one in order)

    yield from _each_set(evaluation, worst)


def galleries(evaluation: Evaluation) -> Iterator[str]:
    """Each class's worst, median and best pictures by how well they follow the drawing."""
    yield (
        "<h2>By class: worst, median and best by F-score of the lines</h2>"
        "<p>Drawing | the model's own edge map | picture.</p>"
    )
    for name, sets in evaluation.scored.items():
        for scored in sets.values():
            yield f"<details><summary>{text(name)}, {text(scored.drawn.inputs.name)}</summary>"
            for number in np.unique(scored.drawn.labels):
                yield f"<h3>{text(evaluation.train.classes[number])}</h3>"
                yield from _of_class(scored, number, evaluation)
            yield "</details>"


def _of_class(scored: Scored, number: int, evaluation: Evaluation) -> Iterator[str]:
    members = np.nonzero(scored.drawn.labels == number)[0]
    order = members[np.argsort(scored.f_score[members], kind="stable")]
    middle = max(0, len(order) // 2 - SHOWN // 2)
    parts = {"worst": order[:SHOWN], "median": order[middle : middle + SHOWN], "best": order[::-1][:SHOWN]}
    for name, chosen in parts.items():
        yield f"<p>{name}</p>{tiles(drawn_figure(scored, one, evaluation) for one in chosen)}"


def nearly_the_same(evaluation: Evaluation) -> Iterator[str]:
    """Different drawings of a class whose pictures lie nearest to each other."""
    yield (
        "<h2>Different drawings, nearly the same picture</h2><p>A drawing and its picture | the drawing and picture "
        "nearest to it, nearest first. The distance is a share of that between two real pictures of the class; below "
        "0.15 they count as nearly the same.</p>"
    )
    yield from _each_set(evaluation, _same)


def _same(scored: Scored) -> Iterator[str]:
    inputs, variations = scored.drawn.inputs, scored.drawn.variations
    seen: set[frozenset[int]] = set()
    for one in np.argsort(np.nan_to_num(scored.partner_distance, nan=np.inf), kind="stable"):
        other = int(scored.partner[one])
        pair = frozenset((int(one), other))
        if other < 0 or pair in seen or len(seen) == WORST:
            continue
        seen.add(pair)
        planes = [
            plane
            for number in (one, other)
            for plane in (inputs.sketches_u8[number], scored.drawn.pictures_u8[number * variations])
        ]
        yield figure(planes, f"{scored.partner_distance[one]:.2f}; {inputs.sources[one]}; {inputs.sources[other]}")


def copies(evaluation: Evaluation) -> Iterator[str]:
    """Pictures that lie closest to a training picture."""
    yield (
        "<h2>Nearest training pictures</h2><p>Drawing | picture | the training picture nearest by pixels (as it is or "
        "mirrored), closest first; 1 is as far as held-out pictures lie in the median.</p>"
    )

    def nearest(scored: Scored) -> Iterator[str]:
        order = np.argsort(np.nan_to_num(scored.relative, nan=np.inf), kind="stable")[:WORST]
        theirs = evaluation.train.images_u8[scored.neighbour[order]].permute(0, 2, 3, 1).numpy()
        for one, other in zip(order, theirs):
            sketch = scored.drawn.inputs.sketches_u8[scored.drawn.number[one]]
            about = f"{scored.relative[one]:.2f} of a held-out picture's distance"
            yield figure([sketch, scored.drawn.pictures_u8[one], other], about)

    yield from _each_set(evaluation, nearest)


def _each_set(evaluation: Evaluation, show: Callable[[Scored], Iterator[str]]) -> Iterator[str]:
    for name, sets in evaluation.scored.items():
        for scored in sets.values():
            figures = list(show(scored))
            if figures:
                yield f"<h3>{text(name)}, {text(scored.drawn.inputs.name)}</h3>{tiles(figures)}"

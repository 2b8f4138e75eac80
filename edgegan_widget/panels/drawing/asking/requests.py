"""What the pad asks of a model, and how it is answered, beside the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgegan_widget.base.errors import ConfigError, ServerError
from edgegan_widget.base.result import Asked, Engine, Result
from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.drawing.looks.look import Look

__all__ = ["Request", "again_seconds", "morphed", "pictures", "told"]

AGAIN_SECONDS = 1.0  # after a server that draws did not answer


@dataclass(frozen=True)
class Request:
    """One picture asked for.

    Attributes
    ----------
    model
        Which model draws it.
    look
        What is drawn, with all that the picture follows from.
    sketch
        The same as the network's sketch; without it the model is loaded only.
    variations
        How many pictures.
    finished
        Whether the pen is lifted.
    asked
        Whether it is another look of what was drawn before.
    notice
        Shown with the picture.
    guess
        Whether the class is to be named from the drawing.
    start
        Look and sketch where a morph begins that ends with this picture.
    """

    model: DrawingModel
    look: Look
    sketch: U8 | None = None
    variations: int = 1
    finished: bool = True
    asked: bool = False
    notice: ConfigError | None = None
    guess: bool = False
    start: tuple[Look, U8] | None = None


def pictures(engine: Engine, request: Request, go_on: Callable[[], bool]) -> Iterator[Result]:
    """The pictures that were asked for; once more and closer to the lines each time, as long as ``go_on`` says so."""
    asked = _asked(engine, request.look, request.sketch)
    result = engine.generate(
        asked.sketch, asked.label, seed=asked.seed, variations=request.variations, style=asked.style
    )
    yield result
    if request.finished and request.look.closeness:
        for closer in engine.approach(asked.sketch, asked.label, result, request.look.closeness):
            yield closer
            if not go_on():
                return


def morphed(engine: Engine, request: Request, frames: int) -> U8:
    """Frames uint8 [F, H, W, 3] from the look where a morph begins to the one that was asked for."""
    start, sketch = request.start or (request.look, request.sketch)
    ends = _asked(engine, start, sketch), _asked(engine, request.look, request.sketch)
    return engine.interpolate(ends[0], ends[1], frames).images


def again_seconds(error: Exception) -> float | None:
    """When to ask again after an error: soon where a server that draws is gone, which passes; else never."""
    return AGAIN_SECONDS if isinstance(error, ServerError) else None


def told(error: Exception | None) -> Exception | None:
    """An error as the page tells it: what is to be done about a server that is gone is done by itself."""
    if not isinstance(error, ServerError):
        return error
    what = str(error).partition(";")[0].rstrip(".")
    return ServerError(f"{what}; draw on, the picture follows by itself once it answers.")


def _asked(engine: Engine, look: Look, sketch: U8 | None) -> Asked:
    """A model without styles is not asked for one."""
    blank = np.full((engine.sketch_px,) * 2, 255, np.uint8)
    style = look.style if engine.styles(look.label) else None
    return Asked(blank if sketch is None else sketch, look.label, look.seed, style)

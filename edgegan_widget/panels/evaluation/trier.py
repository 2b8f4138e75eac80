"""Lets all chosen models draw one drawing, beside the page; each is loaded once, the pad's own among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.panels.evaluation.models_choice import Chosen
from edgegan_widget.panels.evaluation.side_by_side import Answer
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

if TYPE_CHECKING:
    from edgegan_widget.networks.engine import EdgeGAN

__all__ = ["Tried", "Trier"]


@dataclass(frozen=True, eq=False)
class Tried:
    """A drawing, the class it was drawn as, and what each model made of it."""

    drawing: Drawing
    label: str
    answers: dict[str, Answer]


class Trier:
    """One worker for all models; a newer drawing replaces the one that waits.

    Parameters
    ----------
    device
        ``auto``, ``cpu`` or ``cuda``.
    on_tried
        Called in the worker with each :class:`Tried`.
    say
        Called in the worker with what went wrong.
    """

    def __init__(self, device: str, on_tried: Callable[[Tried], None], say: Callable[[Exception | None], None]) -> None:
        self._device = device
        self._engines: dict[str, EdgeGAN] = {}
        self._worker: NewestWins[tuple[Drawing, str, tuple[Chosen, ...]], Tried] = NewestWins(self._work, on_tried, say)

    def submit(self, drawing: Drawing, label: str, models: tuple[Chosen, ...]) -> None:
        """Ask for the pictures of a drawing."""
        self._worker.submit((drawing, label, models))

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until nothing is asked for; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _work(self, request: tuple[Drawing, str, tuple[Chosen, ...]]) -> Tried:
        drawing, label, models = request
        places = {model.place for model in models}
        for place in [place for place in self._engines if place not in places]:
            del self._engines[place]  # a model that was taken off the list need not stay in memory
        return Tried(drawing, label, {model.name: self._answer(drawing, label, model) for model in models})

    def _answer(self, drawing: Drawing, label: str, model: Chosen) -> Answer:
        """What goes wrong with one model is told in its place, beside what the others drew."""
        spoken = label.replace("_", " ")
        if label not in model.config.classes:
            return Answer(None, f"does not draw {spoken}.")
        try:
            result = self._engine(model).generate(rasterize(drawing, model.config.sketch_px), label)
        except EdgeGANError as error:
            return Answer(None, f"cannot draw: {error}")
        return Answer(result.image, f"{result.milliseconds:.0f} ms")

    def _engine(self, model: Chosen) -> EdgeGAN:
        if model.place not in self._engines:
            from edgegan_widget.networks.engine import EdgeGAN  # loads torch, in the worker

            self._engines[model.place] = EdgeGAN.shared(model.place, self._device)
        return self._engines[model.place]

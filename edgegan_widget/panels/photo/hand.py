"""What a person does with the objects on a photo: draws, moves, names, splits and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.panels.drawing.asking.choices import Choices
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.drawing.examples import example
from edgegan_widget.panels.drawing.looks.look import Look
from edgegan_widget.panels.photo.beside import FitOptions
from edgegan_widget.panels.photo.desk import Desk, Points
from edgegan_widget.panels.photo.edits import EDITS
from edgegan_widget.panels.photo.painter import Models
from edgegan_widget.panels.photo.states import State
from edgegan_widget.panels.photo.strokes import drawn_in, moved, parted, with_stroke
from edgegan_widget.photo.fitting import Fit
from edgegan_widget.photo.scene import Placed
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["Hand", "first_class"]

FIRST_CLASSES = ("sheep", "horse", "sneaker")  # the first that the model knows


def first_class(classes: Sequence[str]) -> str:
    """The class to begin with."""
    return next((name for name in FIRST_CLASSES if name in classes), classes[0])


class Hand:
    """Objects, as they are drawn on and changed.

    Parameters
    ----------
    desk
        The photo on which they lie.
    models
        What draws them.
    choices, fits
        What is chosen for the selected object and the next one.
    """

    def __init__(self, desk: Desk, models: Models, choices: Choices, fits: FitOptions) -> None:
        self._desk, self._models, self._choices, self._fits = desk, models, choices, fits
        self._stroke = 0
        self._points: list[Sequence[float]] = []  # of the stroke that is being drawn

    # Drawing ---------------------------------------------------------------------------------------------------

    def ink(self, stroke: int, points: Points, tool: str, width: float, done: bool) -> None:
        """More of a stroke, in shown pixels: its picture follows; once the pen is up it is a step."""
        scale = self._desk.scale
        if stroke != self._stroke:
            self._stroke, self._points = stroke, []
        self._points += [[x / scale, y / scale, *more] for x, y, *more in points]
        now = self._desk.now
        placed = with_stroke(now.object or self._fresh(), self._points, width / scale, tool)
        state = now.having(replace(placed, hidden=False))
        if not done:
            self._desk.preview(state)
            return
        self._points = []
        if any(each.tool == "pen" for each in placed.drawing.strokes):
            self._desk.commit(self._guessed(state))

    def demonstrate(self) -> None:
        """An example of the chosen class where the next object goes, or instead of the selected one's strokes."""
        drawing, now = example(self._choices.label), self._desk.now
        if drawing is not None and self._desk.scene:
            self._desk.commit(now.having(drawn_in(now.object or self._fresh(), drawing)))

    def split(self, points: Points) -> None:
        """Strokes of the selected object that were gone around become an object of their own."""
        now, line = self._desk.now, np.array(points, np.float32)[:, :2] / self._desk.scale
        if now.object is None or now.selected is None:
            raise ConfigError("no object is selected; draw one, or choose one from the list.")
        corners = line.reshape(-1, 1, 2)
        parts = parted(now.object, lambda at: np.array([cv2.pointPolygonTest(corners, xy, False) >= 0 for xy in at]))
        if parts is None:
            raise ConfigError("what was gone around is not a part of the object's strokes; go around some of them.")
        own, rest = parts
        scene = now.scene.with_placed(now.selected, rest).having(own)
        self._desk.commit(self._guessed(replace(now, scene=scene, selected=len(now.scene.placed), kind="")))

    def _fresh(self) -> Placed:
        """An object without strokes, as it is chosen beside the photo."""
        return self._with_look(Placed(Drawing(), "", self._desk.guide, fit=self._fits.fit))

    def _with_look(self, placed: Placed) -> Placed:
        choices = self._choices
        return replace(
            placed, label=choices.label, seed=choices.seed, style=choices.style, closeness=choices.closeness,
            model=self._models.first.name,
        )  # fmt: skip

    def _guessed(self, state: State) -> State:
        """The same with the class that the drawing shows, where that is to be guessed."""
        engine, placed = self._models.first.engine, state.object
        if not self._choices.guesses or engine is None or placed is None:
            return state
        guesses = engine.guess(rasterize(placed.drawing, engine.sketch_px, fit=True))
        if not guesses:
            return state
        self._choices.show_guesses(guesses)
        self.offer_styles()
        return state.having(replace(placed, label=guesses[0][0]))

    # Changing --------------------------------------------------------------------------------------------------

    def move(self, box: Sequence[float], turned: float, mirrored: bool, done: bool) -> None:
        """The selected object's box is another one, in shown pixels."""
        now = self._desk.now
        if now.object is None:
            return
        scale = self._desk.scale
        state = now.having(moved(now.object, [each / scale for each in box], turned, mirrored))
        (self._desk.commit if done else self._desk.preview)(state)

    def edit(self, name: str) -> None:
        """Do with the selected object what a button or key stands for, one of :data:`.edits.EDITS`."""
        now = self._desk.now
        if now.object is not None:
            self._desk.commit(EDITS[name](now, now.object, self._desk.scale))

    def select(self, number: int | None) -> None:
        """Draw on another object, or with None on a new one."""
        now = self._desk.now
        if number is None or 0 <= number < len(now.scene.placed):
            self._desk.commit(replace(now, selected=number))

    def rename(self, name: str) -> None:
        """Call the selected object so."""
        now = self._desk.now
        if now.object is not None:
            self._desk.commit(now.having(replace(now.object, name=name.strip())))

    def refit(self, fit: Fit) -> None:
        """Fit the selected object in so."""
        now = self._desk.now
        if now.object is not None:
            self._desk.commit(now.having(replace(now.object, fit=fit), f"fit {now.selected}"))

    # Looks and models ------------------------------------------------------------------------------------------

    def change_look(self) -> None:
        """Another class, seed, style or closeness was chosen."""
        self.offer_styles()
        now = self._desk.now
        if now.object is not None:
            self._desk.commit(now.having(self._with_look(now.object)))

    def follow(self, placed: Placed | None) -> None:
        """Choose beside the photo what the selected object has."""
        if placed is None:
            return
        if placed.model != self._models.first.name:
            self.take_model(self._models.find(placed.model))
        if placed.label in self._models.first.classes:
            look = Look(placed.drawing, placed.label, placed.seed, placed.style, placed.model, placed.closeness)
            self._choices.choose(look)
        self.offer_styles()

    def take_model(self, model: DrawingModel) -> None:
        """Draw new objects with another model; the chosen class stays where it knows that."""
        self._models.use(model)
        label = self._choices.label
        self._choices.offer(model.classes, label if label in model.classes else first_class(model.classes))
        self.offer_styles()

    def offer_styles(self) -> None:
        """Show what there is for the chosen class: an example, and styles, once the model is there to say them."""
        self._choices.offer_example(example(self._choices.label) is not None)
        engine = self._models.first.engine
        if engine is not None:
            self._choices.offer_styles(engine.styles(self._choices.label))
            self._choices.offer_guess(engine.can_guess)

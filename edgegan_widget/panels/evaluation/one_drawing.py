"""One drawing and every model: a drawing of a set that was measured, or the one on the pad.

:class:`SideBySide` shows what they make of it, :class:`Trier` lets them draw beside the page.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.background import NewestWins, Ticker
from edgegan_widget.base.errors import DataError, EdgeGANError, ModelError
from edgegan_widget.base.units import U8, Json
from edgegan_widget.base.words import spoken
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.metrics import leading
from edgegan_widget.panels.evaluation.models_choice import Chosen
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import (
    Say,
    button,
    classed,
    guard,
    heading,
    offer,
    picture_png,
    refill,
    row,
    show,
    toggle,
)
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

if TYPE_CHECKING:
    from edgegan_widget.networks.engine import EdgeGAN

__all__ = ["Answer", "OneDrawing", "SideBySide", "Tried", "Trier"]

LoadPictures = Callable[[int, int], Pictures | None]

PAD = -1  # in the list of sets
LOOK_SECONDS = 0.3
SKETCH_PX = 128
ORDER = "Those on which the first two models differ most come first."

# The slider lies over the pictures, so that a pointer moves the edge where it is; its value goes into the style by
# itself, without the kernel, so that it follows a finger.
_SLIDER = (
    '<input type="range" min="0" max="100" value="50" aria-label="Slide from the first model to the second" '
    "oninput=\"this.closest('.eg-wipe').style.setProperty('--eg-at', this.value)\">"
)


class OneDrawing(widgets.VBox):  # type: ignore[misc]
    """Chooses a drawing and shows all models' pictures of it.

    Parameters
    ----------
    device
        ``auto``, ``cpu`` or ``cuda``, for what is drawn here.
    chosen
        The chosen models.
    take
        Returns the drawing on a pad and its class; None where there is no pad.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self,
        device: str,
        chosen: Callable[[], tuple[Chosen, ...]],
        take: Callable[[], tuple[Drawing, str]] | None,
        say: Say,
    ) -> None:
        self._chosen, self._take, self._say = chosen, take, say
        self._trier = Trier(device, self._show_tried, say)
        self._follower: Ticker | None = None
        self._tried: tuple[Drawing, str] | None = None  # what was tried last
        self._report: Json | None = None
        self._load: LoadPictures = lambda _model, _place: None
        self._order: npt.NDArray[np.int64] = np.array([], np.int64)
        super().__init__(self._build())
        self.add_class("eg-one-drawing")
        self.show(None, self._load)

    def show(self, report: Json | None, load: LoadPictures) -> None:
        """Offer the drawings of this report's sets, as far as their pictures are there."""
        self._report, self._load = report, load
        sets = [] if report is None else [
            (given["name"], place) for place, given in enumerate(report["sets"]) if load(0, place) is not None
        ]  # fmt: skip
        options = [*sets, *([("the drawing on the pad", PAD)] if self._take is not None else [])]
        show(self, options)
        if options and tuple(self._source.options) != tuple(options):
            offer(self._source, options)
            self._follow_source()
        elif self._number.value == 1:  # nobody has looked further yet, so another model may change the order
            self._sort()
        else:
            self._show_drawing()

    def try_drawing(self) -> None:
        """Let all chosen models draw what is on the pad.

        Raises
        ------
        DataError
            Nothing is drawn there.
        ModelError
            No model is chosen.
        """
        if self._take is None:
            return
        drawing, label = self._take()
        if not drawing:
            raise DataError("the pad is empty; draw something there first.")
        if not self._chosen():
            raise ModelError("no model is chosen; choose one from the list and press Add.")
        self._say(None)
        self._tried = (drawing, label)
        self._source.value = PAD
        self._trier.submit(drawing, label, self._chosen())

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until what was asked for is drawn; False where that took longer."""
        return self._trier.wait(timeout_seconds)

    def close(self) -> None:
        """End the threads and take the widget off the page."""
        if getattr(self, "_trier", None) is not None:
            self._trier.close()
            self._stop_following()
        super().close()

    def _build(self) -> list[widgets.Widget]:
        self._source = classed(widgets.Dropdown(options=[("", PAD)], description="Drawing"), "eg-source-set")
        self._source.observe(guard(self._follow_source, self._say), "value")
        self._class = classed(widgets.Dropdown(options=[("", -1)], description="Class"), "eg-source-class")
        self._class.observe(guard(self._sort, self._say), "value")
        self._number = classed(widgets.IntSlider(1, 1, 1, description="Number"), "eg-scrub")
        self._number.observe(guard(self._show_drawing, self._say), "value")
        self._of_set = widgets.VBox([row([self._class, self._number]), hint(ORDER)])
        tip = "Let all chosen models draw what is on the pad"
        self._try = button("Try the drawing on the pad", guard(self.try_drawing, self._say), tip, "eg-try")
        self._follow = widgets.Checkbox(False, description="Follow the pad", indent=False)
        self._follow.observe(guard(self._follow_pad, self._say), "value")
        self._of_pad = row([self._try, self._follow])
        show(self._of_pad, self._take is not None)
        self._side = SideBySide()
        return [heading("One drawing, every model"), row([self._source, self._of_pad]), self._of_set, self._side]

    # Drawings of a set -----------------------------------------------------------------------------------------

    def _follow_source(self) -> None:
        place = self._source.value
        show(self._of_set, place != PAD)
        first = None if place == PAD else self._load(0, place)
        if first is None or self._report is None:
            self._side.show(None, {})
            return
        classes = self._report["classes"]
        offer(self._class, [(spoken(classes[number]), int(number)) for number in np.unique(first.labels)])
        self._sort()

    def _sort(self) -> None:
        """Drawings of the class, those first on which the first two models' scores differ most."""
        every = self._answers_of_set()
        if not every:
            return
        first = next(iter(every.values()))
        labels = np.asarray(first.labels)[:: first.variations]
        scores = [np.asarray(each.values[leading().per_picture])[:: each.variations] for each in every.values()][:2]
        members = np.nonzero(labels == self._class.value)[0]
        apart = np.abs(scores[0] - scores[-1])[members]
        self._order = members[np.argsort(-apart, kind="stable")]
        self._number.max = max(1, len(self._order))  # before the value, and told before it: it would be cut off
        self._number.value = 1
        self._show_drawing()

    def _show_drawing(self) -> None:
        every = self._answers_of_set()
        if not every or not len(self._order):
            return
        drawing = int(self._order[min(self._number.value, len(self._order)) - 1])
        sketch = np.asarray(next(iter(every.values())).sketches[drawing])
        self._side.show(sketch, {name: self._answer(pictures, drawing) for name, pictures in every.items()})

    def _answers_of_set(self) -> dict[str, Pictures]:
        if self._report is None or self._source.value == PAD:
            return {}
        found = {row["name"]: self._load(place, self._source.value) for place, row in enumerate(self._report["models"])}
        return {name: pictures for name, pictures in found.items() if pictures is not None}

    def _answer(self, pictures: Pictures, drawing: int) -> Answer:
        first, lead = drawing * pictures.variations, leading()
        right = pictures.seen[first] == pictures.labels[first]
        classes = [] if self._report is None else self._report["classes"]
        seen = "" if right else f", seen as {spoken(classes[int(pictures.seen[first])])}"
        worth = lead.caption.format(pictures.values[lead.per_picture][first])
        return Answer(np.asarray(pictures.pictures[first]), f"{worth}{seen}")

    # The drawing on the pad ------------------------------------------------------------------------------------

    def _show_tried(self, tried: Tried) -> None:
        """In the worker: show it, unless another drawing was chosen meanwhile."""
        if self._source.value == PAD:
            self._side.show(rasterize(tried.drawing, SKETCH_PX), tried.answers)

    def _follow_pad(self) -> None:
        self._stop_following()
        if self._follow.value:
            self._tried = None
            self._follower = Ticker(self._look_at_pad)

    def _look_at_pad(self) -> float:
        """Try what is on the pad whenever it has changed."""
        if self._take is not None and self._chosen():
            given = self._take()
            if given[0] and given != self._tried:
                self.try_drawing()
        return LOOK_SECONDS

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.close()
            self._follower = None


@dataclass(frozen=True, eq=False)
class Answer:
    """A model's picture of the drawing, uint8 [H, W, 3], and a word on it; without a picture why there is none."""

    picture: U8 | None
    about: str


class SideBySide(widgets.VBox):  # type: ignore[misc]
    """A drawing and every model's picture of it."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._tiles = classed(widgets.Box([]), "eg-answers")
        self._first, self._second = (
            classed(widgets.Dropdown(description=label), f"eg-{label.lower()}") for label in ("Left", "Right")
        )
        for choice in (self._first, self._second):
            choice.observe(lambda _: self._show_two(), "value")
        self._blend = widgets.Checkbox(False, description="Blend", indent=False)
        self._left, self._right = widgets.Image(format="png"), widgets.Image(format="png")
        above = [self._right, self._left, widgets.HTML(_SLIDER)]  # the left one above, cut off
        self._wipe = classed(widgets.Box(above), "eg-wipe")
        self._blend.observe(lambda _: toggle(self._wipe, "eg-blend", self._blend.value), "value")
        self._two = classed(widgets.VBox([row([self._first, self._second, self._blend]), self._wipe]), "eg-two")
        super().__init__([self._tiles, self._two])
        self.add_class("eg-side-by-side")
        self.show(None, {})

    def show(self, sketch: U8 | None, answers: Mapping[str, Answer]) -> None:
        """Show a drawing uint8 [S, S] with what each model made of it; without one, nothing."""
        self._answers = dict(answers)
        shown = {"drawing": Answer(sketch, ""), **answers} if sketch is not None else {}
        refill(self._tiles, [_tile(name, answer) for name, answer in shown.items()])
        drawn = [name for name, answer in answers.items() if answer.picture is not None]
        for place, choice in enumerate((self._first, self._second)):
            offer(choice, [(name, name) for name in drawn], place)
        show(self._two, len(drawn) > 1)
        self._show_two()

    def _show_two(self) -> None:
        for choice, image in ((self._first, self._left), (self._second, self._right)):
            answer = self._answers.get(choice.value)
            if answer is not None and answer.picture is not None:
                image.value = picture_png(answer.picture)


def _tile(name: str, answer: Answer) -> widgets.Widget:
    caption = classed(widgets.HTML(f"<b>{html.escape(name)}</b> {html.escape(answer.about)}"), "eg-hint")
    drawn = [] if answer.picture is None else [widgets.Image(value=picture_png(answer.picture))]
    return classed(widgets.VBox([*drawn, caption]), "eg-answer")


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

    def __init__(self, device: str, on_tried: Callable[[Tried], None], say: Say) -> None:
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
        if label not in model.config.classes:
            return Answer(None, f"does not draw {spoken(label)}.")
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

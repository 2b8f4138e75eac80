"""One drawing and every model: a drawing of a set that was measured, or the one on the pad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import DataError, ModelError
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.metrics import leading
from edgegan_widget.panels.evaluation.models_choice import Chosen
from edgegan_widget.panels.evaluation.side_by_side import Answer, SideBySide, offer
from edgegan_widget.panels.evaluation.trier import Tried, Trier
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import button, guard, heading, row, show
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["OneDrawing"]

Json = dict[str, Any]
LoadPictures = Callable[[int, int], Pictures | None]

PAD = -1  # in the list of sets
LOOK_SECONDS = 0.3
SKETCH_PX = 128
ORDER = "Those on which the first two models differ most come first."


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
        say: Callable[[Exception | None], None],
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
        self._source = widgets.Dropdown(options=[("", PAD)], description="Drawing")
        self._source.add_class("eg-source-set")
        self._source.observe(guard(self._follow_source, self._say), "value")
        self._class = widgets.Dropdown(options=[("", -1)], description="Class")
        self._class.add_class("eg-source-class")
        self._class.observe(guard(self._sort, self._say), "value")
        self._number = widgets.IntSlider(1, 1, 1, description="Number")
        self._number.add_class("eg-scrub")
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
        names = [str(name).replace("_", " ") for name in self._report["classes"]]
        present = [(names[number], int(number)) for number in np.unique(first.labels)]
        offer(self._class, present)
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
        seen = "" if right else f", seen as {self._spoken(int(pictures.seen[first]))}"
        worth = lead.caption.format(pictures.values[lead.per_picture][first])
        return Answer(np.asarray(pictures.pictures[first]), f"{worth}{seen}")

    def _spoken(self, number: int) -> str:
        return "" if self._report is None else str(self._report["classes"][number]).replace("_", " ")

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

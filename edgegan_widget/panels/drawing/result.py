"""The result: the picture, the network's own edge map, variations, history, saving."""

from __future__ import annotations

import base64
import html
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.panels.widgets import button, error_html, guard, heading, picture_png, row, show, thumb
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["Moment", "ResultView"]

U8 = npt.NDArray[np.uint8]

MOST_VARIATIONS = 8
MOST_MOMENTS = 24
TRANSPARENT = "Save the picture without its white paper as PNG"
NOT_TRANSPARENT = "This model draws on white paper only, so it has no transparent picture to save"
SEEDS = 1_000_000  # what the dice throws; any whole number can be typed


@dataclass(frozen=True)
class Moment:
    """What a history thumbnail brings back."""

    drawing: Drawing
    label: str
    seed: int | None
    picture: U8


class ResultView(widgets.VBox):  # type: ignore[misc]
    """Picture and edge map with what belongs to them; it shows what it is given and asks through callbacks.

    Parameters
    ----------
    classes
        Names to choose from.
    label
        The one chosen at first.
    on_ask
        Called when class, seed or number of variations changed and a new picture is wanted.
    on_restore
        Called with a :class:`Moment` of the history.
    export
        Called with a kind (``png``, ``transparent``, ``both``, ``svg``, ``json``); returns file name, media type and
        content.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    class_choice
        The list of classes, to be placed by whoever arranges the page.
    """

    def __init__(
        self,
        classes: Sequence[str],
        label: str,
        on_ask: Callable[[], None],
        on_restore: Callable[[Moment], None],
        export: Callable[[str], tuple[str, str, bytes]],
        say: Callable[[Exception | None], None],
    ) -> None:
        self._on_ask, self._on_restore, self._export, self._say = on_ask, on_restore, export, say
        self._moments: list[Moment] = []
        self._silent = False
        super().__init__([*self._build(classes, label)])
        self.add_class("eg-column")

    # What is chosen --------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """The chosen class."""
        return str(self._class.value)

    @property
    def seed(self) -> int | None:
        """The seed, or None for the most likely picture."""
        return int(self._seed.value) if self._seeded.value else None

    @property
    def variations(self) -> int:
        """How many pictures to show."""
        return int(self._variations.value)

    def choose(self, label: str, seed: int | None) -> None:
        """Set class and seed without asking for a picture."""
        self._silent = True
        try:
            self._class.value = label
            self._seeded.value = seed is not None
            if seed is not None:
                self._seed.value = seed
        finally:
            self._silent = False

    def offer(self, classes: Sequence[str], label: str) -> None:
        """Another model's classes, of which ``label`` is chosen, without asking for a picture."""
        self._silent = True
        try:
            with self._class.hold_sync():
                self._class.options = _class_options(classes)
                self._class.value = label
        finally:
            self._silent = False

    def offer_transparent(self, possible: bool) -> None:
        """Whether a picture can be saved without its paper; where not, the button says why."""
        self._transparent.disabled = not possible
        self._transparent.tooltip = TRANSPARENT if possible else NOT_TRANSPARENT

    # What is shown ---------------------------------------------------------------------------------------------

    def show_live(self, image: U8) -> None:
        """Show one picture [H, W, 3] and nothing else, as fast as it goes, while the pen is down."""
        self._picture.value = picture_png(image)
        self._frame.remove_class("eg-empty")

    def show(self, images: U8, edges: U8) -> None:
        """Show pictures [V, H, W, 3] and edge maps [V, h, w], the first of each large."""
        self.show_live(images[0])
        self._edge.value = picture_png(edges[0])
        others = images[1:]
        self._others.children = [thumb(picture) for picture in others]
        show(self._others, len(others))

    def show_nothing(self) -> None:
        """White paper, for an empty pad."""
        paper = np.full((1, 64, 64), 255, np.uint8)
        self.show(np.repeat(paper[..., None], 3, axis=3), paper)
        self._frame.add_class("eg-empty")

    def remember(self, moment: Moment) -> None:
        """Add a thumbnail to the history strip; the oldest falls off."""
        if self._moments and self._moments[-1].drawing == moment.drawing and self._moments[-1].label == moment.label:
            self._moments.pop()  # another seed of the same drawing replaces its picture
        self._moments = [*self._moments, moment][-MOST_MOMENTS:]
        self._history.children = [self._moment_button(moment) for moment in reversed(self._moments)]
        self._history_heading.remove_class("eg-hidden")

    def report(self, text: str) -> None:
        """A line about device and speed."""
        self._status.value = html.escape(text)

    def complain(self, error: Exception | None) -> None:
        """Show an error above the line, or take it away."""
        self._error.value = "" if error is None else error_html(error)

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build(self, classes: Sequence[str], label: str) -> list[widgets.Widget]:
        self._picture = widgets.Image(format="png")
        self._edge = widgets.Image(format="png")
        self._status, self._error, self._download = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._status.add_class("eg-status")
        self._status.add_class("eg-line")
        self._error.add_class("eg-status")
        self._others, self._history = widgets.Box([]), widgets.Box([])
        for strip in (self._others, self._history):
            strip.add_class("eg-small-pictures")
        self._history_heading = heading("History: click to go back")
        self._history_heading.add_class("eg-hidden")
        self.class_choice = self._build_class(classes, label)
        self._frame, edge = _framed(self._picture, "eg-main"), _framed(self._edge, "eg-edge")
        controls = widgets.VBox([self._status, self._build_look(), self._build_save(), self._download])
        controls.add_class("eg-controls")
        beside = widgets.HBox([widgets.VBox([edge, heading("its own edges")]), controls])
        beside.add_class("eg-beside")
        self.show_nothing()
        return [self._frame, self._error, self._others, beside, self._history_heading, self._history]

    def _build_class(self, classes: Sequence[str], label: str) -> widgets.Widget:
        self._class = widgets.Dropdown(
            options=_class_options(classes), value=label, description="Draw a", layout={"width": "260px"}
        )
        self._class.style.description_width = "52px"
        self._class.observe(self._asked, "value")
        self._class.add_class("eg-class")
        return self._class

    def _build_look(self) -> widgets.Widget:
        ask = self._asked
        self._seeded = widgets.Checkbox(False, description="Seed", indent=False, tooltip="Off: the most likely picture")
        self._seed = widgets.BoundedIntText(0, min=0, max=2**53 - 1, layout=widgets.Layout(width="96px"))
        dice = button(
            "Another look", guard(self._throw, self._say), "The same drawing with a new random seed", "eg-dice"
        )
        self._variations = widgets.Dropdown(
            options=[1, 2, 4, MOST_VARIATIONS], value=1, description="Variations", layout={"width": "150px"}
        )
        self._variations.style.description_width = "70px"
        for control in (self._seeded, self._seed, self._variations):
            control.observe(ask, "value")
        return row([dice, self._seeded, self._seed, self._variations])

    def _build_save(self) -> widgets.Widget:
        kinds = (
            ("Picture", "png", "Save the picture as PNG"),
            ("Transparent", "transparent", TRANSPARENT),
            ("Both", "both", "Save drawing and picture side by side as PNG"),
            ("SVG", "svg", "Save the drawing as SVG"),
            ("JSON", "json", "Save the drawing with all its strokes, to open it again"),
        )

        def saver(kind: str) -> Callable[..., None]:
            return guard(lambda: self._save(kind), self._say)

        buttons = {kind: button(name, saver(kind), tip, f"eg-save-{kind}") for name, kind, tip in kinds}
        self._transparent = buttons["transparent"]
        return row([heading("Save"), *buttons.values()])

    def _asked(self, change: object) -> None:
        if not self._silent:
            guard(self._on_ask, self._say)()

    def _throw(self) -> None:
        self._silent = True
        try:
            self._seeded.value = True
            self._seed.value = secrets.randbelow(SEEDS)
        finally:
            self._silent = False
        self._on_ask()

    def _save(self, kind: str) -> None:
        name, media_type, content = self._export(kind)
        data = base64.b64encode(content).decode()
        # The browser's side clicks this link; without it, the person does. The token makes each link a new one.
        self._download.value = (
            f'<a class="eg-download" id="eg-{secrets.token_hex(4)}" download="{html.escape(name)}" '
            f'href="data:{media_type};base64,{data}">{html.escape(name)}</a>'
        )

    def _moment_button(self, moment: Moment) -> widgets.Widget:
        spoken = moment.label.replace("_", " ")
        return thumb(moment.picture, f"Back to this {spoken}", guard(lambda: self._on_restore(moment), self._say))


def _class_options(classes: Sequence[str]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), name) for name in classes]


def _framed(picture: widgets.Image, css_class: str) -> widgets.Widget:
    frame = widgets.Box([picture])
    frame.add_class("eg-picture")
    frame.add_class(css_class)
    return frame

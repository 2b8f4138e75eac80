"""From one look to another: frames in a row, and as an animation that can be saved."""

from __future__ import annotations

import io
from collections.abc import Callable

import ipywidgets as widgets
from PIL import Image

from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.looks.exports import File
from edgegan_widget.panels.widgets import Say, button, guard, heading, refill, row, show, thumb

__all__ = ["FRAMES", "MorphView", "animated"]


FRAMES = 16
FRAME_MS, REST_MS = 80, 700  # of a frame, and of the first and the last one
SHOWN_EVERY = 3  # of the frames in the row


def animated(frames: U8, form: str) -> bytes:
    """Frames uint8 [F, H, W, 3] as an animation that runs there and back for ever.

    ``form`` is ``webp`` or ``gif``.
    """
    there = [Image.fromarray(frame) for frame in frames]
    back = there[-2:0:-1]
    times = [REST_MS, *[FRAME_MS] * (len(there) - 2), REST_MS, *[FRAME_MS] * len(back)]
    stream = io.BytesIO()
    first, *others = [*there, *back]
    first.save(stream, form.upper(), save_all=True, append_images=others, duration=times, loop=0)
    return stream.getvalue()


class MorphView(widgets.VBox):  # type: ignore[misc]
    """Shows a morph while it plays, its frames, and buttons to save it; hidden as long as there is none.

    Parameters
    ----------
    send
        Called with a file to save.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, send: Callable[[File], None], say: Say) -> None:
        self._frames: U8 | None = None
        self._name = ""
        self._give = send
        self._movie = widgets.Image(format="webp")
        self._row = widgets.Box([])
        self._row.add_class("eg-small-pictures")
        frame = widgets.Box([self._movie])
        frame.add_class("eg-picture")
        frame.add_class("eg-morph-movie")
        saves = [
            button(f"Save {form.upper()}", guard(lambda form=form: self._save(form), say), f"Save the morph as {form}")
            for form in ("webp", "gif")
        ]
        close = button("Close", guard(self.hide, say), "Take the morph off the page")
        beside = widgets.VBox([heading("From one look to the other"), self._row, row([*saves, close])])
        beside.add_class("eg-controls")
        both = widgets.HBox([frame, beside])
        both.add_class("eg-beside")
        super().__init__([both])
        self.add_class("eg-morph")
        show(self, False)

    def show(self, name: str, frames: U8) -> None:
        """Show frames uint8 [F, H, W, 3]; ``name`` is that of a saved file."""
        self._name, self._frames = name, frames
        self._movie.value = animated(frames, "webp")
        refill(self._row, [thumb(frame) for frame in frames[::SHOWN_EVERY]])
        show(self, True)

    def hide(self) -> None:
        """Take it off the page."""
        self._frames = None
        show(self, False)

    def _save(self, form: str) -> None:
        if self._frames is not None:
            self._give(File(f"{self._name}_morph.{form}", f"image/{form}", animated(self._frames, form)))

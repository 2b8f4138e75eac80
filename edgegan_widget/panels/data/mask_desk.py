"""Masks of photos on screen: each photo with its outline, and strokes that keep and take away."""

from __future__ import annotations

import html
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
from ipycanvas import Canvas
from ipycanvas.canvas import _CanvasManager

from edgegan_widget.base.background import NewestWins
from edgegan_widget.data.readers.photos import Masked, PhotoOptions, is_mended, keep_mended, photos_with_masks
from edgegan_widget.panels.data.mask_work import VIEW_PX, MaskWork, MendStroke
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import Say, button, classed, guard, heading, picture_png, row, show, toggle
from edgegan_widget.photo.cut import objection

__all__ = ["MaskDesk"]

_COLOURS = {True: "#00c853", False: "#ff1744"}  # of strokes that keep and that take away
_BRUSH_PX, _BRUSH_RANGE_PX = 12, (3, 60)
_HINT = "Draw over what is missing, or over what does not belong; the mask follows the photo's edges near the stroke."


@dataclass(frozen=True)
class _Folder:
    options: PhotoOptions
    data: Path


class MaskDesk(widgets.VBox):  # type: ignore[misc]
    """The photos of a folder that ``from-photos`` has read, one at a time, to mend their masks.

    Parameters
    ----------
    on_saved
        Called once a mended mask was written.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    picture, canvas, about, back, forward, keep, away, brush, undo, save
        What is on screen, to press and to read.
    """

    def __init__(self, on_saved: Callable[[], None], say: Say) -> None:
        self._on_saved, self._say = on_saved, say
        self._lock = threading.RLock()  # callbacks, and the worker beside them
        self._folder: _Folder | None = None
        self._photos: list[Masked] = []
        self._at = 0
        self._work: MaskWork | None = None
        self._keeps = True
        self._open: list[tuple[float, float]] = []  # points of the stroke being drawn
        self._waiting: list[MendStroke] = []
        self._worker: NewestWins[Callable[[], None], None] = NewestWins(lambda do: do(), lambda _: None, say)
        self.picture = classed(widgets.Image(format="png"), "eg-mend-photo")
        self.canvas = Canvas(width=VIEW_PX, height=VIEW_PX, _canvas_manager=_CanvasManager())
        self.canvas.add_class("eg-mend-ink")
        frame = classed(widgets.Box([self.picture, self.canvas]), "eg-mend-frame")
        super().__init__([heading("Masks"), self._build_pager(), frame, self._build_tools(), hint(_HINT)])
        self.add_class("eg-masks")
        self._listen()
        self._choose(True)
        self.show(None, None)

    # For the panel ---------------------------------------------------------------------------------------------

    def show(self, options: PhotoOptions | None, data: Path | None) -> None:
        """Show the photos of a folder that is prepared so, with the masks that are in ``data``; None shows nothing."""
        folder = None if options is None or data is None else _Folder(options, data)
        with self._lock:
            before, self._folder = self._folder, folder
            show(self, folder is not None)
            if folder is not None and (before != folder or not (self._waiting or self._changed)):
                self._worker.submit(lambda: self._read(folder, 0 if before != folder else self._at))

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until strokes are followed; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker and take the desk off the page."""
        worker = getattr(self, "_worker", None)
        if worker is not None:
            worker.close()
        super().close()

    # In the worker ---------------------------------------------------------------------------------------------

    def _read(self, folder: _Folder, at: int) -> None:
        photos = photos_with_masks(folder.options, folder.data)
        with self._lock:
            if self._folder != folder:
                return
            self._photos = photos
        self._go(at)

    def _go(self, at: int) -> None:
        """Show another photo; strokes that were not saved are gone."""
        with self._lock:
            self._waiting.clear()
            self._work = None
            self._at = max(0, min(at, len(self._photos) - 1))
            masked = self._photos[self._at]
        self._show_about("")
        work = MaskWork(masked)
        with self._lock:
            self._work = work
        self._show_work()

    def _follow(self) -> None:
        with self._lock:
            strokes, self._waiting = self._waiting, []
            work = self._work
        if work is not None and strokes:
            work.mend(strokes)
        self._show_work()

    def _take_back(self) -> None:
        self._follow()
        if self._work is not None:
            self._work.undo()
        self._show_work()

    def _write(self) -> None:
        self._follow()
        work = self._work
        if work is None:
            return
        keep_mended(work.masked.mask, work.alpha)
        self._work = MaskWork(work.masked)
        self._show_work()
        self._say(None)
        self._on_saved()

    # On screen -------------------------------------------------------------------------------------------------

    @property
    def _changed(self) -> bool:
        return self._work is not None and self._work.changed

    def _show_work(self) -> None:
        work = self._work
        if work is None:
            return
        self.picture.value = picture_png(work.view())
        if not self._open and not self._waiting:
            self.canvas.clear()
        state = "not saved" if work.changed else "mended by you" if is_mended(work.masked.mask) else ""
        self._show_about(", ".join(filter(None, [objection(work.alpha), state])))
        self.undo.disabled = self.save.disabled = not work.changed

    def _show_about(self, state: str) -> None:
        name = self._photos[self._at].name
        self.about.value = (
            f"<b>{self._at + 1:,} of {len(self._photos):,}</b> · {html.escape(name)}"
            f"{f' · <em>{html.escape(state)}</em>' if state else ''}"
        )
        self.back.disabled, self.forward.disabled = self._at == 0, self._at + 1 == len(self._photos)

    def _build_pager(self) -> widgets.Widget:
        self.back = button("←", self._doing(lambda: self._go(self._at - 1)), "The photo before", "eg-photo-back")
        self.forward = button("→", self._doing(lambda: self._go(self._at + 1)), "The next photo", "eg-photo-on")
        self.about = classed(widgets.HTML(), "eg-mask-about")
        return row([self.back, self.forward, self.about])

    def _build_tools(self) -> widgets.Widget:
        self.keep = button("Keep", lambda _: self._choose(True), "What strokes touch belongs to the object", "eg-keeps")
        self.away = button("Take away", lambda _: self._choose(False), "What they touch does not", "eg-takes")
        low, high = _BRUSH_RANGE_PX
        self.brush = widgets.IntSlider(
            _BRUSH_PX, low, high, description="Brush", style={"description_width": "42px"},
            layout=widgets.Layout(width="240px"), tooltip="Width of the brush on the shown photo",
        )  # fmt: skip
        self.undo = button("Undo", self._doing(self._take_back), "Take the last stroke back", "eg-mend-undo")
        self.save = button(
            "Save mask", self._doing(self._write), "Write it beside the data; the cut-out is made anew", "eg-mend-save"
        )
        return row([self.keep, self.away, self.brush, self.undo, self.save])

    def _doing(self, what: Callable[[], None]) -> Callable[..., None]:
        """A callback that does something in the worker, after what is at hand."""

        def asked() -> None:
            self._worker.wait_idle(5)
            self._worker.submit(what)

        return guard(asked, self._say)

    def _choose(self, keeps: bool) -> None:
        self._keeps = keeps
        toggle(self.keep, "eg-on", keeps)
        toggle(self.away, "eg-on", not keeps)

    # Strokes ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        canvas = self.canvas
        canvas.on_client_ready(guard(self._show_again, self._say))
        for register in (canvas.on_mouse_up, canvas.on_mouse_out):
            register(guard(self._up, self._say))
        for register, placed in (
            (canvas.on_mouse_down, self._down),
            (canvas.on_mouse_move, self._move),
            (canvas.on_touch_start, lambda touches: self._down(*touches[0]) if len(touches) == 1 else self._up()),
            (canvas.on_touch_move, lambda touches: self._move(*touches[0]) if touches else None),
            (canvas.on_touch_end, lambda touches: None if touches else self._up()),
            (canvas.on_touch_cancel, lambda _: self._up()),
        ):
            register(guard(placed, self._say, keep_arguments=True))

    def _show_again(self) -> None:
        """A browser connected: it has an empty canvas, and messages sent before were lost."""
        self.canvas._canvas_manager._current_canvas = None
        self.canvas.clear()

    def _down(self, x: float, y: float) -> None:
        self._up()  # in case the end of the stroke before never arrived
        if self._work is None:
            return
        self._open = [(x, y)]
        self.canvas.stroke_style = _COLOURS[self._keeps]
        self.canvas.line_width = float(self.brush.value)
        self.canvas.line_cap = "round"
        self._move(x + 0.1, y)  # a click makes a dot

    def _move(self, x: float, y: float) -> None:
        if self._open and math.isfinite(x) and math.isfinite(y):  # a bad command would kill every canvas on the page
            self.canvas.stroke_line(*self._open[-1], x, y)
            self._open.append((x, y))

    def _up(self) -> None:
        with self._lock:
            points, self._open = self._open, []
            if not points or self._work is None:
                return
            self._waiting.append(MendStroke(tuple(points), float(self.brush.value), self._keeps))
        self._worker.submit(self._follow)

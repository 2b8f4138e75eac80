"""The pad: an ipycanvas on which strokes are drawn, with the tools around it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from ipycanvas import Canvas
from ipycanvas.canvas import _CanvasManager
from PIL import Image

from edgegan_widget.base.pictures import SKETCH_SUFFIXES, open_picture
from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.widgets import Say, button, guard, row, show, toggle, uploaded
from edgegan_widget.sketch.raster import Rasterizer, rasterize
from edgegan_widget.sketch.strokes import Drawing, Points, Stroke, read_note
from edgegan_widget.sketch.trace import read_drawing

__all__ = ["Pad"]


CANVAS_PX = 1024  # twice the size on screen, so that it is sharp on high-density screens
BRUSH_PX = 13  # of 512; raster.LINE_WIDTH
ERASER_TIMES = 3.0
BRUSH_RANGE_PX = (4, 40)
UNDERLAY_PX = 768
PAINT_EVERY_SECONDS = 0.03  # an open stroke's new points go to the canvas this often
FOLLOW_EVERY_SECONDS = 1.0  # or this, where the browser's side shows ink by itself, to leave the time to the picture


class Pad(widgets.VBox):  # type: ignore[misc]
    """Canvas and tools; the strokes are the truth and what is on the canvas follows from them.

    Parameters
    ----------
    on_change
        Called with ``finished`` whenever what is drawn changed: False while a stroke is being drawn, True when it is
        done or an edit was made.
    on_leave
        Called before what is drawn is cleared, or replaced by another drawing.
    on_open
        Called with the note (class, seed, style, model) of a file that was opened, once its drawing is on the pad.
    browser
        The browser's side, which is told what is drawn.
    say
        Called with an exception to show, or with None once things go well again.
    below
        What stands below the tools.
    """

    def __init__(
        self,
        on_change: Callable[[bool], None],
        on_leave: Callable[[], None],
        on_open: Callable[[dict[str, Any]], None],
        browser: BrowserSide,
        say: Say,
        below: Sequence[widgets.Widget] = (),
    ) -> None:
        self._on_change, self._on_leave, self._on_open, self._say = on_change, on_leave, on_open, say
        self._browser = browser
        self._drawing = Drawing()
        self._tool = "pen"
        self._open: list[list[float]] = []  # points of the stroke being drawn
        self._began = 0.0
        self._held = ("pen", 0.0)  # tool and width of the open stroke
        self._painted, self._painted_at = 0, 0.0  # how many of them the canvas shows, and since when
        self._raster = Rasterizer()
        self._canvas = Canvas(width=CANVAS_PX, height=CANVAS_PX, _canvas_manager=_CanvasManager())
        self._canvas.add_class("eg-ink")
        self._listen()
        super().__init__([*self._build(), *below])
        self.add_class("eg-column")
        self._show_tool()

    # What is drawn ---------------------------------------------------------------------------------------------

    @property
    def drawing(self) -> Drawing:
        """The finished strokes; set it to show another drawing, as a step that undo takes back."""
        return self._drawing

    @drawing.setter
    def drawing(self, drawing: Drawing) -> None:
        self._on_leave()
        self._edit(self._drawing.replace(drawing.strokes))

    @property
    def leaves_specks(self) -> bool:
        """Whether fitting to the frame leaves something out."""
        return bool(self._fit.value and self._drawing.specks)

    def sketch_of(self, drawing: Drawing, size_px: int) -> U8:
        """Another drawing as it would be seen here, uint8 [size_px, size_px]."""
        return rasterize(drawing, size_px, fit=self._fit.value)

    def sketch(self, size_px: int) -> U8:
        """What is drawn, the open stroke included, as the network's sketch, uint8 [size_px, size_px]."""
        if self._fit.value or size_px != self._raster.size_px:
            return self.sketch_of(self._drawing.add(self._open_stroke()), size_px)
        return self._raster.sketch()

    @property
    def is_empty(self) -> bool:
        return not self._drawing and not self._open

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build(self) -> list[widgets.Widget]:
        self._underlay = widgets.Image(format="png", layout=widgets.Layout(visibility="hidden"))
        self._underlay.add_class("eg-underlay")
        self._frame = widgets.Box([self._underlay, self._canvas])
        self._frame.add_class("eg-frame")
        tools, options, files = self._build_tools(), self._build_options(), self._build_files()
        tools.add_class("eg-tools")
        return [self._frame, tools, options, files]

    def _build_tools(self) -> widgets.Widget:
        act = self._guarded
        self._pen = button("Pen", act(lambda: self._choose("pen")), "Draw (P)", "eg-pen")
        self._eraser = button("Eraser", act(lambda: self._choose("eraser")), "Rub out (E)", "eg-eraser")
        self._undo = button("Undo", act(self.undo), "Undo (Ctrl+Z)", "eg-undo")
        self._redo = button("Redo", act(self.redo), "Redo (Ctrl+Shift+Z)", "eg-redo")
        self._clear = button("Clear", act(self.clear), "Clear the pad (Delete); undo brings it back", "eg-clear")
        self._browser.on("tool", self.use)
        return row([self._pen, self._eraser, self._undo, self._redo, self._clear])

    def _build_options(self) -> widgets.Widget:
        low, high = BRUSH_RANGE_PX
        self._width = widgets.IntSlider(
            BRUSH_PX, low, high, description="Brush", style={"description_width": "42px"},
            layout=widgets.Layout(width="210px"), tooltip="Brush width ([ and ])",
        )  # fmt: skip
        self._width.observe(lambda _: self._show_tool(), "value")
        self._fit = widgets.Checkbox(
            True, description="Fit to frame", indent=False,
            tooltip="Centre the drawing and scale it to the size the model was trained on",
        )  # fmt: skip
        self._fit.observe(self._guarded(lambda: self._on_change(True)), "value")
        return row([self._width, self._fit])

    def _build_files(self) -> widgets.Widget:
        self._opener = widgets.FileUpload(accept=f"image/*,{','.join(SKETCH_SUFFIXES)}", multiple=False)
        self._opener.add_class("eg-open")
        self._opener.tooltip = "A picture of a sketch, or a drawing that was saved here or by another program"
        self._opener.observe(self._guarded(self._open_file), "value")
        self._photo = widgets.FileUpload(accept="image/*", multiple=False)
        self._photo.add_class("eg-photo")
        self._photo.tooltip = "Lay a photo under the pad and draw along it"
        self._photo.observe(self._guarded(self._lay_photo), "value")
        self._opacity = widgets.FloatSlider(
            0.4, min=0, max=1, step=0.05, description="Photo", readout=False, style={"description_width": "42px"},
            layout=widgets.Layout(width="170px"),
        )  # fmt: skip
        self._opacity.observe(lambda _: self._show_underlay(), "value")
        remove = button("Remove photo", self._guarded(self.remove_underlay), "Take the photo away")
        self._photo_tools = row([self._opacity, remove])
        self._photo_tools.add_class("eg-hidden")
        return widgets.VBox([row([self._opener, self._photo]), self._photo_tools])

    def _guarded(self, action: Callable[[], None]) -> Callable[..., None]:
        return guard(action, self._say)

    # Tools -----------------------------------------------------------------------------------------------------

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke is being drawn right now."""
        return bool(self._open)

    def add(self, stroke: Stroke) -> None:
        """Draw one more stroke, as if it had been drawn by hand."""
        self._drawing = self._drawing.add(stroke)
        self._raster.draw(stroke)
        self._set_style(stroke.tool, stroke.width)
        self._paint(stroke.points)
        self._browser.send_strokes([stroke], more=True)
        self._show_history()
        self._on_change(True)

    def undo(self) -> None:
        """Take the last edit back."""
        self._edit(self._drawing.undo())

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        self._edit(self._drawing.redo())

    def clear(self) -> None:
        """Empty the pad; undo brings the strokes back."""
        self._on_leave()
        self._edit(self._drawing.clear())

    def lay(self, picture: U8) -> None:
        """Lay a picture uint8 [H, W, 3] under the pad, to draw along it."""
        photo = Image.fromarray(picture)
        photo.thumbnail((UNDERLAY_PX, UNDERLAY_PX))
        stream = io.BytesIO()
        photo.save(stream, "PNG")
        self._underlay.value = stream.getvalue()
        self._show_underlay()

    def remove_underlay(self) -> None:
        """Take the photo under the pad away."""
        self._underlay.value = b""
        self._show_underlay()

    def use(self, name: str) -> None:
        """Do what a key stands for: ``pen``, ``eraser``, ``thinner``, ``thicker``, ``undo``, ``redo`` or ``clear``."""
        if name in ("pen", "eraser"):
            self._choose(name)
        elif name in ("thinner", "thicker"):
            self._widen(2 if name == "thicker" else -2)
        elif name in ("undo", "redo", "clear"):
            getattr(self, name)()

    def _choose(self, tool: str) -> None:
        self._tool = tool
        self._show_tool()

    def _widen(self, step_px: int) -> None:
        low, high = BRUSH_RANGE_PX
        self._width.value = min(max(self._width.value + step_px, low), high)

    def _open_file(self) -> None:
        for name, content in uploaded(self._opener):
            self.drawing = read_drawing(name, content)
            self._say(None)
            self._on_open(read_note(content))

    def _lay_photo(self) -> None:
        for name, content in uploaded(self._photo):
            self.lay(np.asarray(open_picture(io.BytesIO(content), name), np.uint8))
            self._say(None)

    # Drawing ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        canvas = self._canvas
        for register, action in (
            (canvas.on_client_ready, self._show_again),
            (canvas.on_mouse_up, self._up),
            (canvas.on_mouse_out, self._up),
        ):
            register(guard(action, self._say))
        for register, placed in (
            (canvas.on_mouse_down, self._down),
            (canvas.on_mouse_move, self._move),
            (canvas.on_touch_start, self._touch),
            (canvas.on_touch_move, self._slide),
            (canvas.on_touch_end, self._lift),
            (canvas.on_touch_cancel, self._lift),
        ):
            register(guard(placed, self._say, keep_arguments=True))

    def _down(self, x: float, y: float) -> None:
        self._up()  # in case the end of the stroke before never arrived
        self._began = time.monotonic()
        self._painted, self._painted_at = 0, 0.0
        self._held = (self._tool, self._brush_width())
        self._set_style(*self._held)
        self._add_point(x, y)
        self._frame.remove_class("eg-empty")
        self._on_change(False)

    def _move(self, x: float, y: float) -> None:
        if self._open:
            self._add_point(x, y)
            self._on_change(False)

    def _up(self) -> None:
        stroke = self._open_stroke()
        if stroke is None:
            return
        if self._painted < len(self._open):
            self._paint_open()
        self._open = []
        self._drawing = self._drawing.add(stroke)
        self._browser.send_strokes([stroke], more=True)
        self._show_history()
        self._on_change(True)

    def _touch(self, touches: list[tuple[float, float]]) -> None:
        if len(touches) == 1:  # a second finger draws nothing
            self._down(*touches[0])

    def _slide(self, touches: list[tuple[float, float]]) -> None:
        if touches:
            self._move(*touches[0])

    def _lift(self, touches: list[tuple[float, float]]) -> None:
        if not touches:
            self._up()

    def _add_point(self, x: float, y: float) -> None:
        point = [x / CANVAS_PX, y / CANVAS_PX, time.monotonic() - self._began]
        if not np.isfinite(point).all():  # one bad command would kill every canvas on the page
            return
        self._open.append(point)
        piece = self._stroke(self._open[-2:])
        if piece is not None:
            self._raster.draw(piece)
        follows = self._browser.present and self._held[0] == "pen"  # what is rubbed out only the kernel shows
        if time.monotonic() - self._painted_at > (FOLLOW_EVERY_SECONDS if follows else PAINT_EVERY_SECONDS):
            self._paint_open()

    def _paint_open(self) -> None:
        """Put the open stroke's new points on the canvas."""
        self._painted_at = time.monotonic()
        piece = self._stroke(self._open[max(self._painted - 1, 0) :])
        self._painted = len(self._open)
        if piece is not None:
            self._paint(piece.points)

    def _open_stroke(self) -> Stroke | None:
        return self._stroke(self._open) if self._open else None

    def _stroke(self, points: list[list[float]]) -> Stroke | None:
        """Points drawn with the tool that was in hand when the stroke began."""
        tool, width = self._held
        return Stroke.make(points, width, tool)

    def _brush_width(self) -> float:
        """Width of the tool in hand, as a fraction of the pad."""
        return float(self._width.value / 512 * (ERASER_TIMES if self._tool == "eraser" else 1))

    # Canvas ----------------------------------------------------------------------------------------------------

    def _edit(self, drawing: Drawing) -> None:
        self._open = []
        self._drawing = drawing
        self._redraw()
        self._browser.send_strokes(drawing.strokes, more=False)
        self._show_history()
        self._on_change(True)

    def _show_again(self) -> None:
        """A browser connected: it has an empty canvas, and messages sent before were lost."""
        self._canvas._canvas_manager._current_canvas = None
        self._redraw()

    def _redraw(self) -> None:
        """Everything anew, on the canvas and in the raster; to the browser as one message."""
        manager = self._canvas._canvas_manager
        self._raster.clear()
        manager._caching = True  # what hold_canvas does, but it stays on for ever after an exception
        try:
            self._canvas.clear()
            for stroke in self._drawing.strokes:
                self._raster.draw(stroke)
                self._set_style(stroke.tool, stroke.width)
                self._paint(stroke.points)
            manager.flush()
        finally:
            manager._caching = False
            manager._commands_cache, manager._buffers_cache = [], []

    def _set_style(self, tool: str, width: float) -> None:
        canvas = self._canvas
        canvas.line_cap = canvas.line_join = "round"
        canvas.line_width = width * CANVAS_PX
        canvas.stroke_style = canvas.fill_style = "#000"
        canvas.global_composite_operation = "source-over" if tool == "pen" else "destination-out"

    def _paint(self, points: Points) -> None:
        corners = points[:, :2] * CANVAS_PX
        if len(corners) == 1:
            self._canvas.fill_circle(*corners[0], self._canvas.line_width / 2)
        else:
            self._canvas.stroke_lines(corners)

    def _show_tool(self) -> None:
        for tool, shown in (("pen", self._pen), ("eraser", self._eraser)):
            toggle(shown, "eg-on", tool == self._tool)
        width = self._brush_width()
        self._browser.brush = {"tool": self._tool, "width": width}
        self._show_history()

    def _show_history(self) -> None:
        self._undo.disabled = not self._drawing.can_undo
        self._redo.disabled = not self._drawing.can_redo
        self._clear.disabled = not self._drawing
        toggle(self._frame, "eg-empty", self.is_empty)

    def _show_underlay(self) -> None:
        shown = bool(self._underlay.value)
        self._underlay.layout.visibility = "visible" if shown else "hidden"
        self._underlay.layout.opacity = f"{self._opacity.value:g}"
        show(self._photo_tools, shown)

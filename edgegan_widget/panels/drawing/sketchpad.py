"""The drawing application: arranges pad and result, owns the state they share and the engine behind them."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.result import Engine
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.drawing.exports import as_file
from edgegan_widget.panels.drawing.model import DrawingModel
from edgegan_widget.panels.drawing.pad import Pad
from edgegan_widget.panels.drawing.result import Moment, ResultView
from edgegan_widget.panels.frame import Styled
from edgegan_widget.panels.widgets import row
from edgegan_widget.sketch.strokes import Drawing

if TYPE_CHECKING:
    from edgegan_widget.base.result import Result

__all__ = ["SketchPad"]

U8 = npt.NDArray[np.uint8]

TELL_EVERY_SECONDS = 1.0  # edge map and figures while the pen is down; the picture itself is shown at once
FIRST_CLASS = "sneaker"  # where a model knows it: the object most people can draw


@dataclass(frozen=True)
class _Request:
    """One picture asked for; without a sketch only the model is loaded."""

    model: DrawingModel
    sketch: U8 | None
    label: str
    seed: int | None
    variations: int
    drawing: Drawing | None  # finished, so the picture goes into the history


class SketchPad(Styled):
    """Draw and see the object: a widget for a notebook cell, and the dashboard's main part.

    Parameters
    ----------
    model
        Name of a shipped model, a model or run folder, or a loaded :class:`edgegan_widget.EdgeGAN`.
    device
        ``auto``, ``cpu`` or ``cuda``; only for a model that is loaded here.
    label
        Class to begin with; the model's first one (or its sneaker) if not given.
    runner
        How the networks of such a model are run, see :mod:`edgegan_widget.networks.runners`.

    Examples
    --------
    >>> pad = SketchPad()  # doctest: +SKIP
    >>> pad  # in a notebook cell  # doctest: +SKIP
    >>> pad.drawing, pad.sketch, pad.image  # doctest: +SKIP

    Raises
    ------
    ModelError
        There is no such model.
    ConfigError
        The model does not know ``label``.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine = "default",
        *,
        device: str = "auto",
        label: str | None = None,
        runner: str = AUTO,
    ) -> None:
        self._device, self._runner = device, runner
        self._model = self._proven = DrawingModel(model)  # the one asked for, and the last one that could be loaded
        self._result: Result | None = None
        self._told = 0.0
        self._shown = threading.Lock()  # a picture that arrives late must not overwrite a cleared pad
        self._worker: NewestWins[_Request, tuple[_Request, Result | None]] = NewestWins(
            self._work, self._answered, self._complain
        )
        self._view = ResultView(
            self._model.classes, self._first_class(label), self._ask, self._restore, self._export, self._complain
        )
        self._view.offer_transparent(self._model.alpha)
        self._pad = Pad(self._drawn, self._complain)
        columns = widgets.Box([self._pad, self._view])
        columns.add_class("eg-columns")
        header = row([self._view.class_choice])
        super().__init__([header, columns])
        self._load()

    # For code --------------------------------------------------------------------------------------------------

    @property
    def drawing(self) -> Drawing:
        """What is drawn; set it to show another drawing."""
        return self._pad.drawing

    @drawing.setter
    def drawing(self, drawing: Drawing) -> None:
        self._pad.drawing = drawing

    @property
    def sketch(self) -> U8:
        """What the network sees, uint8 [sketch_px, sketch_px], white paper 255."""
        return self._pad.sketch(self._model.sketch_px)

    @property
    def image(self) -> U8 | None:
        """The picture, uint8 [H, W, 3]; None as long as nothing was drawn."""
        return None if self._result is None else self._result.image

    @property
    def result(self) -> Result | None:
        """The whole last :class:`~edgegan_widget.Result`; None as long as nothing was drawn."""
        return self._result

    @property
    def label(self) -> str:
        """The chosen class; set it to choose another."""
        return self._view.label

    @label.setter
    def label(self, label: str) -> None:
        self._view.choose(self._first_class(label), self._view.seed)
        self._ask()

    def use_model(self, model: str | os.PathLike[str]) -> None:
        """Draw with another model from now on: what is drawn stays, and the chosen class where the model knows it.

        Parameters
        ----------
        model
            Name of a shipped model, a model or run folder, or a run's ``.safetensors`` checkpoint. The file is read
            anew even if it is the one in use.

        Raises
        ------
        ModelError
            It cannot be used; the pad keeps the model it has.
        """
        self._change_model(DrawingModel(model))
        self._view.complain(None)
        # One request: were the model loaded first, its error could be gone again once the old one draws.
        self._load() if self._pad.is_empty else self._ask()

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until the picture of what is drawn is there; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker and take the widget off the page."""
        worker = getattr(self, "_worker", None)  # also called on a widget whose making failed
        if worker is not None:
            worker.close()
        super().close()

    # From drawing to picture -----------------------------------------------------------------------------------

    def _drawn(self, finished: bool) -> None:
        self._ask(finished)

    def _ask(self, finished: bool = True) -> None:
        """Ask for the picture of what is drawn now; while the pen is down for one only, afterwards for all."""
        if self._pad.is_empty:
            self._worker.cancel()
            with self._shown:
                self._result = None
                self._view.show_nothing()
            return
        variations = self._view.variations if finished else 1
        drawing = self._pad.drawing if finished else None
        sketch, label, seed = self.sketch, self._view.label, self._view.seed
        self._worker.submit(_Request(self._model, sketch, label, seed, variations, drawing))

    def _load(self) -> None:
        """Have the worker load the model."""
        self._view.report("Loading the model…" if self._model.engine is None else self._ready_line())
        self._worker.submit(_Request(self._model, None, self._view.label, None, 1, None))

    def _change_model(self, model: DrawingModel) -> None:
        with self._shown:
            self._model = model
            known = self._view.label in model.classes
            self._view.offer(model.classes, self._view.label if known else self._first_class(None))
            self._view.offer_transparent(model.alpha)

    def _work(self, request: _Request) -> tuple[_Request, Result | None]:
        """In the worker: load the model the first time, then draw."""
        try:
            engine = request.model.load(self._device, self._runner)
        except Exception:
            if request.model is self._model and request.model is not self._proven:
                self._change_model(self._proven)
                self._view.report(self._ready_line())
            raise
        self._proven = request.model
        if request.sketch is None:
            return request, None
        return request, engine.generate(request.sketch, request.label, seed=request.seed, variations=request.variations)

    def _answered(self, answer: tuple[_Request, Result | None]) -> None:
        """In the worker: put the picture on the page."""
        request, result = answer
        if request.model is not self._model:
            return  # another one was chosen meanwhile
        if result is None:
            self._view.report(self._ready_line())
            return
        with self._shown:
            if self._pad.is_empty:
                return
            self._result = result
            self._view.show_live(result.image)
            if request.drawing is None and time.monotonic() - self._told < TELL_EVERY_SECONDS:
                return
            self._told = time.monotonic()
            self._view.show(result.images, result.edges)
            self._view.complain(None)
            self._view.report(self._ready_line(f"{result.milliseconds / len(result.images):.0f} ms a picture"))
            if request.drawing is not None:
                self._view.remember(Moment(request.drawing, request.label, request.seed, result.image))

    def _complain(self, error: Exception | None) -> None:
        self._view.complain(error)

    def _ready_line(self, speed: str = "") -> str:
        engine, title = self._model.engine, self._model.title
        if engine is None:
            return ""
        return " · ".join(filter(None, [f"Ready on {engine.device_name}", speed, title and f"model {title}"]))

    def _restore(self, moment: Moment) -> None:
        self._first_class(moment.label)  # the model may be another one by now
        self._view.choose(moment.label, moment.seed)
        self._pad.drawing = moment.drawing

    def _first_class(self, label: str | None) -> str:
        classes = self._model.classes
        if label is None:
            return FIRST_CLASS if FIRST_CLASS in classes else classes[0]
        if label not in classes:
            raise ConfigError(f"the class is {label!r}; this model knows {', '.join(classes)}.")
        return label

    def _export(self, kind: str) -> tuple[str, str, bytes]:
        if self._pad.is_empty:
            raise ConfigError("there is nothing to save yet; draw something first.")
        picture = self.image
        if kind == "transparent" and self._result is not None:
            picture = self._result.rgba[0]
        return as_file(kind, self._view.label, self.drawing, picture)

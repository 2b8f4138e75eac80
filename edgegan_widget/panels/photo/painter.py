"""From scene to screen: objects are drawn by their models, laid over the ground, and what changed is sent."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import ImageColor

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import EdgeGANError, ServerError
from edgegan_widget.base.result import Engine
from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.drawing.asking.requests import Request, again_seconds, pictures, told
from edgegan_widget.panels.drawing.looks.look import Look
from edgegan_widget.panels.photo.grounds import Grounds
from edgegan_widget.panels.widgets import Say
from edgegan_widget.photo.scene import NOTHING, PHOTO, Part, Placed, Scene, lay, on_ground
from edgegan_widget.sketch.raster import rasterize

__all__ = ["Models", "Painter", "Patch"]

MOST_DRAWN = 200  # pictures of objects that are kept
JPEG_QUALITY = 90
ALIGNED_PX = 16  # JPEG's blocks of colour: what is sent begins and ends with one, so that no seam is seen
CHECKS_PX, CHECKS_U8 = 16, (236, 208)


class Models:
    """The models of a scene's objects, by name; each is loaded once.

    Parameters
    ----------
    first
        The one that new objects are drawn with.
    device, runner
        As for :meth:`~edgegan_widget.panels.drawing.asking.model.DrawingModel.load`.
    on_loaded
        Called in a worker once a model is there that :meth:`is_there` was asked for in vain.
    say
        Called with an exception to show.
    """

    def __init__(self, first: DrawingModel, device: str, runner: str, on_loaded: Callable[[], None], say: Say) -> None:
        self.first = self._given = first
        self._device, self._runner = device, runner
        self._known = {first.name: first}
        self._loader: NewestWins[str, None] = NewestWins(self._load_ahead, lambda _: on_loaded(), say)

    def use(self, model: DrawingModel) -> None:
        """Draw new objects with another one."""
        self.first = self._known[model.name] = model

    @property
    def served(self) -> tuple[str, ...]:
        """Names of the models of the server that draws, where one does."""
        return self._given.served

    def another(self, model: str | os.PathLike[str]) -> DrawingModel:
        """The model of that name or folder, read anew; see :meth:`DrawingModel.another`."""
        return self._given.another(model)

    def find(self, name: str) -> DrawingModel:
        """The model of that name; a :class:`ModelError` where there is none."""
        if name not in self._known:
            self._known[name] = self.another(name)
        return self._known[name]

    def load(self, name: str) -> Engine:
        """The same, ready to draw."""
        return self.find(name).load(self._device, self._runner)

    def is_there(self, name: str) -> bool:
        """Whether the model of that name is ready to draw; if not it is being loaded now, and told once it is."""
        there = self.find(name).engine is not None
        if not there:
            self._loader.submit(name)
        return there

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until it is loaded."""
        return self._loader.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker."""
        self._loader.close()

    def _load_ahead(self, name: str) -> None:
        self.load(name)


@dataclass(frozen=True)
class Patch:
    """A part of the picture that changed: its place in shown pixels, and the part as JPEG."""

    x: int
    y: int
    jpeg: bytes


@dataclass(frozen=True)
class _View:
    scene: Scene
    finished: bool


@dataclass(frozen=True, eq=False)
class _Layer:
    key: object  # what it follows from
    picture_u8: U8  # all up to it
    part: Part | None  # where it is


class Painter:
    """Shows scenes, the newest first.

    Parameters
    ----------
    models, grounds
        What draws, and on what.
    show
        Called in the worker with each part that changed.
    say
        Called with an exception to show.
    """

    def __init__(
        self,
        models: Models,
        grounds: Grounds,
        show: Callable[[Patch], None],
        say: Say,
    ) -> None:
        self._models, self._grounds, self._show, self._say = models, grounds, show, say
        self._drawn: OrderedDict[Placed, U8] = OrderedDict()
        self._keeping = threading.Lock()  # files are saved beside what is shown
        self._layers: list[_Layer] = []  # the ground, and upon it one object after the other
        self._on_screen: U8 | None = None
        self._failing = False  # the last view could not be shown whole
        self._worker: NewestWins[_View, None] = NewestWins(self._work, self._worked, self._complain, again_seconds)

    def ask(self, scene: Scene, finished: bool = True) -> None:
        """Show a scene; with ``finished`` false the pen is down, and the quickest picture will do."""
        self._worker.submit(_View(scene, finished))

    def forget_screen(self) -> None:
        """The page is empty: the next picture is sent whole."""
        self._on_screen = None

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until all that was asked for is shown."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def objects(self, scene: Scene) -> list[tuple[Placed, U8]]:
        """The objects that are to be seen with their finished pictures, uint8 [h, w, 4]."""
        seen = [each for each in scene.placed if not each.hidden and each.drawing]
        for each in seen:
            for _ in self._finish(each):
                pass
        return [(each, self._picture(each)) for each in seen]

    # In the worker ---------------------------------------------------------------------------------------------

    def _work(self, view: _View) -> None:
        seen = [each for each in view.scene.placed if not each.hidden and each.drawing]
        self._lay(view.scene, seen, not view.finished)
        for each in seen if view.finished else ():
            for _ in self._finish(each) if self._models.is_there(each.model) else ():
                self._lay(view.scene, seen, quick=False)
                if self._worker.overtaken:
                    return

    def _worked(self, _: None) -> None:
        if self._failing:
            self._failing = False
            self._say(None)

    def _complain(self, error: Exception) -> None:
        self._failing = True
        self._say(told(error))

    def _lay(self, scene: Scene, seen: list[Placed], quick: bool) -> None:
        ground_u8, scale = self._grounds.shown(scene), self._grounds.scale(scene)
        objects, left_out = [], None
        for each in seen:
            try:
                if self._models.is_there(each.model):  # else the photo is shown without it as long as that takes
                    objects.append((each, self._picture(each)))
            except EdgeGANError as error:  # its model is not here, or does not know its class: the others are shown
                left_out = error
        if scene.ground == NOTHING:
            self._layers = []
            self._send(_on_checks(on_ground(scene, ground_u8, objects, scale)), None)
        else:
            self._send(*self._laid(scene.ground, ground_u8, objects, scale, quick))
        if isinstance(left_out, ServerError):
            raise left_out  # which passes: the view is shown again until it is whole
        if left_out is not None:
            self._say(left_out)

    def _laid(
        self, ground: str, ground_u8: U8, objects: list[tuple[Placed, U8]], scale: float, quick: bool
    ) -> tuple[U8, list[Part] | None]:
        """The objects over the ground, and which parts may have changed: None is all of it.

        What lies below the first object that changed is not made anew.
        """
        keys = [(ground, id(ground_u8), False), *((each, id(rgba), quick) for each, rgba in objects)]
        kept = 0
        while kept < min(len(keys), len(self._layers)) and self._layers[kept].key == keys[kept]:
            kept += 1
        changed = [layer.part for layer in self._layers[kept:]]
        del self._layers[kept:]
        if not kept:
            base_u8 = ground_u8 if ground == PHOTO else _plain(ground, ground_u8)
            self._layers.append(_Layer(keys[0], base_u8, None))
        for key, (each, rgba) in zip(keys[max(kept, 1) :], objects[max(kept, 1) - 1 :]):
            picture_u8 = self._layers[-1].picture_u8.copy()
            part = lay(picture_u8, rgba, each, scale, quick=quick)
            self._layers.append(_Layer(key, picture_u8, part))
            changed.append(part)
        return self._layers[-1].picture_u8, [part for part in changed if part] if kept else None

    def _send(self, picture_u8: U8, changed: list[Part] | None) -> None:
        """Show a picture: what differs from the one on screen, looked for in the parts that may have changed."""
        before = self._on_screen
        self._on_screen = picture_u8
        if before is None or before.shape != picture_u8.shape:
            self._show(Patch(0, 0, _jpeg(picture_u8)))
            return
        if changed == []:
            return
        top, bottom, left, right = _around_all(changed, picture_u8.shape[:2])
        parts = [np.ascontiguousarray(each[top:bottom, left:right]) for each in (picture_u8, before)]
        differs = (parts[0] != parts[1]).reshape(len(parts[0]), -1)
        rows, columns = np.flatnonzero(differs.any(1)) + top, np.flatnonzero(differs.any(0)) // 3 + left
        if not len(rows):
            return
        top, left = (int(first[0]) // ALIGNED_PX * ALIGNED_PX for first in (rows, columns))
        bottom, right = (-(-(int(last[-1]) + 1) // ALIGNED_PX) * ALIGNED_PX for last in (rows, columns))
        self._show(Patch(left, top, _jpeg(picture_u8[top:bottom, left:right])))

    # Pictures of objects ---------------------------------------------------------------------------------------

    def _picture(self, placed: Placed) -> U8:
        """Its finished picture where there is one, else the first that its model makes."""
        finished, plain = _look_of(placed), replace(_look_of(placed), closeness=0.0)
        for key in (finished, plain):
            if (known := self._drawn.get(key)) is not None:
                return known
        return self._keep(plain, next(self._results(placed, finished=False)))

    def _finish(self, placed: Placed) -> Iterator[None]:
        """Bring its picture closer to its lines, step by step, where that is wanted and not done yet."""
        key = _look_of(placed)
        if not placed.closeness or key in self._drawn:
            return
        results = self._results(placed, finished=True)
        next(results)
        for rgba in results:
            self._keep(key, rgba)
            yield
        if self._worker.overtaken:  # it may have ended early
            self._drawn.pop(key, None)

    def _results(self, placed: Placed, finished: bool) -> Iterator[U8]:
        engine = self._models.load(placed.model)
        sketch = rasterize(placed.drawing, engine.sketch_px, fit=True)
        look = Look(placed.drawing, placed.label, placed.seed, placed.style, placed.model, placed.closeness)
        request = Request(self._models.find(placed.model), look, sketch, finished=finished)
        for result in pictures(engine, request, lambda: not self._worker.overtaken):
            yield result.rgba[0]

    def _keep(self, key: Placed, rgba: U8) -> U8:
        with self._keeping:
            self._drawn[key] = rgba
            while len(self._drawn) > MOST_DRAWN:
                self._drawn.popitem(last=False)
        return rgba


def _look_of(placed: Placed) -> Placed:
    """What its picture follows from, wherever it stands."""
    return Placed(
        placed.drawing, placed.label, (0, 0, 1, 1), placed.seed, placed.style, placed.model, placed.closeness
    )  # fmt: skip


def _around_all(parts: list[Part] | None, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what encloses all parts; of the whole where there are none."""
    if parts is None:
        return 0, shape[0], 0, shape[1]
    rows, columns = [rows for rows, _ in parts], [columns for _, columns in parts]
    return (
        min(each.start for each in rows), max(each.stop for each in rows),
        min(each.start for each in columns), max(each.stop for each in columns),
    )  # fmt: skip


def _plain(colour: str, like: U8) -> U8:
    plain = np.empty_like(like)
    plain[:] = ImageColor.getrgb(colour)[:3]
    return plain


def _on_checks(rgba: U8) -> U8:
    """A picture with alpha over the checks that stand for nothing."""
    rows, columns = (np.arange(side) // CHECKS_PX for side in rgba.shape[:2])
    checks = np.where((rows[:, None] + columns) % 2, *CHECKS_U8)[..., None].astype(np.float32)
    share = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray((checks + share * (rgba[..., :3] - checks)).round(), np.uint8)


def _jpeg(picture_u8: U8) -> bytes:
    _, content = cv2.imencode(".jpg", picture_u8[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(content)

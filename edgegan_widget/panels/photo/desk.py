"""The photo with what lies on it, moment after moment: what is on screen, in the browser's storage and in files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.pictures import encode_png
from edgegan_widget.base.units import U8
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.photo.edits import guide_box
from edgegan_widget.panels.photo.grounds import Grounds
from edgegan_widget.panels.photo.painter import Models, Painter, Patch
from edgegan_widget.panels.photo.states import Chosen, State, Steps
from edgegan_widget.panels.photo.surface import Surface
from edgegan_widget.panels.photo.tasks import Tasks, Told
from edgegan_widget.panels.widgets import Say
from edgegan_widget.photo.choosing import box_between, brushed, enclosed, under_click
from edgegan_widget.photo.erase import grown_mask
from edgegan_widget.photo.pixels import resized
from edgegan_widget.photo.sample import sample_photo
from edgegan_widget.photo.scene import Erased, Placed, Scene, on_ground

__all__ = ["Desk", "Points", "scene_at"]

SAMPLE = "meadow.png"
MOST_STORED_BYTES = 40_000_000  # of a photo, by the browser
GROWN = 1 / 320  # of the longest side: what is taken away is a little more than what is chosen, whose edge is soft
MOST_GROWN_PX, MOST_FEATHER_PX = 200, 100  # of the photo
MOST_CORNERS = 6000  # of the outline of what is chosen

Points = Sequence[Sequence[float]]


class Desk:
    """The moments of a photo, and all that follows from the one of now.

    Parameters
    ----------
    surface
        Where it is shown.
    models
        What draws its objects.
    on_show
        Called with the moment of now whenever it is another one.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, surface: Surface, models: Models, on_show: Callable[[State], None], say: Say) -> None:
        self._surface, self._on_show, self._say = surface, on_show, say
        self._steps, self._changing = Steps(), threading.RLock()
        self._stored: tuple[str, bytes] = ("", b"")  # a photo that the browser brought back
        self._photo_on_page: bytes | None = None
        self.grounds = Grounds()
        self.painter = Painter(models, self.grounds, self._show_patch, say)
        self.tasks = Tasks(self._tell_progress, say)
        surface.on("hello", self._greet)
        surface.on_file("open", self._open_later)
        surface.on_file("restore", self._take_stored)

    @property
    def now(self) -> State:
        return self._steps.now

    @property
    def scene(self) -> Scene:
        """The scene of now; a :class:`ConfigError` before a photo is opened."""
        if not self.now.scene.photo_file:
            raise ConfigError("there is no photo yet; open one, or take the sample photo.")
        return self.now.scene

    @property
    def scale(self) -> float:
        """How large the photo is shown, beside its own size."""
        return self.grounds.scale(self.scene)

    @property
    def guide(self) -> tuple[int, int, int, int]:
        """Where a new object would go, in the photo's pixels."""
        height, width = self.grounds.photo(self.scene).shape[:2]
        return guide_box(self.now, (width, height), self.scale)

    def commit(self, state: State) -> None:
        """Another moment; undo goes back to the one before."""
        with self._changing:
            self._steps.push(state)
            self._say(None)
            self._show()

    def step(self, name: str) -> None:
        """``undo`` or ``redo``."""
        with self._changing:
            getattr(self._steps, name)()
            self._show()
        self._fill_holes()

    def show_again(self) -> None:
        """A model that draws some of it is there now."""
        if self.now.scene.photo_file:
            self.painter.ask(self.now.scene)

    def preview(self, state: State) -> None:
        """Show what would be, while the pen is down or a handle is held."""
        self.painter.ask(state.scene, finished=False)

    def composed(self, scene: Scene, told: Told) -> U8:
        """A scene's picture at full size, uint8 [H, W, 3], or [H, W, 4] without a ground."""
        self.grounds.fill(scene, told)
        return on_ground(scene, self.grounds.full(scene), self.painter.objects(scene))

    def close(self) -> None:
        """End the workers."""
        self.tasks.close()
        self.painter.close()

    # Photos ----------------------------------------------------------------------------------------------------

    def open_file(self, name: str, content: bytes) -> None:
        """A photo, or a scene that was saved here; a :class:`DataError` where it is neither."""
        if not content:
            raise DataError(f"{name} is empty; give a whole PNG, JPEG or WebP, or a saved scene.")
        if not name.lower().endswith(".json"):
            self.take_scene(Scene(name, photo_file=content))
            return
        scene = Scene.from_json(content)
        if not scene.photo_file:
            raise DataError(f"{name} holds no photo, only its path; open a scene that was saved on this page.")
        self.take_scene(scene)

    def open_sample(self) -> None:
        """The photo that is made by code."""
        self.tasks.run("Making the sample photo", lambda _: self.open_file(SAMPLE, encode_png(sample_photo())))

    def take_scene(self, scene: Scene) -> None:
        """Show another scene; undo brings back the one before."""
        self.grounds.photo(scene)  # raises where it cannot be read
        self.commit(_last_selected(scene))
        self._fill_holes()

    def _open_later(self, name: str, content: bytes) -> None:
        self.tasks.run(f"Opening {name}", lambda _: self.open_file(name, content))

    def _greet(self, scene: str | None = None) -> None:
        """A page shows the surface: what it stored comes back, unless something newer is here."""
        self.painter.forget_screen()
        self._photo_on_page = None
        name, content = self._stored
        if scene and content and not self.now.scene.photo_file:
            stored = replace(Scene.from_json(scene), photo=name, photo_file=content)
            self.grounds.photo(stored)
            self._steps = Steps(_last_selected(stored))
        self._stored = ("", b"")
        self._show()
        self._fill_holes()

    def _take_stored(self, name: str, content: bytes) -> None:
        self._stored = (name, content)

    def _fill_holes(self) -> None:
        """Fill what was taken away where that is not done yet: the scene was opened, or came back."""
        scene = self.now.scene
        if scene.photo_file and not self.grounds.is_whole(scene):
            self.tasks.run("Filling what was taken away", lambda told: self._fill(scene, told))

    def _fill(self, scene: Scene, told: Told) -> None:
        self.grounds.fill(scene, told)
        self.show_again()

    # Choosing and taking away ----------------------------------------------------------------------------------

    def choose(self, tool: str, points: Points, width_px: float) -> None:
        """Something was clicked, or gone around, or brushed over so wide; in shown pixels."""
        scene = self.scene
        shape = self.grounds.shown_size(scene)[::-1]
        if tool == "click":
            x, y = points[0][:2]
            shown_u8 = self.grounds.shown(scene)
            self.tasks.run("Looking at what is there", lambda told: self._add_found(scene, shown_u8, (x, y), told))
        elif tool == "brush":
            self._add(scene, brushed(points, width_px, shape))
        else:
            self._add(scene, (enclosed if tool == "lasso" else box_between)(points, shape))

    def _add_found(self, scene: Scene, shown_u8: U8, place: tuple[float, float], told: Told) -> None:
        found = under_click(shown_u8, *place)
        if told(1.0):
            self._add(scene, found)

    def _add(self, scene: Scene, mask: np.ndarray) -> None:
        """Add to what is chosen, or take from it."""
        with self._changing:
            now = self.now
            if now.scene.photo_file is not scene.photo_file:
                return  # another photo was opened meanwhile
            before = np.zeros_like(mask) if now.chosen is None else now.chosen.mask()
            after = before | mask if self._surface.adds else before & ~mask
            self.commit(replace(now, chosen=Chosen.make(after), kind=""))

    def take_away(self, method: str) -> None:
        """Fill what is chosen by a method, see :func:`edgegan_widget.photo.erase`."""
        now, feather = self.now, self._surface.feather_px
        if now.chosen is None:
            raise ConfigError("nothing is chosen yet; click what is to go, or go around it with the lasso.")
        chosen = now.chosen

        def work(told: Told) -> None:
            erased = self._erased(now.scene, chosen, method, feather)
            self.grounds.fill(now.scene.without(erased), told)
            with self._changing:
                last = self.now.scene
                if (last.photo_file, last.erased) == (now.scene.photo_file, now.scene.erased):
                    self.commit(State(last.without(erased)))

        self.tasks.run("Taking it away", work)

    def _erased(self, scene: Scene, chosen: Chosen, method: str, feather: int) -> Erased:
        """What is chosen as a mask of the photo's own size."""
        photo_u8, scale = self.grounds.photo(scene), self.grounds.scale(scene)
        mask = np.asarray(resized(chosen.mask().astype(np.float32), photo_u8.shape[1::-1]) > 0.5)
        mask = grown_mask(mask, min(MOST_GROWN_PX, round(GROWN * max(mask.shape))))
        return Erased.make(mask, method, min(MOST_FEATHER_PX, round(feather / scale)))

    # On screen -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """All that follows from the moment of now."""
        now = self.now
        with self._surface.hold_sync():
            self._surface.can = self._possible(now)
            self._surface.size = list(self.grounds.shown_size(now.scene)) if now.scene.photo_file else []
            if now.scene.photo_file:
                self._show_marks(now)
        self._on_show(now)
        if now.scene.photo_file:
            self.painter.ask(now.scene)
            self._store(now.scene)

    def _show_marks(self, now: State) -> None:
        scale = self.scale
        self._surface.placed = [_on_page(each, scale) for each in now.scene.placed]
        self._surface.selected = -1 if now.selected is None else now.selected
        self._surface.guide = [each * scale for each in self.guide]
        self._surface.chosen = _outline(now.chosen)
        self._surface.line = _hint(now)

    def _possible(self, now: State) -> list[str]:
        """The buttons that can be pressed, by what they need."""
        can = {
            "undo": self._steps.can_undo, "redo": self._steps.can_redo, "take-away": now.chosen is not None,
            "clear": now.chosen is not None, "object": now.object is not None, "photo": bool(now.scene.photo_file),
        }  # fmt: skip
        return [name for name, possible in can.items() if possible]

    def _store(self, scene: Scene) -> None:
        """Have the browser store the scene, and its photo where it is another one, to compare with as well."""
        new = self._photo_on_page is not scene.photo_file
        self._photo_on_page = scene.photo_file
        if new:
            before = resized(self.grounds.photo(scene), self.grounds.shown_size(scene))
            self._surface.tell("before", bytes(cv2.imencode(".jpg", before[..., ::-1])[1]))
        if len(scene.photo_file) <= MOST_STORED_BYTES:
            photo = [scene.photo_file] if new else []
            self._surface.tell("store", *photo, scene=scene.to_json(with_photo=False), name=scene.photo)

    def _show_patch(self, patch: Patch) -> None:
        self._surface.tell("picture", patch.jpeg, x=patch.x, y=patch.y)

    def _tell_progress(self, words: str, share: float) -> None:
        self._surface.busy = {"words": words, "share": round(share, 2)} if words else {}


def scene_at(path: Path) -> tuple[str, bytes]:
    """Name and content of a photo's or scene's file; a :class:`DataError` where there is none."""
    if not path.is_file():
        raise DataError(f"{path} is no file; give the path of a photo or of a saved scene.")
    return path.name, path.read_bytes()


def _last_selected(scene: Scene) -> State:
    return State(scene, selected=len(scene.placed) - 1 if scene.placed else None)


def _on_page(placed: Placed, scale: float) -> Mapping[str, Any]:
    """An object as the browser shows its frame and ink, in shown pixels."""
    strokes = [
        {"tool": each.tool, "width": each.width, "points": each.points[:, :2].round(4).tolist()}
        for each in placed.drawing.strokes
    ]
    return {
        "box": [each * scale for each in placed.box], "turned": placed.turned_degrees, "mirrored": placed.mirrored,
        "hidden": placed.hidden, "name": placed.name or spoken(placed.label), "strokes": strokes,
    }  # fmt: skip


def _outline(chosen: Chosen | None) -> list[list[int]]:
    """What is chosen as polygons, x and y in turn; those in others are holes."""
    if chosen is None:
        return []
    found, _ = cv2.findContours(chosen.mask().astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    exact = sum(map(len, found)) <= MOST_CORNERS
    return [(each if exact else cv2.approxPolyDP(each, 1.5, True)).reshape(-1).tolist() for each in found]


def _hint(now: State) -> str:
    """What comes next."""
    if now.chosen is not None:
        return "Add to it or take from it, then press Take away."
    if now.object is not None:
        return f"The pen draws on: {now.object.name or spoken(now.object.label)}. “+ New” begins another object."
    if now.scene.erased:
        return "Choose a class for what is to stand there, and draw it with the pen."
    return "Click what is to go. Or draw something new with the pen."

"""Photos, in which objects are taken away and others drawn in their place: the widget, and what its parts tell."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.pictures import encode_png
from edgegan_widget.base.result import Engine
from edgegan_widget.base.units import U8
from edgegan_widget.base.words import known_class
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.drawing.asking.choices import Choices
from edgegan_widget.panels.drawing.asking.chooser import ModelChooser
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.photo.beside import FitOptions, Layers, MoreOptions
from edgegan_widget.panels.photo.desk import Desk, Points, scene_at
from edgegan_widget.panels.photo.edits import EDITS
from edgegan_widget.panels.photo.hand import Hand, first_class
from edgegan_widget.panels.photo.painter import Models
from edgegan_widget.panels.photo.saving import SaveRow, picture_file, scene_file
from edgegan_widget.panels.photo.states import State
from edgegan_widget.panels.photo.surface import Surface
from edgegan_widget.panels.photo.tasks import Told
from edgegan_widget.panels.widgets import classed, folded
from edgegan_widget.photo.pixels import Picture, as_photo
from edgegan_widget.photo.scene import Placed, Scene

__all__ = ["PhotoPad"]


class PhotoPad(Panel):
    """Take things out of a photo and draw others in their place: a widget for a cell, and the Photo tab.

    Parameters
    ----------
    model
        As for :class:`edgegan_widget.SketchPad`; it has to draw alpha.
    photo
        What to begin with: a path, uint8 [H, W, 3], or a Pillow image; or the path of a saved scene.
    device, runner, runs
        As for :class:`edgegan_widget.SketchPad`.
    label
        Class to begin with.
    remember
        Whether the browser stores photo and scene, so that they come back after a reload or in a new kernel.

    Examples
    --------
    >>> pad = PhotoPad(photo="horse.jpg")  # doctest: +SKIP
    >>> pad  # in a notebook cell  # doctest: +SKIP
    >>> pad.image, pad.scene  # doctest: +SKIP

    Raises
    ------
    ModelError
        There is no such model.
    DataError
        The photo cannot be read.
    ConfigError
        The model does not know ``label``.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine = "default",
        photo: Picture | None = None,
        *,
        device: str = "auto",
        runner: str = AUTO,
        label: str | None = None,
        remember: bool = True,
        runs: str | os.PathLike[str] = "runs",
    ) -> None:
        super().__init__()
        first = DrawingModel(model)
        label = first_class(first.classes) if label is None else known_class(label, first.classes)
        self._models = Models(first, device, runner, self._loaded, self.complain)
        self._surface = Surface(self.complain, remember)
        self._desk = Desk(self._surface, self._models, self._show_beside, self.complain)
        self._build_beside(label, Path(runs))
        self._hand = Hand(self._desk, self._models, self._choices, self._fits)
        self._arrange()
        self._listen()
        self._chooser.show_model(first.name, first.title)
        if photo is not None:
            self.open_photo(photo)
        self._have_loaded()

    # For code --------------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The photo, what was taken away and what was drawn; set it to show another one, which undo takes back."""
        return self._desk.now.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        if not scene.photo_file:
            name, content = scene_at(Path(scene.photo).expanduser())
            scene = replace(scene, photo=name, photo_file=content)
        self._desk.take_scene(scene)

    @property
    def image(self) -> U8 | None:
        """The picture at the photo's size, uint8 [H, W, 3], or [H, W, 4] without ground; None before one is opened."""
        scene = self.scene
        return None if not scene.photo_file else self._desk.composed(scene, lambda _share: True)

    def open_photo(self, photo: Picture) -> None:
        """Open a photo or a saved scene; undo brings back what was there.

        Parameters
        ----------
        photo
            A path, uint8 [H, W, 3], or a Pillow image.

        Raises
        ------
        DataError
            It cannot be read.
        """
        if isinstance(photo, (str, os.PathLike)):
            self._desk.open_file(*scene_at(Path(photo).expanduser()))
        else:
            self._desk.open_file("photo.png", encode_png(as_photo(photo)))

    def use_model(self, model: str | os.PathLike[str]) -> None:
        """Draw the selected object, and new ones, with another model.

        Raises
        ------
        ModelError
            It cannot be used; the one before stays.
        """
        self._hand.take_model(self._models.another(model))
        self._chooser.show_model(self._models.first.name, self._models.first.title)
        self._have_loaded()
        self._hand.change_look()

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until all that was asked for is done and shown; False where that took longer."""
        parts = (self._desk.tasks, self._models, self._desk.painter)
        return all(part.wait(timeout_seconds) for part in parts)

    def close(self) -> None:
        """End the workers and take the widget off the page."""
        for name in ("_desk", "_models"):
            part = getattr(self, name, None)  # also called on a widget whose making failed
            if part is not None:
                part.close()
        super().close()

    # The page --------------------------------------------------------------------------------------------------

    def _build_beside(self, label: str, runs: Path) -> None:
        self._choices = Choices(
            self._models.first.classes, label, lambda: self._hand.change_look(), lambda: self._hand.demonstrate(),
            self.complain, variations=False,
        )  # fmt: skip
        self._layers = Layers(
            lambda number: self._hand.select(number), self._act, lambda name: self._hand.rename(name), self.complain
        )
        self._fits = FitOptions(lambda fit: self._hand.refit(fit), self.complain)
        self._chooser = ModelChooser(runs, self.use_model, self.complain, self._models.served)
        self._more = MoreOptions(self._change_ground, self.complain, [self._chooser])
        self._saving = SaveRow(self._save, self.complain)

    def _arrange(self) -> None:
        look = folded("Seed, style, closeness", widgets.VBox([self._choices.look_row, self._choices.style_row]))
        beside = widgets.VBox([
            self._choices.class_list, self._choices.guess_row, look, self._layers, self._fits, self._saving, self._more,
        ])  # fmt: skip
        columns = classed(widgets.Box([self._surface, classed(beside, "eg-photo-side")]), "eg-photo-columns")
        self.children = [self.error_line, columns]
        self.add_class("eg-photo-app")

    def _listen(self) -> None:
        self._surface.on("shape", self._choose)
        self._surface.on("ink", self._ink)
        self._surface.on("box", self._move)
        self._surface.on("pick", lambda number: self._hand.select(number))
        self._surface.on("act", self._act)

    def _choose(self, tool: str, points: Points, width: float = 1.0) -> None:
        if tool == "split":
            self._hand.split(points)
        else:
            self._desk.choose(tool, points, width)

    def _ink(self, stroke: int, points: Points, tool: str, width: float, done: bool = False) -> None:
        try:
            self._hand.ink(stroke, points, tool, width, done)
        finally:
            if done:
                self._surface.tell("inked", stroke=stroke)

    def _move(self, box: list[float], turned: float = 0.0, mirrored: bool = False, done: bool = False) -> None:
        self._hand.move(box, turned, mirrored, done)

    def _act(self, name: str) -> None:
        """A button or a key."""
        if name in EDITS:
            self._hand.edit(name)
        elif name in ("undo", "redo"):
            self._desk.step(name)
        elif name == "new":
            self._hand.select(None)
        elif name == "clear":
            self._desk.commit(replace(self._desk.now, chosen=None, kind=""))
        elif name == "take-away":
            self._desk.take_away(self._more.method)
        elif name == "stop":
            self._desk.tasks.stop()
        elif name == "sample":
            self._desk.open_sample()

    def _show_beside(self, now: State) -> None:
        """Beside the photo stands what the moment of now has."""
        self._layers.show(now.scene.placed, now.selected)
        self._more.show_ground(now.scene.ground)
        self._fits.show(None if now.object is None else now.object.fit)
        self._follow(now.object)

    def _follow(self, placed: Placed | None) -> None:
        before = self._models.first
        try:
            self._hand.follow(placed)
        except EdgeGANError as error:  # its model is not here: it is left out of the picture, all else goes on
            self.complain(error)
        if self._models.first is not before:
            self._chooser.show_model(self._models.first.name, self._models.first.title)
            self._have_loaded()

    def _have_loaded(self) -> None:
        """Have the model of new objects loaded, beside all else; the page says so meanwhile."""
        self._surface.ready = self._models.is_there(self._models.first.name)

    def _loaded(self) -> None:
        self._hand.offer_styles()
        self._surface.ready = self._models.first.engine is not None
        self._desk.show_again()

    def _change_ground(self, ground: str) -> None:
        now = self._desk.now
        self._desk.commit(replace(now, scene=replace(now.scene, ground=ground), kind="ground"))

    def _save(self, form: str, metadata: bool) -> None:
        scene = self._desk.scene

        def work(told: Told) -> None:
            if form == "scene":
                file = scene_file(scene)
            else:
                file = picture_file(self._desk.composed(scene, told), scene, form, metadata)
            self._surface.tell("save", file.content, name=file.name, type=file.media_type)

        self._desk.tasks.run("Saving", work)

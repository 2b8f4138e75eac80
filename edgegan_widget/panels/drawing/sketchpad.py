"""The drawing application: arranges pad and result, owns the state they share and the engine behind them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.result import Engine
from edgegan_widget.base.units import U8
from edgegan_widget.base.words import class_named, known_class, spoken
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.drawing.answer import Answer
from edgegan_widget.panels.drawing.asking.choices import Choices
from edgegan_widget.panels.drawing.asking.chooser import ModelChooser
from edgegan_widget.panels.drawing.asking.drawer import Drawer
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.drawing.asking.requests import Request, morphed, pictures
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.examples import Demonstration, example
from edgegan_widget.panels.drawing.keeping import Keeper
from edgegan_widget.panels.drawing.looks.exports import File, as_file, favourites_sheet
from edgegan_widget.panels.drawing.looks.look import Kept, Look
from edgegan_widget.panels.drawing.looks.morph import FRAMES, MorphView
from edgegan_widget.panels.drawing.looks.saving import SaveRow
from edgegan_widget.panels.drawing.nearest import NearestView
from edgegan_widget.panels.drawing.pad import Pad
from edgegan_widget.panels.drawing.result import ResultView
from edgegan_widget.panels.frame import Styled
from edgegan_widget.panels.widgets import row
from edgegan_widget.sketch.strokes import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgegan_widget.base.result import Result
    from edgegan_widget.training.runs.jobs import Run

__all__ = ["SketchPad"]


FAINTEST_U8 = 250  # ink that is lighter than this nobody sees
FIRST_CLASS = "sneaker"  # where a model knows it: the object most people can draw


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
    remember
        Whether the browser stores drawing, choices and history, so that they come back after a reload or in a new
        kernel.
    runs
        Folder whose training runs are offered as models.

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
        remember: bool = True,
        runs: str | os.PathLike[str] = "runs",
    ) -> None:
        self._first = DrawingModel(model)
        self._drawer = Drawer(
            self._first, device, runner, self._draw, self._offer_styles, self._go_back_to, self._complain
        )
        browser = BrowserSide(self._complain, remember)
        self._keeper = Keeper(browser, self._recall, self._now, self._forget)
        self._choices = Choices(
            self._model.classes, self._first_class(label), self._ask_for_look, self._demonstrate, self._complain
        )
        self._saving = SaveRow(self._file, browser.send_file, self._complain)
        self._chooser = ModelChooser(Path(runs), self.use_model, self._complain, self._first.served)
        self._morph = MorphView(browser.send_file, self._complain)
        browser.on("morph", self._ask_for_morph)
        controls = [self._choices.look_row, self._choices.style_row, self._chooser]
        self._view = ResultView(self._choose, lambda number: self._answer.star(number), controls, self._complain)
        self._answer = Answer(self._view, self._keeper)
        self._saving.offer_transparent(self._model.alpha)
        self._pad = Pad(self._ask, self._keeper.leave, self._opened, browser, self._complain, [self._saving])
        self._nearest = NearestView(self._pad, browser)
        columns = widgets.Box([self._pad, self._view])
        columns.add_class("eg-columns")
        header = row([self._choices.class_list, self._choices.guess_row])
        super().__init__([header, columns, self._nearest, self._morph, browser])
        self._chooser.show_model(self._model.name, self._model.title)
        self._offer_styles()
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
        return self._answer.image

    @property
    def result(self) -> Result | None:
        """The whole last :class:`~edgegan_widget.Result`; None as long as nothing was drawn."""
        return self._answer.result

    @property
    def label(self) -> str:
        """The chosen class; set it to choose another."""
        return self._choices.label

    @label.setter
    def label(self, label: str) -> None:
        self._choices.choose(replace(self.look, label=self._first_class(label)))
        self._offer_styles()
        self._ask_for_look()

    @property
    def look(self) -> Look:
        """What is drawn with class, seed, style and model; set it to have all of it back."""
        choices = self._choices
        return Look(self.drawing, choices.label, choices.seed, choices.style, self._model.name, choices.closeness)

    @look.setter
    def look(self, look: Look) -> None:
        self._recall(look)

    @property
    def kept(self) -> list[Kept]:
        """The looks of the history, oldest first."""
        return list(self._keeper.history)

    def use_model(self, model: str | os.PathLike[str]) -> None:
        """Draw with another model from now on: what is drawn stays, and the chosen class where the model knows it.

        Parameters
        ----------
        model
            Name of a shipped model (of the server's where one draws), a model or run folder, or a run's
            ``.safetensors`` checkpoint. The file is read anew even if it is the one in use.

        Raises
        ------
        ModelError
            It cannot be used; the pad keeps the model it has.
        """
        self._keeper.keep()
        self._change_model(self._first.another(model))
        self._view.complain(None)
        # One request: were the model loaded first, its error could be gone again once the old one draws.
        self._load() if self._pad.is_empty else self._ask()

    def list_models(self, runs: Iterable[Run] | None = None) -> None:
        """Bring the list of models up to date with these training runs, or with those that are found."""
        self._chooser.list_models(self._model.title, runs)

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until the picture of what is drawn is there; False where that took longer."""
        return self._drawer.wait(timeout_seconds)

    def close(self) -> None:
        """End the workers and take the widget off the page."""
        for name in ("_drawer", "_nearest"):
            part = getattr(self, name, None)  # also called on a widget whose making failed
            if part is not None:
                part.close()
        super().close()

    @property
    def _model(self) -> DrawingModel:
        return self._drawer.model

    # From drawing to picture -----------------------------------------------------------------------------------

    def _ask_for_look(self) -> None:
        """Another class, seed, style or number of variations was chosen for the same drawing."""
        self._keeper.keep()
        self._offer_styles()
        self._ask(asked=True)

    def _ask(self, finished: bool = True, asked: bool = False, notice: ConfigError | None = None) -> None:
        """Ask for the picture of what is drawn now; while the pen is down for one only, afterwards for all."""
        if finished:
            self._keeper.tell_choices()
        sketch = self.sketch
        if self._pad.is_empty or sketch.min() > FAINTEST_U8:  # or all of it was rubbed out
            self._drawer.cancel()
            self._answer.clear()
            return
        self._answer.expect()
        variations = self._choices.variations if finished else 1
        guess = self._choices.guesses
        self._drawer.ask(Request(self._model, self.look, sketch, variations, finished, asked, notice, guess))

    def _load(self) -> None:
        """Have the worker load the model."""
        self._view.report(self._model.ready_line() or f"Loading the model{self._model.spoken}…")
        self._drawer.ask(Request(self._model, self.look))

    def _change_model(self, model: DrawingModel) -> None:
        with self._answer.changing:
            self._drawer.use(model)
            known = self._choices.label in model.classes
            self._choices.offer(model.classes, self._choices.label if known else self._first_class(None))
            self._saving.offer_transparent(model.alpha)
        self._chooser.show_model(model.name, model.title)
        self._offer_styles()

    def _demonstrate(self) -> None:
        """Draw an example of the chosen class, stroke by stroke; what was there is kept in the history."""
        drawing = example(self._choices.label)
        if drawing is not None:
            self._demonstration = Demonstration(self._pad, drawing)

    def _offer_styles(self) -> None:
        """Show what there is for the chosen class: an example, and styles, once the model is there to say them."""
        self._choices.offer_example(example(self._choices.label) is not None)
        engine = self._model.engine
        if engine is not None:
            self._choices.offer_styles(engine.styles(self._choices.label))
            self._choices.offer_guess(engine.can_guess)

    def _draw(self, engine: Engine, request: Request) -> None:
        """In the worker: answer a request; one without a sketch was to have the model loaded."""
        if request.start is not None:
            self._morph.show(f"{request.start[0].label}_{request.look.label}", morphed(engine, request, FRAMES))
        elif request.sketch is None:
            self._view.report(self._model.ready_line())
        else:
            request = self._named(engine, request)
            for result in pictures(engine, request, self._drawer.go_on):
                self._answered(request, result)

    def _named(self, engine: Engine, request: Request) -> Request:
        """The same request for the class that the drawing shows, where that is to be guessed."""
        guesses = engine.guess(request.sketch) if request.guess and request.sketch is not None else []
        if not guesses:
            return request
        before = self._choices.label
        self._choices.show_guesses(guesses)
        if self._choices.label != before:
            self._offer_styles()
        return replace(request, look=replace(request.look, label=guesses[0][0]))

    def _answered(self, request: Request, result: Result) -> None:
        """In the worker: put the picture on the page, unless another model was chosen meanwhile, or all was cleared."""
        with self._answer.changing:
            if request.model is not self._model or not self._answer.show(request, result):
                return
            self._view.complain(request.notice)
            left_out = "a speck far from the drawing is left out" if self._pad.leaves_specks else ""
            speed = f"{result.milliseconds / len(result.images):.0f} ms a picture"
            self._view.report(self._model.ready_line(speed, left_out))
            if request.finished and request.sketch is not None:
                self._nearest.show_nearest(request.sketch, request.look.label)

    def _go_back_to(self, model: DrawingModel) -> None:
        """In the worker: the model that was chosen cannot be loaded."""
        self._change_model(model)
        self._view.report(model.ready_line())

    def _complain(self, error: Exception | None) -> None:
        self._view.complain(error)

    def _first_class(self, label: str | None) -> str:
        classes = self._model.classes
        if label is None:
            return FIRST_CLASS if FIRST_CLASS in classes else classes[0]
        return known_class(label, classes)

    # Looks -----------------------------------------------------------------------------------------------------

    def _now(self) -> tuple[Look, int]:
        return self.look, self._choices.variations

    def _choose(self, variation: int) -> None:
        """Make a variation the main picture."""
        look = self._answer.choose(variation)
        if look is not None:
            self._choices.choose_seed(look.seed)
            self._keeper.tell_choices()

    def _ask_for_morph(self, number: int) -> None:
        """Have the way drawn from a kept look to what is drawn now."""
        start = self._keeper.history[number].look
        if start.model != self._model.name:
            raise ConfigError("that look is another model's; click it, then morph to it from one of the same model.")
        if self._pad.is_empty:
            raise ConfigError("there is nothing to morph to yet; draw something first.")
        sketch = self._pad.sketch_of(start.drawing, self._model.sketch_px)
        self._drawer.ask(Request(self._model, self.look, self.sketch, start=(start, sketch)))

    def _recall(self, look: Look, variations: int | None = None) -> None:
        """Show a look again, with its model; what the model of now cannot do is left out and told."""
        left_out = self._take_choices(look, variations)
        if look.drawing or self.drawing:
            self._pad.drawing = look.drawing
        if left_out:
            self._ask(notice=left_out)

    def _opened(self, note: dict[str, Any]) -> None:
        """A file was opened whose drawing is on the pad already."""
        if note:
            self._ask(notice=self._take_choices(Look.noted(self.drawing, note), None))

    def _take_choices(self, look: Look, variations: int | None) -> ConfigError | None:
        """Choose what a look says; what this model or machine does not know is returned as a sentence."""
        left_out = []
        if look.model and look.model != self._model.name:
            try:
                self._change_model(self._first.another(look.model))
            except EdgeGANError:
                left_out.append(f"its model {look.model} is not here")
        label = class_named(look.label, self._model.classes)
        if label is None:
            if look.label:
                left_out.append(f"this model does not know the class {spoken(look.label)}")
            label = self._choices.label
        self._choices.choose(replace(look, label=label), variations)
        self._offer_styles()
        return ConfigError(f"the look came back in part: {' and '.join(left_out)}.") if left_out else None

    def _forget(self) -> None:
        self._pad.drawing = Drawing()

    def _file(self, kind: str, size_px: int, form: str) -> File:
        if kind == "favourites":
            return favourites_sheet([kept.picture for kept in self._keeper.favourites], form)
        if self._pad.is_empty:
            raise ConfigError("there is nothing to save yet; draw something first.")
        return as_file(kind, self.look, self._answer.result, self._answer.chosen, size_px, form)

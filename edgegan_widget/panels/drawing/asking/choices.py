"""What is asked for besides the drawing: class, seed, style, and how many variations."""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable, Sequence

import ipywidgets as widgets
from PIL import ImageColor

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.result import Style
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.drawing.looks.look import Look
from edgegan_widget.panels.widgets import Say, Silence, button, classed, free, guard, heading, refill, row, show, toggle

__all__ = ["Choices"]

MOST_VARIATIONS = 8
MOST_SWATCHES = 12
SEEDS = 1_000_000  # what the dice throws; any whole number can be typed
MOST_GUESSES = 3
SHOW = "Draw an example of this class, stroke by stroke; go on with it, or undo it"
GUESS = "Name the class from the drawing, while it is drawn"
NO_GUESS = "This model cannot name what is drawn; edgegan-widget train-guess teaches it"
NO_STYLES = "This model keeps no styles: its colours follow from the drawing and the seed."


class Choices:
    """The controls of a look; they are placed by whoever arranges the page.

    Parameters
    ----------
    classes
        Names to choose from.
    label
        The one chosen at first.
    on_ask
        Called when something else was chosen and a new picture is wanted.
    on_show
        Called when an example of the class is wanted.
    say
        Called with an exception to show, or None.
    variations
        Whether several pictures can be asked for.

    Attributes
    ----------
    class_list, guess_row, look_row, style_row
        The controls.
    """

    def __init__(
        self,
        classes: Sequence[str],
        label: str,
        on_ask: Callable[[], None],
        on_show: Callable[[], None],
        say: Say,
        variations: bool = True,
    ) -> None:
        self._on_ask, self._on_show, self._say = on_ask, on_show, say
        self._several = variations
        self._silent = Silence()
        self._style: int | str | None = None
        self._styles: tuple[Style, ...] | None = None  # those on the page, which are made anew only where they differ
        self._swatches: dict[int | str | None, widgets.Button] = {}
        self.class_list = self._build_class(classes, label)
        self.guess_row = self._build_guess()
        self.look_row = self._build_look()
        self.style_row = self._build_style()

    @property
    def label(self) -> str:
        """The chosen class."""
        return str(self.class_list.value)

    @property
    def guesses(self) -> bool:
        """Whether the class is to be named from the drawing."""
        return bool(self._guess.value) and not self._guess.disabled

    def offer_example(self, there: bool) -> None:
        """Whether there is an example of the chosen class."""
        self._show_me.disabled = not there

    def offer_guess(self, possible: bool) -> None:
        """Whether the model can name what is drawn; where it cannot, the box says so."""
        self._guess.disabled = not possible
        self._guess.tooltip = GUESS if possible else NO_GUESS

    def show_guesses(self, guesses: Sequence[tuple[str, float]]) -> None:
        """Choose the likeliest class, and tell the first three with their shares; the likeliest comes first."""
        with self._silent:
            self.class_list.value = guesses[0][0]
        told = ", ".join(f"{spoken(name)} {share:.0%}" for name, share in guesses[:MOST_GUESSES])
        self._guessed.value = html.escape(told)

    @property
    def seed(self) -> int | None:
        """The seed, or None for the most likely picture."""
        return int(self._seed.value) if self._seeded.value else None

    @property
    def style(self) -> int | str | None:
        """The style's number, its colour ``#rrggbb``, or None for the most usual one."""
        return self._style

    @property
    def variations(self) -> int:
        """How many pictures to show."""
        return int(self._variations.value)

    @property
    def closeness(self) -> float:
        """How close the picture is to keep to the lines, from 0 to 1."""
        return float(self._closeness.value)

    def choose(self, look: Look, variations: int | None = None) -> None:
        """Set what a look says, and the number of variations where it is given, without asking for a picture."""
        with self._silent:
            self.class_list.value = look.label
            self.choose_seed(look.seed)
            self._style = look.style
            self._closeness.value = look.closeness
            if variations in self._variations.options:
                self._variations.value = variations
        self._show_style()

    def choose_seed(self, seed: int | None) -> None:
        """Set the seed without asking for a picture."""
        with self._silent:
            self._seeded.value = seed is not None
            if seed is not None:
                self._seed.value = seed

    def offer(self, classes: Sequence[str], label: str) -> None:
        """Another model's classes, of which ``label`` is chosen, without asking for a picture."""
        with self._silent, self.class_list.hold_sync():
            self.class_list.options = _class_options(classes)
            self.class_list.value = label

    def offer_styles(self, styles: Sequence[Style]) -> None:
        """The styles of the chosen class; without any the row says so."""
        if isinstance(self._style, int) and self._style >= len(styles):
            self._style = None
        shown = tuple(styles[:MOST_SWATCHES])
        if shown != self._styles:
            self._styles = shown
            self._build_swatches(shown)
        self._show_style()

    def close(self) -> None:
        """Free what stands on the page at times only."""
        for swatch in self._swatches.values():
            free(swatch)

    def _build_swatches(self, shown: Sequence[Style]) -> None:
        self._swatches = {None: button("Usual", self._picking(None), "The most usual style of this class", "eg-usual")}
        for style in shown:
            swatch = button("", self._picking(style.index), f"Style {style.index}: {style.colour}", "eg-swatch")
            swatch.style.button_color = style.colour
            self._swatches[style.index] = swatch
        refill(self._swatch_row, tuple(self._swatches.values()) if shown else ())
        show(self._colour, shown)
        show(self._no_styles, not shown)

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build_class(self, classes: Sequence[str], label: str) -> widgets.Dropdown:
        made = widgets.Dropdown(
            options=_class_options(classes), value=label, description="Draw a", layout={"width": "260px"}
        )
        made.style.description_width = "52px"
        made.observe(self._asked_for_class, "value")
        made.add_class("eg-class")
        return made

    def _build_guess(self) -> widgets.Widget:
        self._show_me = button("Show me", guard(self._on_show, self._say), SHOW, "eg-show-me")
        self._guess = widgets.Checkbox(False, description="Guess what it is", indent=False, disabled=True)
        self._guess.tooltip = NO_GUESS
        self._guess.observe(self._asked_to_guess, "value")
        self._guessed = classed(widgets.HTML(), "eg-status", "eg-guessed")
        return row([self._show_me, self._guess, self._guessed])

    def _build_look(self) -> widgets.Widget:
        self._seeded = widgets.Checkbox(False, description="Seed", indent=False, tooltip="Off: the most likely picture")
        self._seed = widgets.BoundedIntText(0, min=0, max=2**53 - 1, layout=widgets.Layout(width="96px"))
        self._seed.tooltip = "Number of the look"
        self._seed.add_class("eg-seed")
        dice = button(
            "Another look", guard(self._throw, self._say), "The same drawing with a new random seed", "eg-dice"
        )
        self._variations = widgets.Dropdown(
            options=[1, 2, 4, MOST_VARIATIONS], value=1, description="Variations", layout={"width": "150px"}
        )
        self._variations.style.description_width = "70px"
        for control in (self._seeded, self._seed, self._variations):
            control.observe(self._asked, "value")
        show(self._variations, self._several)
        return widgets.VBox([row([dice, self._seeded, self._seed, self._variations]), self._build_closeness()])

    def _build_closeness(self) -> widgets.Widget:
        self._closeness = widgets.FloatSlider(
            0.0, min=0, max=1, step=0.25, description="Closer to my lines", readout=False, continuous_update=False,
            style={"description_width": "118px"}, layout=widgets.Layout(width="250px"),
            tooltip="Left: the picture as the model reads the drawing. Right: moved until its edges meet the lines",
        )  # fmt: skip
        self._closeness.observe(self._asked, "value")
        self._closeness.add_class("eg-closeness")
        return self._closeness

    def _build_style(self) -> widgets.Widget:
        self._swatch_row = widgets.Box([])
        self._swatch_row.add_class("eg-swatches")
        self._colour = widgets.ColorPicker(value="#c02020", concise=False, description="Colour")
        self._colour.style.description_width = "44px"
        self._colour.add_class("eg-colour")
        self._colour.tooltip = "Any colour by name or as #rrggbb: the style that comes nearest, in that colour"
        self._colour.observe(guard(self._pick_colour, self._say), "value")
        self._no_styles = widgets.HTML(NO_STYLES)
        show(self._no_styles, False)
        show(self._colour, False)
        made = widgets.VBox([heading("Style"), self._swatch_row, self._colour, self._no_styles])
        made.add_class("eg-style")
        return made

    # What was asked for ----------------------------------------------------------------------------------------

    def _asked(self, _change: object) -> None:
        if not self._silent:
            guard(self._on_ask, self._say)()

    def _asked_to_guess(self, change: object) -> None:
        self._guessed.value = ""
        self.class_list.disabled = self.guesses
        self._asked(change)

    def _asked_for_class(self, change: object) -> None:
        if isinstance(self._style, int) and not self._silent:
            self._style = None  # numbers mean other styles in another class; a colour means the same
            self._show_style()
        self._asked(change)

    def _throw(self) -> None:
        self.choose_seed(secrets.randbelow(SEEDS))
        self._on_ask()

    def _picking(self, style: int | None) -> Callable[..., None]:
        return guard(lambda: self._pick(style), self._say)

    def _pick(self, style: int | str | None) -> None:
        self._style = style
        self._show_style()
        self._on_ask()

    def _pick_colour(self) -> None:
        if not self._silent:
            self._pick(_hex(self._colour.value))

    def _show_style(self) -> None:
        for style, swatch in self._swatches.items():
            toggle(swatch, "eg-on", style == self._style)
        coloured = isinstance(self._style, str)
        toggle(self._colour, "eg-on", coloured)
        if coloured:
            with self._silent:
                self._colour.value = self._style


def _hex(colour: str) -> str:
    """A colour's name, #rgb or #rrggbb as #rrggbb."""
    try:
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(colour)[:3])
    except ValueError as error:
        raise ConfigError(f"the colour is {colour!r}; give a name such as red, or #rrggbb.") from error


def _class_options(classes: Sequence[str]) -> list[tuple[str, str]]:
    return [(spoken(name), name) for name in classes]

"""Sliders for how edges are drawn and how a hand distorts them."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.data.look import HAND, Look
from edgegan_widget.panels.widgets import button, guard, row, show
from edgegan_widget.sketch.edges import DETAILS
from edgegan_widget.sketch.sources import names, takes_file

__all__ = ["EdgeLook"]

STRENGTHS = (0.0, 4.0)
SHARES = {  # of the hand, with what each does
    "wobble": "lines bend",
    "gaps": "lines break",
    "thickness": "lines are pressed harder",
    "details": "short inner strokes are left out",
    "proportions": "too wide, too high, leaning",
}


class EdgeLook(widgets.VBox):  # type: ignore[misc]
    """Source of the edges, detail and strength of the hand; what the hand does is folded away.

    Parameters
    ----------
    on_change
        Called when anything has changed.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    source, weights, detail, strength, shares, seed
        The controls; ``shares`` by what the hand does.
    """

    def __init__(self, on_change: Callable[[], None], say: Callable[[Exception | None], None]) -> None:
        self._silent, self._on_change = False, on_change
        self.source = widgets.Dropdown(options=names(), value=Look.source, description="Edges")
        self.weights = widgets.Text(placeholder="latest_net_G.pth", description="Weights", continuous_update=False)
        self.weights.add_class("eg-hidden")
        self.detail = _slider("Detail", Look.detail, DETAILS, "How many inner lines are drawn; 1 as trained on")
        self.strength = _slider("Hand", Look.strength, STRENGTHS, "How much a hand distorts; 0 not at all, 1 usual")
        self.shares = {name: _slider(name.capitalize(), HAND[name], STRENGTHS, SHARES[name]) for name in SHARES}
        self.seed = widgets.BoundedIntText(Look.seed, 0, 2**31 - 1, description="Seed", tooltip="Of the hand's chance")
        changed = guard(self._changed, say)
        for field in (self.source, self.weights, *self._numbers):
            field.observe(changed, "value")
        back = button("As at first", guard(self.reset, say), "Put all sliders back", "eg-back")
        inner = row([*self.shares.values(), self.seed, back])
        folded = widgets.Accordion([inner], titles=("What the hand does",), selected_index=None)
        folded.add_class("eg-folded")
        super().__init__([row([self.source, self.weights, self.detail, self.strength]), folded])
        self.add_class("eg-look")

    @property
    def look(self) -> Look:
        """What is set.

        Raises
        ------
        ConfigError
            PhotoSketch is chosen and the file of its weights is not named.
        """
        source = str(self.source.value)
        if takes_file(source):
            weights = self.weights.value.strip()
            if not weights:
                raise ConfigError("PhotoSketch needs its weights; name the file latest_net_G.pth from its authors.")
            source = f"{source}={weights}"
        shares = tuple(float(slider.value) for slider in self.shares.values())
        return Look(source, float(self.detail.value), float(self.strength.value), shares, int(self.seed.value))

    def reset(self) -> None:
        """Put everything back; told as one change."""
        self._silent = True
        try:
            self.source.value = Look.source
            for field, value in zip(self._numbers, (Look.detail, Look.strength, *HAND.values(), Look.seed)):
                field.value = value
        finally:
            self._silent = False
        self._changed()

    @property
    def _numbers(self) -> list[widgets.Widget]:
        return [self.detail, self.strength, *self.shares.values(), self.seed]

    def _changed(self) -> None:
        asks = takes_file(self.source.value)
        show(self.weights, asks)
        if not self._silent and not (asks and not self.weights.value.strip()):
            self._on_change()


def _slider(label: str, value: float, ends: tuple[float, float], tooltip: str) -> widgets.FloatSlider:
    made = widgets.FloatSlider(
        value, min=ends[0], max=ends[1], step=0.1, description=label, readout_format=".1f", tooltip=tooltip
    )
    made.add_class(f"eg-set-{label.lower()}")
    return made

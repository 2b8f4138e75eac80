"""Training a model from new: settings on one side, the run on the other."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.panels.forms import SettingsForm, hint
from edgegan_widget.panels.training.data_choice import DataChoice
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.panels.training.starting import StartPanel
from edgegan_widget.panels.widgets import classed, guard, show
from edgegan_widget.training.config import DEFAULT_PRESET, TrainConfig
from edgegan_widget.training.kinds import presets

__all__ = ["TrainPanel"]

NOT_HERE = {  # asked for in other words, or of no use without a model to start from
    "preset", "data", "out", "classes", "start_from", "trains", "new_classes", "critic_warmup_steps", "drawings",
    "sketches",
}  # fmt: skip


class TrainPanel(StartPanel):
    """Choose data and recipe, start, and watch: a widget for a notebook cell, and a tab of the dashboard.

    Parameters
    ----------
    root
        Folder of the runs.
    device
        ``auto``, ``cpu`` or ``cuda``, as the form's first choice.
    on_use
        Called with the path of a model to draw with.

    Examples
    --------
    >>> TrainPanel("runs")  # in a notebook cell  # doctest: +SKIP
    """

    def __init__(
        self, root: Path | str = "runs", device: str = "auto", on_use: Callable[[Path], None] | None = None
    ) -> None:
        words = ("Train a model from new", "Start training", DEFAULT_PRESET)
        super().__init__(root, on_use, words, lambda config: not (config and config.start_from))
        self._form["device"].value = device

    @property
    def config(self) -> TrainConfig:
        """The settings as they stand in the form."""
        return TrainConfig.from_preset(
            self._stem,
            **self._form.values,
            data=self._data.data,
            classes=self._data.chosen,
            sketches=self._people.folders if self._learns_from_people else (),
            out=str(self._name.folder),
        )

    @property
    def _learns_from_people(self) -> bool:
        return TrainConfig.from_preset(self._stem).reads("sketches")

    @property
    def _stem(self) -> str:
        return str(self._preset.value)

    def use_data(self, data: Path) -> None:
        """Put a data folder in the form."""
        self._data.data = str(data)

    def _build(self) -> list[widgets.Widget]:
        first = TrainConfig.from_preset(DEFAULT_PRESET)
        offered = [name for name, (kind, _) in presets().items() if kind.from_scratch]
        self._preset = widgets.Dropdown(options=offered, value=DEFAULT_PRESET, description="Preset")
        self._preset.observe(guard(self._follow_preset, self.complain), "value")
        self._note = hint(presets()[DEFAULT_PRESET][1].note)
        self._data = DataChoice(self.complain, on_change=lambda: self._people.look())
        self._people = PeopleChoice(lambda: self._data.ticked, self.complain)
        self._form = SettingsForm([name for name in first.__dataclass_fields__ if name not in NOT_HERE], first)
        preset = classed(widgets.VBox([classed(self._preset, "eg-preset"), self._note]), "eg-field")
        return [self._data, preset, self._people, self._named, self._form]

    def _follow_preset(self) -> None:
        device, seed = self._form["device"].value, self._form["seed"].value
        self._form.show(TrainConfig.from_preset(self._stem))
        self._form["device"].value, self._form["seed"].value = device, seed  # the machine's and the person's own
        self._note.value = html.escape(presets()[self._stem][1].note)
        show(self._people, self._learns_from_people)
        self._name.propose(self._stem)

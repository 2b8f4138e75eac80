"""Training a model from new: settings on one side, the run on the other."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.panels.forms import SettingsForm, hint, labelled
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_parts import RunName, columns, start_row
from edgegan_widget.panels.training.data_choice import DataChoice
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.panels.widgets import button, guard, heading, show, toggle
from edgegan_widget.training.config import DEFAULT_PRESET, TrainConfig
from edgegan_widget.training.kinds import presets
from edgegan_widget.training.runs import start_run

__all__ = ["TrainPanel"]

NOT_HERE = {  # asked for in other words, or of no use without a model to start from
    "preset", "data", "out", "classes", "start_from", "trains", "new_classes", "critic_warmup_steps", "drawings",
    "sketches",
}  # fmt: skip


class TrainPanel(Panel):
    """Choose data and recipe, start, and watch: a widget for a notebook cell, and a tab of the dashboard.

    Training runs in a process of its own and goes on when the page is closed; the panel finds it again.

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
        super().__init__()
        self.add_class("eg-training")
        self._root = Path(root)
        form = self._build_form(device)
        self.view = RunView(
            self._root,
            on_use=on_use,
            lists=lambda config: not (config and config.start_from),
            on_look=self._allow_start,
        )
        self.children = [columns(form, self.view)]

    @property
    def config(self) -> TrainConfig:
        """The settings as they stand in the form.

        Raises
        ------
        EdgeGANError
            Something is missing or out of its range.
        """
        return TrainConfig.from_preset(
            str(self._preset.value),
            **self._form.values,
            data=self._data.data,
            classes=self._data.chosen,
            sketches=self._people.folders if self._learns_from_people else (),
            out=str(self._name.folder),
        )

    @property
    def _learns_from_people(self) -> bool:
        return TrainConfig.from_preset(str(self._preset.value)).reads("sketches")

    def use_data(self, data: Path) -> None:
        """Put a data folder in the form."""
        self._data.data = str(data)

    def start(self) -> None:
        """Start a run with these settings."""
        self._start.disabled = True  # a second click must not start a second run
        try:
            run = start_run(self.config)
        except Exception:
            self._start.disabled = False
            raise
        self.complain(None)
        self._name.propose(str(self._preset.value))
        self.view.attach(run)

    def close(self) -> None:
        """Take the panel off the page; a run goes on."""
        view = getattr(self, "view", None)
        if view is not None:
            view.close()
        super().close()

    def _build_form(self, device: str) -> widgets.Widget:
        first = TrainConfig.from_preset(DEFAULT_PRESET)
        offered = [name for name, (kind, _) in presets().items() if kind.from_scratch]
        self._preset = widgets.Dropdown(options=offered, value=DEFAULT_PRESET, description="Preset")
        self._preset.add_class("eg-preset")
        self._preset.observe(guard(self._follow_preset, self.complain), "value")
        self._note = hint(presets()[DEFAULT_PRESET][1].note)
        self._data = DataChoice(self.complain, on_change=lambda: self._people.look())
        self._people = PeopleChoice(lambda: self._data.ticked, self.complain)
        self._name = RunName(self._root, DEFAULT_PRESET)
        self._form = SettingsForm([name for name in first.__dataclass_fields__ if name not in NOT_HERE], first)
        self._form["device"].value = device
        self._start = button("Start training", guard(self.start, self.complain), "Train in the background", "eg-start")
        preset = widgets.VBox([self._preset, self._note])
        preset.add_class("eg-field")
        parts = [
            heading("Train a model from new"),
            self._data,
            preset,
            self._people,
            labelled(self._name, f"a folder in {self._root}"),
        ]
        return widgets.VBox([*parts, self._form, start_row(self.error_line, self._start)])

    def _follow_preset(self) -> None:
        name = str(self._preset.value)
        device, seed = self._form["device"].value, self._form["seed"].value
        self._form.show(TrainConfig.from_preset(name))
        self._form["device"].value, self._form["seed"].value = device, seed  # the machine's and the person's own
        self._note.value = html.escape(presets()[name][1].note)
        show(self._people, self._learns_from_people)
        self._name.propose(name)

    def _allow_start(self, active: bool) -> None:
        self._start.disabled = active
        self._start.description = "A run is at work" if active else "Start training"
        toggle(self, "eg-at-work", active)

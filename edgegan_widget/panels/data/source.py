"""Where pictures come from and how they are prepared: a form made from what each reader asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.plan import Plan
from edgegan_widget.data.readers import kinds
from edgegan_widget.data.sources import Making
from edgegan_widget.panels.folders import browsable
from edgegan_widget.panels.forms import SettingsForm, hint
from edgegan_widget.panels.widgets import classed, free, guard, show

__all__ = ["READY", "DataSource"]

PHOTOS = "folder"  # the reader of plain folders
READY = ""  # the way of a folder that is there already
_READY_NOTE = "A folder with train/<class>/*.png. No photos at hand? Press “Prepare the sample set”."


class DataSource(widgets.VBox):  # type: ignore[misc]
    """The way, its questions, the data folder, and folded away how cut-outs are made and judged.

    Parameters
    ----------
    on_change
        Called when another way or data folder is chosen.
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    way_choice, folder_field
        The controls of way and data folder; those of settings are got by their names, as in ``source["count"]``.
    """

    def __init__(self, on_change: Callable[[], None], say: Callable[[Exception | None], None]) -> None:
        self._on_change, self._silent = on_change, False
        ways = [("Prepared folder", READY), *((kind.title, name) for name, kind in kinds().items())]
        self.way_choice = widgets.Dropdown(options=ways, value=READY, description="Pictures from")
        self.way_choice.add_class("eg-way")
        self._answers = {
            name: SettingsForm([field.name for field in dataclasses.fields(kind.options)], kind.options(), say)
            for name, kind in kinds().items()
        }
        self._asked = widgets.VBox([])
        self._asked.add_class("eg-form")
        self.folder_field = widgets.Text(description="Data folder", placeholder="folder", continuous_update=False)
        self.folder_field.add_class("eg-data-folder")
        self._note = hint(_READY_NOTE)
        self._proposed = ""
        named = classed(widgets.VBox([browsable(self.folder_field, say), self._note]), "eg-field")
        super().__init__([self.way_choice, self._asked, named, self._build_options()])
        self.add_class("eg-form")
        self.way_choice.observe(guard(self._follow_way, say), "value")
        self.folder_field.observe(guard(self._changed, say), "value")
        self._show_way()

    def close(self) -> None:
        """Take it off the page, with the questions of all ways, of which one is shown at a time."""
        super().close()
        for form in getattr(self, "_answers", {}).values():
            free(form)

    @property
    def way(self) -> str:
        """A reader by name (:mod:`edgegan_widget.data.readers`), or :data:`READY`."""
        return str(self.way_choice.value)

    @property
    def folder(self) -> Path | None:
        """The data folder; None as long as none is named."""
        named = str(self.folder_field.value).strip()
        return Path(named).expanduser() if named else None

    def __getitem__(self, name: str) -> widgets.Widget:
        """The control of a setting: of what the way asks for, or how cut-outs are made and judged."""
        asked = [] if self.way == READY else [self._answers[self.way]]
        for form in (*asked, self._cutting, self._judging, self._thresholds):
            if name in form.values:
                return form[name]
        raise KeyError(name)

    @property
    def plan(self) -> Plan:
        """What is to be prepared.

        Raises
        ------
        ConfigError
            A number is out of its range, an answer is missing, or there is nothing to prepare.
        """
        if self.way == READY:
            raise ConfigError("a prepared folder needs no preparing; choose where pictures come from.")
        options = Options(Making(**self._cutting.values), self.judging)
        plan = Plan(self.way, self._answers[self.way].values, str(self.folder or ""), options)
        plan.check()
        return plan

    @property
    def judging(self) -> Judging:
        """What is refused, and the share to validate on."""
        return Judging(Thresholds(**self._thresholds.values), **self._judging.values)

    def show_folder(self, folder: Path) -> None:
        """Name a data folder, as if it was typed."""
        self.folder_field.value = str(folder)

    def show_sample(self, way: str, folder: Path) -> None:
        """Choose a way that needs no answers, and name the folder to fill."""
        self.way_choice.value = way
        self.folder_field.value = str(folder)

    def show_photos(self, folder: Path) -> None:
        """Name a folder of photos to prepare, and a data folder of the same name."""
        self.way_choice.value = PHOTOS
        self["folder"].value = str(folder)
        self.folder_field.value = str(Path("data", folder.name))

    def show_judging(self, judging: Judging) -> None:
        """Show what a folder was judged by."""
        self._thresholds.show(judging.thresholds)
        self._judging.show(judging)

    def show_plan(self, plan: Plan) -> None:
        """Show a plan that was begun earlier."""
        self._silent = True
        try:
            self.way_choice.value, self.folder_field.value = plan.way, plan.out
            self._answers[plan.way].show(plan.told())
            self._cutting.show(plan.options.making)
            self.show_judging(plan.options.judging)
        finally:
            self._silent = False

    def _build_options(self) -> widgets.Widget:
        self._cutting = SettingsForm(("size_px", "margin"), Making())
        self._judging = SettingsForm(("val_share", "keep_refused"), Judging())
        self._thresholds = SettingsForm([each.name for each in dataclasses.fields(Thresholds)], Thresholds())
        rows = [self._cutting, self._judging, self._thresholds]
        folded = widgets.Accordion([widgets.VBox(rows)], titles=("Cut-outs and audit",), selected_index=None)
        folded.add_class("eg-folded")
        return folded

    def _follow_way(self) -> None:
        self._show_way()
        if self._silent:
            return
        self._propose()
        self._judging["keep_refused"].value = self.way != READY and kinds()[self.way].keeps_refused
        self._on_change()

    def _propose(self) -> None:
        """A data folder of the way's name, unless another was typed."""
        if str(self.folder_field.value).strip() in ("", self._proposed):
            self._proposed = "" if self.way == READY else str(Path("data", self.way))
            self._silent = True
            self.folder_field.value = self._proposed
            self._silent = False

    def _show_way(self) -> None:
        ready = self.way == READY
        self._asked.children = [] if ready else [self._answers[self.way]]
        show(self._asked, not ready)
        show(self._cutting, not ready)
        self._note.value = _READY_NOTE.replace("<", "&lt;") if ready else "made if it is not there; it may hold others"

    def _changed(self) -> None:
        if not self._silent:
            self._on_change()

"""Where pictures come from and how they are prepared: a form made from what each reader asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.data.audit.judging import Judging
from edgegan_widget.data.audit.rules import Thresholds
from edgegan_widget.data.build import Options
from edgegan_widget.data.plan import Plan
from edgegan_widget.data.sources import Making
from edgegan_widget.data.ways import WAYS, Question
from edgegan_widget.panels.forms import hint, labelled
from edgegan_widget.panels.widgets import guard

__all__ = ["READY", "DataSource"]

READY = ""  # the way of a folder that is there already
_READY_NOTE = "A folder with train/<class>/*.png. No photos at hand? Choose the synthetic sample."


class DataSource(widgets.VBox):  # type: ignore[misc]
    """The way, its questions, the data folder, and folded away how cut-outs are made and judged.

    Parameters
    ----------
    on_change
        Called when another way or data folder is chosen.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_change: Callable[[], None], say: Callable[[Exception | None], None]) -> None:
        self._on_change, self._silent = on_change, False
        ways = [("Prepared folder", READY), *((way.title, name) for name, way in WAYS.items())]
        self._way = widgets.Dropdown(options=ways, value=READY, description="Pictures from")
        self._way.add_class("eg-way")
        self._answers = {
            name: {key: _input(question) for key, question in way.questions.items()} for name, way in WAYS.items()
        }
        self._asked = widgets.VBox([])
        self._asked.add_class("eg-form")
        self._folder = widgets.Text(description="Data folder", placeholder="folder", continuous_update=False)
        self._folder.add_class("eg-data-folder")
        self._note = hint(_READY_NOTE)
        self._proposed = ""
        super().__init__([self._way, self._asked, widgets.VBox([self._folder, self._note]), self._build_options()])
        self.children[2].add_class("eg-field")
        self.add_class("eg-form")
        self._way.observe(guard(self._follow_way, say), "value")
        self._folder.observe(guard(self._changed, say), "value")
        self._show_way()

    @property
    def way(self) -> str:
        """One of :data:`~edgegan_widget.data.ways.WAYS`, or :data:`READY`."""
        return str(self._way.value)

    @property
    def folder(self) -> Path | None:
        """The data folder; None as long as none is named."""
        named = str(self._folder.value).strip()
        return Path(named).expanduser() if named else None

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
        answers = {name: field.value for name, field in self._answers[self.way].items()}
        judging, making = self.judging, Making(int(self._size.value), float(self._margin.value))
        options = Options(making, judging.val_share, judging.thresholds, judging.keep_refused)
        plan = Plan(self.way, answers, str(self.folder or ""), options)
        plan.check()
        return plan

    @property
    def judging(self) -> Judging:
        """What is refused, and the share to validate on."""
        thresholds = Thresholds(**{name: float(field.value) for name, field in self._thresholds.items()})
        return Judging(thresholds, float(self._val_share.value), bool(self._keep.value))

    def show_folder(self, folder: Path) -> None:
        """Name a data folder, as if it was typed."""
        self._folder.value = str(folder)

    def show_judging(self, judging: Judging) -> None:
        """Show what a folder was judged by."""
        for name, field in self._thresholds.items():
            field.value = getattr(judging.thresholds, name)
        self._val_share.value, self._keep.value = judging.val_share, judging.keep_refused

    def show_plan(self, plan: Plan) -> None:
        """Show a plan that was begun earlier."""
        self._silent = True
        try:
            self._way.value, self._folder.value = plan.way, plan.out
            for name, field in self._answers[plan.way].items():
                field.value = plan.answers.get(name, field.value)
            self._size.value, self._margin.value = plan.options.making.size_px, plan.options.making.margin
            options = plan.options
            self.show_judging(Judging(options.thresholds, options.val_share, options.keep_refused))
        finally:
            self._silent = False

    def _build_options(self) -> widgets.Widget:
        making, judging = Making(), Judging()
        self._size = widgets.IntText(making.size_px, description="Size (px)")
        self._margin = widgets.FloatText(making.margin, description="Margin", step=0.01)
        self._val_share = widgets.FloatText(judging.val_share, description="To validate on", step=0.05)
        self._keep = widgets.Checkbox(False, description="Train on what the audit refuses too", indent=False)
        self._thresholds = {
            each.name: widgets.FloatText(each.default, description=_words(each.name))
            for each in dataclasses.fields(Thresholds)
        }
        self._cutting = widgets.VBox(
            [
                labelled(self._size, "side of the cut-outs, 16 to 2048; another makes them anew"),
                labelled(self._margin, "share of the side that stays free, 0 to 0.4"),
            ]
        )
        meanings = {each.name: str(each.metadata["meaning"]) for each in dataclasses.fields(Thresholds)}
        rows = [
            self._cutting,
            labelled(self._val_share, "share of the source pictures, 0 to below 1"),
            labelled(self._keep, "what the audit finds is marked and stays; what you refuse is set aside"),
            *(labelled(field, meanings[name]) for name, field in self._thresholds.items()),
        ]
        folded = widgets.Accordion([widgets.VBox(rows)], titles=("Cut-outs and audit",), selected_index=None)
        folded.add_class("eg-folded")
        return folded

    def _follow_way(self) -> None:
        self._show_way()
        if self._silent:
            return
        self._propose()
        self._keep.value = self.way == "synthetic"  # made to be tried with: what would be refused is marked, and kept
        self._on_change()

    def _propose(self) -> None:
        """A data folder of the way's name, unless another was typed."""
        if str(self._folder.value).strip() in ("", self._proposed):
            self._proposed = "" if self.way == READY else str(Path("data", WAYS[self.way].part))
            self._silent = True
            self._folder.value = self._proposed
            self._silent = False

    def _show_way(self) -> None:
        ready = self.way == READY
        questions = {} if ready else WAYS[self.way].questions
        self._asked.children = [
            labelled(self._answers[self.way][name], question.meaning) for name, question in questions.items()
        ]
        (self._asked.add_class if ready else self._asked.remove_class)("eg-hidden")
        (self._cutting.add_class if ready else self._cutting.remove_class)("eg-hidden")
        self._note.value = _READY_NOTE.replace("<", "&lt;") if ready else "made if it is not there; it may hold others"

    def _changed(self) -> None:
        if not self._silent:
            self._on_change()


def _input(question: Question) -> widgets.Widget:
    kinds = {bool: widgets.Checkbox, int: widgets.IntText, str: widgets.Text}
    made = kinds[type(question.default)](value=question.default, description=question.label)
    if isinstance(made, widgets.Checkbox):
        made.indent = False
    made.add_class(f"eg-ask-{question.label.split()[0].lower()}")
    return made


def _words(name: str) -> str:
    return name.removesuffix("_px").removesuffix("_bits").capitalize() + (
        " (px)" if name.endswith("_px") else " (bits)" if name.endswith("_bits") else ""
    )

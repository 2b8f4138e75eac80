"""Data to train on: from photos to a folder, looked through and decided about, and on to training."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import DataError
from edgegan_widget.data.audit.rules import load_judging
from edgegan_widget.data.catalog import Catalog
from edgegan_widget.data.plan import Plan, Step, follow, follow_audit, load_plan
from edgegan_widget.panels.data.contact_sheet import ContactSheet
from edgegan_widget.panels.data.counts import DataCounts
from edgegan_widget.panels.data.preparation import Preparation
from edgegan_widget.panels.data.source import READY, DataSource
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_parts import columns, start_row
from edgegan_widget.panels.widgets import button, guard, heading, show

__all__ = ["DataPanel"]

_WELCOME = """<ol><li>Choose where pictures come from, or a folder that is prepared already.</li>
<li>Each object is cut out onto white and audited: what would spoil training is set aside, nothing is deleted.</li>
<li>Look through them here, with their edges and the edges as a hand draws them, and overrule the audit.</li>
<li>Train on the rest.</li></ol>"""


class DataPanel(Panel):
    """Prepare photos, look through them with their edges, accept and refuse, and train on the rest.

    A widget for a notebook cell, and a tab of the dashboard. The preparation runs beside the page and ends with it;
    what was made stays, and the same folder goes on from there when it is opened again.

    Parameters
    ----------
    data
        Data folder to open.
    on_train
        Called with the folder to train on; without it the line of code and the command for that are shown.

    Examples
    --------
    >>> DataPanel("my_objects")  # in a notebook cell  # doctest: +SKIP
    """

    def __init__(self, data: Path | str = "", on_train: Callable[[Path], None] | None = None) -> None:
        super().__init__()
        self.add_class("eg-training")
        self._on_train = on_train
        self._catalog: Catalog | None = None
        self._opener: NewestWins[Path, Catalog] = NewestWins(Catalog, self._opened, self._not_opened)
        self._source = DataSource(self._look, self.complain)
        self._counts = DataCounts()
        self._work = Preparation(self._ended, self.complain)
        self._sheet = ContactSheet(self.apply, self.complain)
        self._empty = widgets.HTML(_WELCOME)
        self._empty.add_class("eg-welcome")
        self._said = widgets.HTML()
        self._said.add_class("eg-status")
        hello = button("", guard(self._greet, self.complain), "", "eg-hello")  # pressed by the browser's side, once
        hello.add_class("eg-hidden")
        live = widgets.VBox([hello, self._work, self._empty, self._sheet])
        live.add_class("eg-run")
        self.children = [columns(self._build_form(), live)]
        self._show(None)
        if str(data):
            self._source.show_folder(Path(data))

    @property
    def catalog(self) -> Catalog | None:
        """The folder that is open, or None."""
        return self._catalog

    @property
    def active(self) -> bool:
        """Whether something is being prepared or judged."""
        return self._work.active

    @property
    def plan(self) -> Plan:
        """What the form says.

        Raises
        ------
        ConfigError
            Something is missing or out of its range.
        """
        return self._source.plan

    def prepare(self) -> None:
        """Prepare what the form says; begun before, it goes on."""
        self._begin(follow(self.plan))

    def audit(self) -> None:
        """Judge the open folder by the form's thresholds; moves nothing."""
        self._begin(follow_audit(self._folder(), self._source.judging, move=False))

    def apply(self) -> None:
        """Move the open folder's files as the audit and the decisions say; deletes nothing."""
        folder, kept = self._folder(), load_judging(self._folder())
        if self._catalog is not None and not self._catalog.audited:  # only what a person said was seen so far
            kept = dataclasses.replace(kept, keep_refused=True)
        self._begin(follow_audit(folder, kept, move=True))

    def stop(self) -> None:
        """Stop preparing after what is at hand; what was made stays."""
        self._work.stop()

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until nothing is prepared, opened or drawn; False where that took longer."""
        parts = (self._work.wait, self._opener.wait_idle, self._sheet.wait)
        return all(part(timeout_seconds) for part in parts)

    def train(self) -> None:
        """Hand the open folder on to training."""
        folder = self._folder()
        if self._on_train is not None:
            self._on_train(folder)
            return
        code = f'TrainConfig.from_preset("projected", data={str(folder)!r}, out="runs/first")'
        self._said.value = (
            f"In code: <code>launch({html.escape(code)}).panel</code><br>"
            f"or: <code>edgegan-widget train {html.escape(str(folder))} --out runs/first</code>"
        )

    def close(self) -> None:
        """Stop what is prepared, end the workers and take the panel off the page."""
        for name in ("_work", "_opener", "_sheet"):
            part = getattr(self, name, None)  # also called on a widget whose making failed
            if isinstance(part, Preparation):
                part.stop()
            elif part is not None:
                part.close()
        super().close()

    # What is open and what is done -----------------------------------------------------------------------------

    def _folder(self) -> Path:
        if self._catalog is None:
            raise DataError("no data folder is open; prepare one, or name one that is there.")
        return self._catalog.data

    def _look(self) -> None:
        """Another way or folder is named: open it where there is something to open."""
        self.complain(None)
        folder = self._source.folder
        begun = None if folder is None else load_plan(folder)
        if begun is not None and self._source.way == READY:
            self._source.show_plan(begun)
        if not self._work.active:
            self._work.note("This folder was begun and is not done; it goes on from there." if begun else "", "stopped")
        if folder is not None and (self._source.way == READY or (folder / "train").is_dir()):
            self._opener.submit(folder)
        else:
            self._opener.cancel()
            self._show(None)

    def _opened(self, catalog: Catalog) -> None:
        """In the worker: a folder was read."""
        before = self._catalog
        if before is None or before.data != catalog.data or not before.audited:
            self._source.show_judging(load_judging(catalog.data))
        self._show(catalog)

    def _not_opened(self, error: Exception) -> None:
        self._show(None)
        if not self._work.active and self._source.way == READY:
            self.complain(error)

    def _begin(self, steps: Iterator[Step]) -> None:
        self.complain(None)
        self._sheet.allow(False)  # the list of decisions is written anew at the end
        if not self._work.start(steps):
            raise DataError("something is being prepared already; wait for it, or stop it.")
        self._show_buttons()

    def _ended(self, error: Exception | None) -> None:
        """In the worker: it is over, or was stopped."""
        if error is not None:
            self.complain(error)
        self._sheet.allow(True)
        folder = self._source.folder
        if folder is not None and folder.is_dir() and (error is None or self._catalog is not None):
            self._opener.submit(folder)
        self._show_buttons()

    def _main(self) -> None:
        """The large button: what it does follows from what is chosen and open."""
        if self._source.way != READY:
            self.prepare()
        elif self._catalog is not None:
            self.audit()
        else:
            self._look()
            self._folder_named()

    def _folder_named(self) -> None:
        if self._source.folder is None:
            raise DataError("no data folder is named; name one, or choose where pictures come from.")

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build_form(self) -> widgets.Widget:
        self._start = button("", guard(self._main, self.complain), "", "eg-start")
        self._train_button = button(
            "Train on this", guard(self.train, self.complain), "Open the form to train with this folder", "eg-train-on"
        )
        parts = [heading("From photos to data to train on"), self._source, self._counts, self._train_button, self._said]
        return widgets.VBox([*parts, start_row(self.error_line, self._start)])

    def _greet(self) -> None:
        """The page is there: tell it again what was drawn while it was being built, as it may have missed that."""
        for widget in _below(self.children[0]):
            widget.send_state()

    def _show(self, catalog: Catalog | None) -> None:
        """Show a folder, or that none is open."""
        self._catalog = catalog
        self._said.value = ""
        self._counts.show([] if catalog is None else catalog.counts())
        show(self._empty, catalog is None)
        show(self._train_button, catalog is not None)
        self._sheet.show(catalog)
        self._show_buttons()

    def _show_buttons(self) -> None:
        active, folder = self._work.active, self._source.folder
        self._start.disabled = self._train_button.disabled = active
        if active:
            text, tip = "At work", "Stop stands beside the progress"
        elif self._source.way != READY:
            begun = folder is not None and load_plan(folder) is not None
            text, tip = ("Resume" if begun else "Prepare"), "What was made before is not made again"
        elif self._catalog is None:
            text, tip = "Open folder", "Look through it"
        else:
            text = "Audit again" if self._catalog.audited else "Audit this folder"
            tip = "Judge by the limits under “Cut-outs and audit”; moves nothing"
        self._start.description, self._start.tooltip = text, tip


def _below(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """The widget and all in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _below(child)

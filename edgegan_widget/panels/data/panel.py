"""Data to train on: from photos to a folder, looked through and decided about, and on to training."""

from __future__ import annotations

import dataclasses
import html
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import DataError
from edgegan_widget.data.audit.rules import load_judging
from edgegan_widget.data.catalog import Catalog
from edgegan_widget.data.preparing.plan import Audit, Plan, load_plan, prepared_by
from edgegan_widget.data.readers.photos import MASKS, PhotoOptions
from edgegan_widget.panels.data.contact_sheet import ContactSheet
from edgegan_widget.panels.data.counts import DataCounts
from edgegan_widget.panels.data.mask_desk import MaskDesk
from edgegan_widget.panels.data.preparation import Preparation
from edgegan_widget.panels.data.source import READY, DataSource
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_parts import columns, start_row
from edgegan_widget.panels.uploads import Uploads
from edgegan_widget.panels.widgets import button, guard, heading, show, toggle

__all__ = ["DataPanel"]

SAMPLE, SAMPLE_FOLDER = "synthetic", Path("data", "sample")
UPLOADS = Path("uploads")

_WELCOME = """<ol><li>Drop photos, choose where pictures come from, or open a folder that is prepared already.</li>
<li>Each object is cut out onto white and audited: what would spoil training is set aside, nothing is deleted.</li>
<li>Look through them here, with their edges and the edges as a hand draws them, and overrule the audit.</li>
<li>Train on the rest.</li></ol>"""


class DataPanel(Panel):
    """Prepare photos, look through them with their edges, accept and refuse, and train on the rest.

    A widget for a notebook cell, and a tab of the dashboard. The preparation is a process of its own and goes on when
    the page is closed; the panel finds it again, with its data folder and what came of it.

    Parameters
    ----------
    data
        Data folder to open; without, that of the latest preparation.
    on_train
        Called with the folder to train on; without it the line of code and the command for that are shown.
    preparations
        Where preparations write down how far they are.

    Attributes
    ----------
    source, uploads, counts, said, start_button, train_button, sample_button, preparation, sheet, masks
        What is on screen, to press and to read.

    Examples
    --------
    >>> DataPanel("my_objects")  # in a notebook cell  # doctest: +SKIP
    """

    def __init__(
        self,
        data: Path | str = "",
        on_train: Callable[[Path], None] | None = None,
        preparations: str | os.PathLike[str] = "preparations",
    ) -> None:
        super().__init__()
        self.add_class("eg-training")
        self._on_train = on_train
        self._catalog: Catalog | None = None
        self._to_do: Plan | None = None  # once what is at work is over
        self._opener: NewestWins[Path, Catalog] = NewestWins(Catalog, self._opened, self._not_opened)
        self.source = DataSource(self._look, self.complain)
        self.uploads = Uploads(UPLOADS, self._uploaded, self.complain)
        self.counts = DataCounts()
        self.preparation = Preparation(Path(preparations), self._work_changed, self.complain)
        self.sheet = ContactSheet(self.apply, self.complain)
        self.masks = MaskDesk(self._mask_saved, self.complain)
        self._empty = widgets.HTML(_WELCOME)
        self._empty.add_class("eg-welcome")
        self.said = widgets.HTML()
        self.said.add_class("eg-status")
        hello = button("", guard(self._greet, self.complain), "", "eg-hello")  # pressed by the browser's side, once
        hello.add_class("eg-hidden")
        self.sample_button = button(
            "Prepare the sample set", guard(self.prepare_sample, self.complain),
            f"Five classes drawn by code, into {SAMPLE_FOLDER}; nothing is fetched", "eg-sample",
        )  # fmt: skip
        live = widgets.VBox([hello, self.preparation, self._empty, self.sample_button, self.sheet, self.masks])
        live.add_class("eg-run")
        self.children = [columns(self._build_form(), live)]
        self._show(None)
        self._begin_with(str(data))
        self.preparation.follow()

    @property
    def catalog(self) -> Catalog | None:
        """The folder that is open, or None."""
        return self._catalog

    @property
    def active(self) -> bool:
        """Whether something is being prepared or judged."""
        return self.preparation.active

    @property
    def plan(self) -> Plan:
        """What the form says.

        Raises
        ------
        ConfigError
            Something is missing or out of its range.
        """
        return self.source.plan

    def prepare(self) -> None:
        """Prepare what the form says; begun before, it goes on."""
        self._begin(self.plan)

    def prepare_sample(self) -> None:
        """Prepare pictures that are drawn by code, to try everything with."""
        self.source.show_sample(SAMPLE, SAMPLE_FOLDER)
        self.prepare()

    def audit(self) -> None:
        """Judge the open folder by the form's thresholds; moves nothing."""
        self._begin(Audit(str(self._folder()), self.source.judging))

    def apply(self) -> None:
        """Move the open folder's files as the audit and the decisions say; deletes nothing."""
        folder, kept = self._folder(), load_judging(self._folder())
        if self._catalog is not None and not self._catalog.audited:  # only what a person said was seen so far
            kept = dataclasses.replace(kept, keep_refused=True)
        self._begin(Audit(str(folder), kept, move=True))

    def stop(self) -> None:
        """Stop preparing after what is at hand; what was made stays."""
        self.preparation.stop()

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until nothing is prepared, opened or drawn; False where that took longer."""
        parts = (self.preparation.wait, self._opener.wait_idle, self.sheet.wait, self.masks.wait)
        return all(part(timeout_seconds) for part in parts)

    def train(self) -> None:
        """Hand the open folder on to training."""
        folder = self._folder()
        if self._on_train is not None:
            self._on_train(folder)
            return
        code = f'TrainConfig.from_preset("projected", data={str(folder)!r}, out="runs/first")'
        self.said.value = (
            f"In code: <code>launch({html.escape(code)}).panel</code><br>"
            f"or: <code>edgegan-widget train {html.escape(str(folder))} --out runs/first</code>"
        )

    def close(self) -> None:
        """End the workers and take the panel off the page; a preparation goes on."""
        for name in ("preparation", "_opener", "sheet", "masks"):
            part = getattr(self, name, None)  # also called on a widget whose making failed
            if part is not None:
                part.close()
        super().close()

    # What is open and what is done -----------------------------------------------------------------------------

    def _folder(self) -> Path:
        if self._catalog is None:
            raise DataError("no data folder is open; prepare one, or name one that is there.")
        return self._catalog.data

    def _begin_with(self, data: str) -> None:
        """Open this folder, or else show what is prepared right now, or was at last."""
        work = None if data else self.preparation.work
        if isinstance(work, Audit):
            data = work.data if Path(work.data).is_dir() else ""
        elif work is not None:
            self.source.show_plan(work)
        if data:
            self.source.show_folder(Path(data))
        else:
            self._look()

    def _look(self) -> None:
        """Another way or folder is named: open it where there is something to open."""
        self.complain(None)
        folder = self.source.folder
        begun = None if folder is None else load_plan(folder)
        if begun is not None and self.source.way == READY:
            self.source.show_plan(begun)
        self.preparation.note(folder, begun is not None)
        if folder is not None and (self.source.way == READY or (folder / "train").is_dir()):
            self._opener.submit(folder)
        else:
            self._opener.cancel()
            self._show(None)

    def _uploaded(self, folder: Path) -> None:
        self.source.show_photos(folder)
        loose = any(path.is_file() for path in folder.iterdir())
        asked = "Say under Class what they show, then press Prepare." if loose else "Press Prepare to cut them out."
        self.said.value = html.escape(f"{self.uploads.told} {asked}")

    def _opened(self, catalog: Catalog) -> None:
        """In the worker: a folder was read."""
        before = self._catalog
        if before is None or before.data != catalog.data or not before.audited:
            self.source.show_judging(load_judging(catalog.data))
        self._show(catalog)

    def _not_opened(self, error: Exception) -> None:
        self._show(None)
        if not self.preparation.active and self.source.way == READY:
            self.complain(error)

    def _begin(self, work: Plan | Audit) -> None:
        self.complain(None)
        self.preparation.start(work)

    def _work_changed(self, active: bool) -> None:
        """Something is at work, or it is over and what came of it is opened."""
        self.sheet.allow(not active)  # the list of decisions is written anew at the end
        folder, to_do = self.source.folder, self._to_do
        if not active and to_do is not None:
            self._to_do = None
            self._begin(to_do)
        elif not active and folder is not None and folder.is_dir():
            self._opener.submit(folder)
        self._show_buttons()

    def _show_masks(self) -> None:
        """The photos whose masks were found here, to be mended."""
        folder = self.source.folder
        plan = None if folder is None else prepared_by(folder)
        options = None if plan is None else plan.told()
        found = isinstance(options, PhotoOptions) and folder is not None and (folder / MASKS).is_dir()
        self.masks.show(options if found else None, folder)

    def _mask_saved(self) -> None:
        """In the worker: make the cut-out anew, now or once the preparation at hand is over."""
        plan = None if self.source.folder is None else prepared_by(self.source.folder)
        if plan is not None and self.preparation.active:
            self._to_do = plan
        elif plan is not None:
            self._begin(plan)

    def _main(self) -> None:
        """The large button: what it does follows from what is chosen and open."""
        if self.source.way != READY:
            self.prepare()
        elif self._catalog is not None:
            self.audit()
        else:
            self._look()
            self._folder_named()

    def _folder_named(self) -> None:
        if self.source.folder is None:
            raise DataError("no data folder is named; name one, or choose where pictures come from.")

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build_form(self) -> widgets.Widget:
        self.start_button = button("", guard(self._main, self.complain), "", "eg-start")
        self.train_button = button(
            "Train on this", guard(self.train, self.complain), "Open the form to train with this folder", "eg-train-on"
        )
        parts = [
            heading("From photos to data to train on"),
            self.source,
            self.uploads,
            self.counts,
            self.train_button,
            self.said,
        ]
        return widgets.VBox([*parts, start_row(self.error_line, self.start_button)])

    def _greet(self) -> None:
        """The page is there: tell it again what was drawn while it was being built, as it may have missed that."""
        for widget in _below(self.children[0]):
            widget.send_state()

    def _show(self, catalog: Catalog | None) -> None:
        """Show a folder, or that none is open."""
        self._catalog = catalog
        self.said.value = ""
        self.counts.show([] if catalog is None else catalog.counts())
        for part in (self._empty, self.sample_button):
            show(part, catalog is None)
        show(self.train_button, catalog is not None)
        self.sheet.show(catalog)
        self._show_masks()
        self._show_buttons()

    def _show_buttons(self) -> None:
        active, folder = self.preparation.active, self.source.folder
        self.start_button.disabled = self.train_button.disabled = self.sample_button.disabled = active
        prepared = self._catalog is not None and not active
        toggle(self.train_button, "eg-main", prepared)  # what to do next has the colour
        toggle(self.start_button, "eg-quiet", prepared)
        if active:
            text, tip = "At work", "Stop stands beside the progress"
        elif self.source.way != READY:
            begun = folder is not None and load_plan(folder) is not None
            text, tip = ("Resume" if begun else "Prepare"), "What was made before is not made again"
        elif self._catalog is None:
            text, tip = "Open folder", "Look through it"
        else:
            text = "Audit again" if self._catalog.audited else "Audit this folder"
            tip = "Judge by the limits under “Cut-outs and audit”; moves nothing"
        self.start_button.description, self.start_button.tooltip = text, tip


def _below(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """The widget and all in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _below(child)

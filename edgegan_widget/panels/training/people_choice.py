"""Choosing people's drawings to train on: folders, and what they hold for the classes of the data."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.settings import about, label_of
from edgegan_widget.base.words import listed, spoken
from edgegan_widget.panels.folders import FolderBrowser
from edgegan_widget.panels.forms import labelled, lines_of
from edgegan_widget.panels.widgets import Say, classed, error_html, guard, show
from edgegan_widget.sketch.sets.folders import PeopleFolder, people_folders
from edgegan_widget.training.config import TrainConfig

__all__ = ["PeopleChoice"]

MOST_NAMED = 24  # folders of no class that are told by name


class PeopleChoice(widgets.VBox):  # type: ignore[misc]
    """Folders of drawings, one a line, with a table of what is trained on and what is kept for testing below.

    Parameters
    ----------
    classes
        Returns the names of the classes that are to be trained on.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, classes: Callable[[], Sequence[str]], say: Say) -> None:
        self._classes = classes
        asked = next(each for each in dataclasses.fields(TrainConfig) if each.name == "sketches")
        self._text = widgets.Textarea(
            description=label_of(asked), rows=3, continuous_update=False,
            placeholder="none; or folders with a sub-folder for each class, one a line",
        )  # fmt: skip
        self._text.add_class("eg-set-sketches")
        self._text.observe(guard(self.look, say), "value")
        self._table = classed(widgets.HTML(), "eg-counts")
        browser = FolderBrowser(self._add, lambda: self.folders[-1] if self.folders else "", say, (".npz",))
        asking = labelled(self._text, about(asked, "meaning"))
        asking.children = (*asking.children, browser.opener, browser)
        super().__init__([asking, self._table])
        self.add_class("eg-people")
        self.look()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders as training needs them; whether they are there is not looked at."""
        return tuple(str(Path(line).expanduser()) for line in lines_of(self._text.value))

    @folders.setter
    def folders(self, folders: Sequence[str]) -> None:
        self._text.value = "\n".join(folders)

    def _add(self, folder: str) -> None:
        """One line more."""
        self._text.value = "\n".join((*lines_of(self._text.value), folder))

    def look(self) -> None:
        """Bring the table up to date with folders and classes."""
        try:
            found = [
                dataclasses.replace(each, name=f"{Path(folder).stem}/{each.name}")
                for folder in self.folders
                for each in people_folders(folder, self._classes())
            ]
            self._table.value = _shown(found, self._classes()) if found else ""
        except EdgeGANError as error:
            self._table.value = f'<div class="eg-status">{error_html(error)}</div>'
        show(self._table, self._table.value)


def _shown(found: Sequence[PeopleFolder], classes: Sequence[str]) -> str:
    if not classes:
        drawings = sum(each.trained_on + each.kept for each in found)
        return f'<p class="eg-note">{drawings:,} drawings; which are of use is told once data is chosen.</p>'
    rows = {name: [each for each in found if each.asked == name] for name in classes}
    without = [spoken(name) for name, folders in rows.items() if not folders]
    unused = [f"{each.name} ({each.trained_on + each.kept})" for each in found if each.asked is None]
    return _table(rows) + _note("No drawings of", without) + _note("Of no class here:", unused)


def _table(rows: dict[str, list[PeopleFolder]]) -> str:
    head = "".join(f"<th>{word}</th>" for word in ("found", "trained on", "kept"))
    body = "".join(_row(name, folders) for name, folders in rows.items() if folders)
    foot = _cells([each for folders in rows.values() for each in folders])
    return (
        f'<div class="eg-count-list"><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot><tr><td>all</td>{foot}</tr></tfoot></table></div>"
    )


def _row(name: str, folders: Sequence[PeopleFolder]) -> str:
    where = html.escape(", ".join(each.name for each in folders))
    return f'<tr><td class="eg-name">{html.escape(spoken(name))}<small>{where}</small></td>{_cells(folders)}</tr>'


def _cells(folders: Sequence[PeopleFolder]) -> str:
    trained_on, kept = sum(each.trained_on for each in folders), sum(each.kept for each in folders)
    return "".join(f"<td>{number:,}</td>" for number in (trained_on + kept, trained_on, kept))


def _note(about: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f'<p class="eg-note">{about} {html.escape(listed(names, MOST_NAMED))}.</p>'

"""Finding a folder by walking to it, wherever one can be typed: below the folder of the command and the home."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling
from edgegan_widget.panels.widgets import Say, Silence, button, classed, guard, row, show

__all__ = ["FolderBrowser", "browsable", "roots"]

MOST_SHOWN = 500  # of one folder
ROWS = 8


def roots() -> tuple[Path, ...]:
    """Where one may walk: the folder that the command was given in, and the home."""
    return tuple(dict.fromkeys((Path.cwd().resolve(), Path.home().resolve())))


def browsable(field: widgets.Text, say: Say, suffixes: tuple[str, ...] = ()) -> widgets.VBox:
    """A field for a path with a button beside it that finds one; what is found is as if it was typed.

    Parameters
    ----------
    field
        Where the path is typed.
    say
        Called with an exception to show, or None.
    suffixes
        Files that may be taken too, by how their names end.
    """

    def take(path: str) -> None:
        field.value = path

    browser = FolderBrowser(take, lambda: str(field.value), say, suffixes)
    beside = classed(widgets.Box([field, browser.opener]), "eg-path")
    return classed(widgets.VBox([beside, browser]), "eg-browsable")


class FolderBrowser(widgets.VBox):  # type: ignore[misc]
    """A list of what is in a folder; a click walks into a folder, or takes a file.

    Parameters
    ----------
    on_take
        Called with the path that was found, relative to the folder of the command where it lies below it.
    typed
        Returns what is typed by now, where the walk begins.
    say
        Called with an exception to show, or None.
    suffixes
        Files that may be taken too, by how their names end.

    Attributes
    ----------
    opener
        The button that opens and closes the list, to stand where the path is typed.
    """

    def __init__(
        self, on_take: Callable[[str], None], typed: Callable[[], str], say: Say, suffixes: tuple[str, ...] = ()
    ) -> None:
        self._on_take, self._typed, self._say, self._suffixes = on_take, typed, say, suffixes
        self._here = roots()[0]
        self._silent = Silence()
        self.opener = button("Browse…", guard(self._toggle, say), "Find it in a list of folders", "eg-browse")
        self._at = widgets.HTML()
        self._list = widgets.Select(options=(), rows=ROWS)
        self._list.observe(guard(self._clicked, say), "value")
        take = button("Take this folder", guard(lambda: self._take(self._here), say), "Name it above", "eg-take-folder")
        close = button("Close", guard(self._close, say), "Leave the field as it is", "eg-close-folders")
        super().__init__([self._at, self._list, row([take, close])])
        classed(self, "eg-folders", "eg-hidden")

    @property
    def here(self) -> Path:
        """The folder whose content is listed."""
        return self._here

    def walk(self, folder: Path) -> None:
        """List a folder.

        Raises
        ------
        DataError
            It is not below one of :func:`roots`, or cannot be read.
        """
        place = folder.expanduser().resolve()
        if not any(place.is_relative_to(root) for root in roots()):
            raise DataError(f"{folder} is in none of {' and '.join(map(str, roots()))}; type such a path instead.")
        with telling(place, "read", "walk into another folder"):
            options = list(self._entries(place))
        self._here = place
        with self._silent:
            self._list.options = options[:MOST_SHOWN]
            self._list.index = None  # a click on the first line too is a change
        more = len(options) - MOST_SHOWN
        told = f" · {more:,} more are not listed; type the path" if more > 0 else ""
        self._at.value = f'<div class="eg-at-folder">{html.escape(_shown(place) + told)}</div>'

    def _entries(self, place: Path) -> Iterator[tuple[str, str]]:
        """Words and path of each line: other roots and the folder above, then folders, then files."""
        if place not in roots():
            yield "↑ the folder above", str(place.parent)
        yield from ((f"→ {_shown(root)}", str(root)) for root in roots() if root not in (place, place.parent))
        found = sorted(entry for entry in place.iterdir() if not entry.name.startswith("."))
        folders = [entry for entry in found if entry.is_dir()]
        yield from ((f"{entry.name}/", str(entry)) for entry in folders)
        files = (entry for entry in found if entry.name.lower().endswith(self._suffixes or ("/",)) and entry.is_file())
        yield from ((entry.name, str(entry)) for entry in files)

    def _toggle(self) -> None:
        if "eg-hidden" not in self._dom_classes:
            self._close()
            return
        self._say(None)
        self.walk(next(self._beginnings()))
        show(self, True)

    def _beginnings(self) -> Iterator[Path]:
        """Folders to begin with: what is typed or the first above it that is there, where one may walk."""
        typed = Path(self._typed().strip()).expanduser().resolve()
        allowed = (each for each in (typed, *typed.parents) if any(each.is_relative_to(root) for root in roots()))
        yield from (each for each in allowed if each.is_dir())
        yield roots()[0]

    def _clicked(self) -> None:
        if self._silent or self._list.value is None:
            return
        chosen = Path(self._list.value)
        if chosen.is_dir():
            self.walk(chosen)
        else:
            self._take(chosen)

    def _take(self, path: Path) -> None:
        self._close()
        self._on_take(str(path.relative_to(roots()[0]) if path.is_relative_to(roots()[0]) else path))

    def _close(self) -> None:
        show(self, False)


def _shown(place: Path) -> str:
    """A folder as it is told, the home as ``~``."""
    home = Path.home().resolve()
    return f"~/{place.relative_to(home)}".removesuffix("/.") if place.is_relative_to(home) else str(place)

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.panels.folders import FolderBrowser, browsable
from tests.screen import choose, find, labels, options, part, said, shown

Told = list[Exception | None]


def nothing_wrong(error: Exception | None) -> None:
    assert error is None


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is given; the home lies beside it."""
    for folder in ("work/data/mugs/train", "work/data/.hidden", "home/photos", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "work" / "data" / "packed.npz").touch()
    (tmp_path / "work" / "data" / "notes.txt").touch()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def listed(root: widgets.Widget) -> widgets.Select:
    (found,) = [widget for widget in shown(root) if isinstance(widget, widgets.Select)]
    return found


def test_a_folder_is_found_by_walking_and_named_as_if_it_was_typed(place: Path) -> None:
    field = widgets.Text(description="Data")
    both = browsable(field, nothing_wrong, (".npz",))
    assert "Take this folder" not in labels(both), "closed at first"
    find(both, "Browse…").click()
    assert options(listed(both)) == ["→ ~", "data/"]
    choose(listed(both), "data")
    assert options(listed(both)) == ["↑ the folder above", "→ ~", "mugs/", "packed.npz"]
    choose(listed(both), "mugs")
    assert field.value == "", "nothing is taken on the way"
    find(both, "Take this folder").click()
    assert field.value == "data/mugs"
    assert "Take this folder" not in labels(both)
    find(both, "Browse…").click()
    assert part(both, FolderBrowser).here == place / "work" / "data" / "mugs", "it begins with what is named"
    choose(listed(both), "↑")
    choose(listed(both), "packed")
    assert field.value == "data/packed.npz", "a file is taken with one click"


def test_the_home_can_be_walked_and_nothing_else(place: Path) -> None:
    told: Told = []
    field = widgets.Text(str(place / "elsewhere"))
    both = browsable(field, told.append)
    browser = part(both, FolderBrowser)
    find(both, "Browse…").click()
    assert browser.here == place / "work", "where one may not walk, it begins with the folder of the command"
    choose(listed(both), "→ ~")
    choose(listed(both), "photos")
    assert "~/photos" in said(both)
    (place / "home" / "out").symlink_to(place / "elsewhere")
    for outside in (place / "elsewhere", place / "home" / ".." / "elsewhere", place / "home" / "out", Path("/")):
        with pytest.raises(DataError, match="is in none of"):
            browser.walk(outside)
    choose(listed(both), "↑")
    choose(listed(both), "out")
    assert "type such a path instead" in str(told[-1])
    assert browser.here == place / "home"
    choose(listed(both), "photos")
    find(both, "Take this folder").click()
    assert field.value == str(place / "home" / "photos")


def test_a_long_folder_says_how_much_is_not_listed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgegan_widget.panels.folders.MOST_SHOWN", 3)
    for number in range(5):
        (place / "work" / f"set{number}").mkdir()
    both = browsable(widgets.Text(), nothing_wrong)
    find(both, "Browse…").click()
    assert len(listed(both).options) == 3
    assert "4 more are not listed" in said(both)

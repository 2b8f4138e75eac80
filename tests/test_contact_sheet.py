"""The contact sheet without a browser: clicks and sliders in, pictures, marks and decisions out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.data.audit.decisions import read_decisions
from edgegan_widget.data.catalog import Catalog, Wanted
from edgegan_widget.panels.data.contact_sheet import ContactSheet
from tests.data_desk import lines, marked, pixels, prepare_sample, tiles, wears
from tests.prepare.test_catalog import write_manifest


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_sample(tmp_path_factory.mktemp("sample") / "data")


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def errors() -> list[Exception]:
    """What the sheet complained of."""
    return []


@pytest.fixture
def sheet(data: Path, errors: list[Exception]) -> Iterator[ContactSheet]:
    made = ContactSheet(lambda: None, lambda error: errors.append(error) if error is not None else None)
    made.show(Catalog(data))
    assert made.wait()
    yield made
    made.close()


def test_clicks_and_keys_move_the_focus(sheet: ContactSheet) -> None:
    tiles(sheet)[5].button.click()
    assert marked(sheet, "eg-focus") == [5]
    *_, left, right, tick = sheet.decisions.children
    right.click()
    assert marked(sheet, "eg-focus") == [6]
    tick.click()
    assert marked(sheet, "eg-chosen") == [6]
    for _ in range(99):
        right.click()
    assert "2 of 2" in sheet.filter.at.value
    assert marked(sheet, "eg-focus") == [len(tiles(sheet)) - 1]
    sheet.filter.back.click()
    left.click()
    assert marked(sheet, "eg-focus") == [0]


def test_several_are_chosen_and_accepted(sheet: ContactSheet, data: Path) -> None:
    sheet.filter.shows.value = "refused"
    bar = sheet.decisions
    for slot in (0, 1):
        tiles(sheet)[slot].tick.click()
    assert marked(sheet, "eg-chosen") == [0, 1]
    assert bar.accept.description == "Accept 2 chosen"
    bar.accept.click()
    assert list(read_decisions(data / "audit.csv").values()) == ["accept", "accept"]
    assert bar.accept.description == "Accept"
    assert "accepted by you" in tiles(sheet)[0].caption.value
    assert re.search(r"\([0-9.]+, limit [0-9.]+\)", tiles(sheet)[0].caption.value)


def test_sliders_change_the_page_or_the_chosen_ones(sheet: ContactSheet) -> None:
    first = lines(sheet)
    sheet.look.source.value = "outline"
    assert sheet.wait()
    second = lines(sheet)
    assert all(before != after for before, after in zip(first, second))
    tiles(sheet)[2].tick.click()
    sheet.look.shares["proportions"].value = 4.0
    assert sheet.wait()
    third = lines(sheet)
    assert [slot for slot in range(len(third)) if second[slot] != third[slot]] == [2]
    left = pixels(third[2])[:, :128]
    assert np.array_equal(left, pixels(second[2])[:, :128]), "the edges are as before, the hand's are not"
    tiles(sheet)[2].tick.click()
    sheet.look.reset()
    assert sheet.wait()
    assert lines(sheet) == first


def test_what_is_overtaken_is_not_drawn(sheet: ContactSheet) -> None:
    """Only the newest look is drawn to its end, and it is drawn whatever came before."""
    for strength in np.arange(0, 4, 0.1):
        sheet.look.strength.value = float(strength)
    sheet.filter.label_choice.value = "fish"
    sheet.look.strength.value = 0.0
    assert sheet.wait()
    assert len(tiles(sheet)) == 4
    for line in lines(sheet):
        assert np.array_equal(pixels(line)[:, :128], pixels(line)[:, 128:]), "strength 0 changes nothing"


def test_pictures_are_shown_larger_and_as_before(sheet: ContactSheet) -> None:
    zoom = sheet.decisions.zoom
    for words, large in (("Smaller", True), ("Larger", False)):
        zoom.click()
        assert zoom.description == words
        assert sheet.large == large


@pytest.mark.parametrize("source", ["photosketch", "photosketch128"])
def test_weights_of_photosketch_are_asked_for(
    sheet: ContactSheet, errors: list[Exception], tmp_path: Path, source: str
) -> None:
    look = sheet.look
    before = lines(sheet)
    look.source.value = source
    assert not wears(look.weights, "eg-hidden")
    look.weights.value = str(tmp_path / "none.pth")
    assert sheet.wait()
    assert "none.pth" in str(errors[-1])
    assert lines(sheet) == before
    look.source.value = "thin"
    assert sheet.wait()
    assert lines(sheet) != before


def test_an_unreadable_picture_is_crossed_out_and_the_rest_is_drawn(
    sheet: ContactSheet, data: Path, errors: list[Exception]
) -> None:
    Catalog(data).pictures([0])[0].path.write_bytes(b"broken")
    sheet.show(Catalog(data))
    assert sheet.wait()
    assert not errors
    assert (pixels(tiles(sheet)[0].picture.value) == 190).any()
    assert len(set(lines(sheet))) > 5


def test_a_folder_of_a_hundred_thousand_shows_one_page(sheet: ContactSheet, tmp_path: Path) -> None:
    write_manifest(tmp_path / "big", [{}] * 100_000, classes=30)
    sheet.show(Catalog(tmp_path / "big"))
    assert sheet.wait()
    assert "of 8,334" in sheet.filter.at.value
    assert len(sheet._seen) == 12
    sheet._do(lambda leafing: leafing.move(99_999))
    assert sheet.wait()
    assert [tile.caption.value.count("kind 9") for tile in tiles(sheet)][-1] == 1
    assert len(sheet._seen) <= 12


def test_the_same_folder_read_anew_keeps_its_place(sheet: ContactSheet, data: Path) -> None:
    sheet.filter.label_choice.value = "snail"
    tiles(sheet)[2].button.click()
    sheet.show(Catalog(data))
    assert sheet.filter.label_choice.value == "snail"
    assert marked(sheet, "eg-focus") == [2]
    sheet.show(None)
    assert wears(sheet, "eg-hidden")
    sheet.decisions.accept.click()
    assert not Catalog(data).find(Wanted("accept")).size

"""The Data tab on the page: the sample is made, looked through by keys, decided about, and handed on to training."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgegan_widget.data.audit.decisions import read_decisions
from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.jobs import find_preparations
from edgegan_widget.data.preparing.plan import Plan, follow
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.photos import MASKS, is_mended
from edgegan_widget.data.sources import Making
from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import Desk
from tests.photo.drawn import photo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the command is given; data is made below it, and nothing is left at work."""
    made = tmp_path_factory.mktemp("folder")
    yield made
    for each in find_preparations(made / "preparations"):
        each.stop()


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[DashboardServer]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        with DashboardServer(device="cpu", preheat=False) as started:
            yield started
    finally:
        os.chdir(before)


@pytest.fixture
def curator_at(browser: Any, server: DashboardServer) -> Iterator[Callable[..., Curator]]:
    contexts = []

    def make(query: str = "", **options: Any) -> Curator:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)))
        return Curator(Desk(contexts[-1].new_page()).open(server.url + query))

    yield make
    for context in contexts:
        context.close()


class Curator:
    """What a person does and sees on the Data tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page
        self.page.get_by_role("tab", name="Data").click()
        self.page.locator(".eg-way select").wait_for()

    def type(self, field: str, value: str) -> None:
        box = self.page.locator(f".eg-{field} input:visible")
        box.fill(value)
        box.press("Enter")

    def open(self, data: str) -> None:
        self.type("data-folder", data)
        self.until_drawn()

    def until_drawn(self) -> None:
        self.page.locator(".eg-contact:visible").first.wait_for()
        self.desk.until(lambda: self.lines(0) is not None, "the first picture has its edges")

    def lines(self, slot: int) -> int | None:
        """The pixels of a tile's edges, as a number; None where there are none yet."""
        return self.desk.picture(f".eg-contact:nth-child({slot + 1}) .eg-strip img:nth-of-type(2)")

    def focus(self) -> int:
        """Place of the tile in focus."""
        return self.page.evaluate(
            "[...document.querySelectorAll('.eg-contact')].findIndex((tile) => tile.classList.contains('eg-focus'))"
        )

    def press_until(self, key: str, holds: Callable[[], bool]) -> None:
        self.page.keyboard.press(key)
        self.desk.until(holds, f"{key} has its effect")


def test_make_look_decide_apply_and_train(curator_at: Callable[..., Curator], folder: Path) -> None:
    curator = curator_at()
    desk, page = curator.desk, curator.page
    page.locator(".eg-way select").select_option("Synthetic sample")
    curator.type("set-count", "4")
    curator.type("data-folder", "made")
    desk.press("start")
    curator.until_drawn()
    made = folder / "made"
    desk.until(lambda: "20 pictures to train" in page.locator(".eg-preparation").inner_text(), "it is told")
    assert page.locator(".eg-counts td.eg-name").all_inner_texts() == ["balloon", "cactus", "fish", "mushroom", "snail"]
    assert "Few pictures to train on" in page.locator(".eg-counts").inner_text()

    curator.press_until("ArrowRight", lambda: curator.focus() == 1)
    curator.press_until("ArrowDown", lambda: curator.focus() == 4)
    decided = made / "audit.csv"
    curator.press_until("r", lambda: list(read_decisions(decided).values()) == ["refuse"])
    desk.until(lambda: curator.focus() == 5, "the next picture is in focus")
    curator.press_until("u", lambda: read_decisions(decided) == {})
    desk.until(lambda: curator.focus() == 4, "undo goes back to its picture")
    page.locator(".eg-contact").nth(2).locator(".eg-strip > button").first.click()
    desk.until(lambda: curator.focus() == 2, "a click puts the focus there")
    curator.press_until("r", lambda: len(read_decisions(decided)) == 1)
    apply = page.locator("button.eg-apply")
    desk.until(lambda: apply.inner_text() == "Apply: move 1 file", "what applying does is told")
    apply.click()
    desk.until(lambda: len(list((made / "refused").rglob("*.png"))) == 1, "the file is set aside")
    desk.until(lambda: "19 pictures" in page.locator(".eg-preparation").inner_text(), "and told")

    desk.until(lambda: curator.lines(3) is not None, "its lines are there")
    before = curator.lines(3)
    page.locator(".eg-set-hand [role=slider]").focus()
    page.keyboard.press("Home")
    desk.until(lambda: curator.lines(3) not in (before, None), "the slider changes the lines")
    assert curator.focus() == 3, "a slider's keys do not move the focus"

    desk.press("train-on")
    page.locator(".eg-data input:visible").wait_for()
    assert page.locator(".eg-data input:visible").input_value() == str(Path("made"))
    page.locator(".eg-classes:visible").get_by_text("balloon (").wait_for()
    assert desk.problems == []


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "dark"), ((390, 844), "light")])
def test_it_fits_and_errors_are_seen(
    curator_at: Callable[..., Curator], folder: Path, size: tuple[int, int], theme: str
) -> None:
    for _ in follow(Plan("synthetic", {"count": 3}, str(folder / "small"), Options(Making(64), where=Where(1)))):
        pass
    curator = curator_at(f"&theme={theme}", viewport={"width": size[0], "height": size[1]})
    page = curator.page
    curator.open("small")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator(".eg-contact").nth(1).scroll_into_view_if_needed()
    box = page.locator("button.eg-accept").bounding_box()
    assert box["y"] + box["height"] <= size[1], "the buttons to decide with are in sight"
    page.locator(".eg-contact").nth(1).locator("button.eg-tick").click()
    page.get_by_role("button", name="Accept 1 chosen").wait_for()
    curator.type("data-folder", "nowhere")
    page.get_by_role("alert").wait_for()
    assert "There is no folder 'nowhere'" in page.get_by_role("alert").inner_text()
    assert page.locator(".eg-contact:visible").count() == 0
    curator.open("small")
    assert page.get_by_role("alert").count() == 0
    assert curator.desk.problems == []


def test_a_preparation_outlives_its_page(
    curator_at: Callable[..., Curator], server: DashboardServer, folder: Path
) -> None:
    curator = curator_at()
    page = curator.page
    page.locator(".eg-way select").select_option("Synthetic sample")
    curator.type("set-count", "2000")
    curator.type("data-folder", "long")
    curator.desk.press("start")
    told = page.locator(".eg-preparation")
    curator.desk.until(lambda: "running" in told.inner_text(), "it is at work")
    curator.desk.open(server.url)
    curator.desk.until(lambda: page.get_by_role("tab", name="Data (running)").count() == 1, "its tab tells so")
    again = Curator(curator.desk)
    again.desk.until(lambda: "running" in told.inner_text(), "it is found again")
    assert page.locator(".eg-data-folder input").input_value() == str(folder / "long")
    assert page.locator(".eg-set-count input:visible").input_value() == "2000"
    again.desk.press("stop-preparing")
    again.desk.until(lambda: "stopped" in told.inner_text(), "it is stopped from here")
    assert again.desk.problems == []


def test_a_photos_mask_is_mended(curator_at: Callable[..., Curator], folder: Path) -> None:
    photos, data = folder / "photos", folder / "cut"
    (photos / "horse").mkdir(parents=True)
    Image.fromarray(photo(0)[0]).save(photos / "horse" / "0.png")
    for _ in follow(Plan("photos", {"folder": str(photos)}, str(data), Options(Making(64), where=Where(1)))):
        pass
    curator = curator_at(viewport={"width": 390, "height": 844})
    desk, page = curator.desk, curator.page
    curator.open(data.name)
    frame, shown = page.locator(".eg-mend-frame"), ".eg-mend-frame img"
    frame.scroll_into_view_if_needed()
    desk.until(lambda: desk.picture(shown) is not None, "the photo is shown")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    before, box = desk.picture(shown), frame.bounding_box()
    page.locator("button.eg-takes").click()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.52 * box["height"], steps=6)
    page.mouse.up()
    desk.until(lambda: "not saved" in page.locator(".eg-mask-about").inner_text(), "the stroke is followed")
    desk.until(lambda: desk.picture(shown) not in (before, None), "the outline follows the stroke")
    mask = data / MASKS / "horse" / "0.png.png"
    page.locator("button.eg-mend-save").click()
    desk.until(lambda: is_mended(mask), "the mask is kept")
    desk.until(lambda: "mended by you" in page.locator(".eg-mask-about").inner_text(), "and told")
    desk.until(lambda: "Train" in page.locator("button.eg-train-on").inner_text(), "the data are made anew")
    assert desk.problems == []


DROP = """([zone, bytes, name]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragover", "drop"]) {
    const event = new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector(zone).dispatchEvent(event);
  }
}"""


def test_photos_are_dropped_or_chosen_and_a_folder_is_found_by_walking(
    curator_at: Callable[..., Curator], folder: Path, shapes: Path, tmp_path: Path
) -> None:
    curator = curator_at()
    page = curator.page
    packed = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", shapes, "val"))
    page.locator(".eg-drop").wait_for()
    page.evaluate(DROP, [".eg-drop", list(packed.read_bytes()), "photos.zip"])
    page.get_by_text("6 pictures received. Press Prepare").wait_for()
    assert page.locator(".eg-way select").input_value() == "Folder of photos"
    (received,) = (folder / "uploads").iterdir()
    assert sorted(path.name for path in received.rglob("*.png")) == sorted(
        path.name for path in (shapes / "val").rglob("*.png")
    )
    page.locator(".eg-drop input").nth(1).set_input_files(shapes / "train")
    page.get_by_text("16 pictures received. Press Prepare").wait_for()
    photos = page.locator(".eg-set-folder input:visible")
    curator.desk.until(lambda: photos.input_value().endswith("train"), "it is named as the folder of photos")

    page.locator(".eg-browse:visible").last.click()
    walk = page.locator(".eg-folders:visible select")
    walk.select_option(label="uploads/")
    curator.desk.until(lambda: "/uploads" in page.locator(".eg-at-folder:visible").inner_text(), "it walks there")
    page.locator(".eg-take-folder:visible").click()
    curator.desk.until(
        lambda: page.locator(".eg-data-folder input:visible").input_value() == "uploads", "it is named in the field"
    )
    assert curator.desk.problems == []

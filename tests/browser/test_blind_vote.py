"""The blinded vote in a real Chromium: clicks and keys, undo, reload, the tally and its download."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgegan_widget.evaluation.drawn import Drawn, held_out_edges
from edgegan_widget.evaluation.judge import Evaluation, Scored
from edgegan_widget.evaluation.report.vote import blind_page, choose_ballots, tally_file, vote_json
from edgegan_widget.training.dataset import PairDataset, load_data

pytestmark = pytest.mark.browser

MODELS = ("plain", "inverted")
PAIRS = 6


def drawn_by(data: PairDataset, pictures_u8: np.ndarray) -> dict[str, Scored]:
    inputs = held_out_edges(data)
    drawn = Drawn(inputs, 1, pictures_u8, inputs.sketches_u8, np.ones(len(inputs)))
    return {inputs.name: Scored(drawn, {}, inputs.labels, {})}


@pytest.fixture
def vote(shapes: Path, tmp_path: Path) -> tuple[Path, str]:
    """The page on disk, and the report that it belongs to: one model draws pictures, the other their negatives."""
    data = load_data(shapes, "val")
    pictures = data.images_u8.permute(0, 2, 3, 1).numpy()
    evaluation = Evaluation({}, dict(zip(MODELS, (drawn_by(data, pictures), drawn_by(data, 255 - pictures)))), data)
    ballots = choose_ballots(evaluation, PAIRS, seed=3)
    told = vote_json(ballots, MODELS, 3)
    (tmp_path / "vote.html").write_text(blind_page(evaluation, ballots, told), "utf-8")
    return tmp_path / "vote.html", json.dumps({"models": MODELS, "vote": told})


@pytest.fixture
def page_at(browser: Any) -> Iterator[Callable[..., Any]]:
    contexts = []

    def make(path: Path, **options: Any) -> Any:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(path.as_uri())
        return page

    yield make
    for context in contexts:
        context.close()


def told(page: Any) -> str:
    return page.locator("#count").inner_text()


def side_of_the_plain_picture(page: Any) -> str:
    """By its white corner; the other one's is black."""
    script = """() => {
      const image = document.getElementById("left");
      const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, 1, 1).data[0] > 128 ? "left" : "right";
    }"""
    page.wait_for_function("document.getElementById('left').complete && document.getElementById('left').naturalWidth")
    return page.evaluate(script)


def test_vote_by_click_and_key_undo_reload_and_tally(
    page_at: Callable[..., Any], vote: tuple[Path, str], tmp_path: Path
) -> None:
    path, report = vote
    page = page_at(path)
    assert told(page) == f"Pair 1 of {PAIRS}"
    page.locator(f"#choose-{side_of_the_plain_picture(page)}").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert told(page) == f"Pair 4 of {PAIRS}"
    page.keyboard.press("Backspace")
    assert told(page) == f"Pair 3 of {PAIRS}"
    page.reload()
    assert told(page) == f"Pair 3 of {PAIRS}", "votes outlive a reload"
    for _ in range(PAIRS - 2):
        assert not page.locator("#outcome").is_visible()
        page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight"}[side_of_the_plain_picture(page)])
    assert told(page) == f"All {PAIRS} pairs are judged."
    assert page.locator("#first").inner_text() == "plain"
    counted = [page.locator(f"#{name}-votes").inner_text() for name in ("first", "second", "equal")]
    assert counted == [str(PAIRS - 1), "0", "1"]

    with page.expect_download() as downloaded:
        page.locator("#json").click()
    downloaded.value.save_as(tmp_path / "votes.json")
    found, models = tally_file((tmp_path / "votes.json").read_bytes(), report)
    assert models == MODELS
    assert (found.first, found.second, found.equal) == (PAIRS - 1, 0, 1)
    assert f"95 % interval {100 * found.low:.1f} % to {100 * found.high:.1f} %" in told_verdict(page)
    assert f"sign test p = {found.p_value:.4f}" in told_verdict(page)
    with page.expect_download() as downloaded:
        page.locator("#csv").click()
    downloaded.value.save_as(tmp_path / "votes.csv")
    assert (tmp_path / "votes.csv").read_text().splitlines()[0] == "pair,drawing,choice"


def told_verdict(page: Any) -> str:
    return page.locator("#verdict").inner_text()


def test_on_a_phone_everything_is_in_reach(page_at: Callable[..., Any], vote: tuple[Path, str]) -> None:
    page = page_at(vote[0], viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing to scroll sideways"
    for name in ("choose-left", "choose-right", "choose-equal", "undo"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
    page.locator("#choose-right").tap()
    assert told(page) == f"Pair 2 of {PAIRS}"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 24, 26)"

"""Masks of photos mended in the Data tab, without a browser: strokes in, masks and cut-outs out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.plan import Plan, follow
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.photos import MASKS, PhotoOptions, cut_all, is_mended
from edgegan_widget.data.sources import Making
from edgegan_widget.panels.data.mask_desk import MaskDesk
from edgegan_widget.panels.data.mask_work import VIEW_PX
from edgegan_widget.panels.data.panel import DataPanel
from tests.data_desk import said, wears
from tests.photo.drawn import overlap, photo

WIDTH, HEIGHT = 240, 200


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos of a thing and one of two, and the data made of them, in ``data``."""
    root = tmp_path_factory.mktemp("photos")
    folder = root / "photos" / "horse"
    folder.mkdir(parents=True)
    for number in range(2):
        Image.fromarray(photo(number, WIDTH, HEIGHT)[0]).save(folder / f"{number}.png")
    Image.fromarray(photo(5, 320, 160, ("left", "right"))[0]).save(folder / "two.png")
    for _ in follow(
        Plan("photos", {"folder": str(folder.parent)}, str(root / "data"), Options(Making(64), where=Where(1)))
    ):
        pass
    return root


@pytest.fixture
def desk(prepared: Path, errors: list[Exception | None]) -> Iterator[MaskDesk]:
    made = MaskDesk(lambda: errors.append(None), errors.append)
    made.show(PhotoOptions(folder=str(prepared / "photos")), prepared / "data")
    assert made.wait(30)
    yield made
    made.close()


@pytest.fixture
def errors() -> list[Exception | None]:
    """What is said; None where something was saved."""
    return []


def draw(desk: MaskDesk, points: list[tuple[float, float]]) -> None:
    """By mouse, in pixels of the photo."""
    scale = VIEW_PX / WIDTH
    placed = [{"x": x * scale, "y": y * scale + (VIEW_PX - HEIGHT * scale) / 2} for x, y in points]
    desk.canvas._handle_frontend_event(None, {"event": "mouse_down", **placed[0]}, [])
    for place in placed[1:]:
        desk.canvas._handle_frontend_event(None, {"event": "mouse_move", **place}, [])
    desk.canvas._handle_frontend_event(None, {"event": "mouse_up", **placed[-1]}, [])
    assert desk.wait(30)


def shown(desk: MaskDesk) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(desk.picture.value)))


def test_a_photo_shows_its_outline_and_strokes_mend_it(desk: MaskDesk, prepared: Path) -> None:
    assert "1 of 3" in said(desk.about)
    assert "horse/0.png" in said(desk.about)
    before = shown(desk)
    assert before.shape == (VIEW_PX, VIEW_PX, 3)
    yellow = (before == (255, 214, 0)).all(2)
    assert 200 < yellow.sum() < 8000
    desk.away.click()
    desk.brush.value = 30
    draw(desk, [(60, 100), (120, 100), (180, 100)])
    assert (shown(desk) != before).any()
    assert "not saved" in said(desk.about)
    desk.undo.click()
    assert desk.wait(30)
    assert (shown(desk) == before).all()
    assert desk.undo.disabled
    assert desk.save.disabled


def test_two_things_become_one_and_the_mask_stays(
    desk: MaskDesk, prepared: Path, errors: list[Exception | None]
) -> None:
    for _ in range(2):
        desk.forward.click()
        assert desk.wait(30)
    assert "several objects" in said(desk.about)
    assert desk.forward.disabled
    mask = prepared / "data" / MASKS / "horse" / "two.png.png"
    assert not is_mended(mask)
    desk.away.click()
    desk.brush.value = 60
    width, scale = 320, WIDTH / 320  # of this photo; draw() counts in pixels of the others
    draw(
        desk,
        [
            (x * scale, (160 / 2 + down) * scale + (HEIGHT - 160 * scale) / 2)
            for down in (-30, 0, 30)
            for x in (230, width)
        ],
    )
    desk.save.click()
    assert desk.wait(30)
    assert errors[-1] is None
    assert is_mended(mask)
    assert "mended by you" in said(desk.about)
    assert "several" not in said(desk.about)
    kept = mask.read_bytes()
    list(cut_all(PhotoOptions(folder=str(prepared / "photos")), prepared / "data"))
    assert mask.read_bytes() == kept
    _, true_u8 = photo(5, 320, 160, ("left", "right"))
    true_u8[:, 160:] = 0
    assert overlap(np.asarray(Image.open(mask)) / 255, true_u8) > 0.6


def test_bad_points_and_photos_that_are_gone_are_told(
    desk: MaskDesk, prepared: Path, tmp_path: Path, errors: list[Exception | None]
) -> None:
    desk.canvas._handle_frontend_event(None, {"event": "mouse_down", "x": 3, "y": 4}, [])
    desk.canvas._handle_frontend_event(None, {"event": "mouse_move", "x": float("nan"), "y": 4}, [])
    desk.canvas._handle_frontend_event(None, {"event": "mouse_up", "x": 3, "y": 4}, [])
    assert desk.wait(30)
    assert errors == []
    desk.show(PhotoOptions(folder=str(tmp_path / "gone")), prepared / "data")
    assert desk.wait(30)
    assert "not a folder" in str(errors[-1])
    desk.show(None, None)
    assert wears(desk, "eg-hidden")


def test_the_panel_makes_the_cut_out_anew(prepared: Path, tmp_path: Path) -> None:
    panel = DataPanel(prepared / "data", preparations=tmp_path / "preparations")
    try:
        assert panel.wait(60)
        assert not wears(panel.masks, "eg-hidden")
        cut = next((prepared / "data").rglob("horse/0-*.png"))
        before = cut.read_bytes()
        panel.masks.away.click()
        panel.masks.brush.value = 60
        draw(panel.masks, [(150, 50), (190, 50), (150, 70), (190, 70)])
        panel.masks.save.click()
        assert panel.masks.wait(30)
        assert panel.wait(90)
        assert next((prepared / "data").rglob("horse/0-*.png")).read_bytes() != before
    finally:
        panel.stop()
        panel.close()

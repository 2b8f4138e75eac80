"""The Photo tab without a browser: what its page tells goes in, what is seen there and saved comes out."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edgegan_widget
from edgegan_widget.base.errors import DataError, ServerError
from edgegan_widget.base.pictures import encode_png
from edgegan_widget.base.result import Result
from edgegan_widget.panels.photo.photopad import PhotoPad
from edgegan_widget.panels.photo.strokes import MARGIN, with_stroke
from edgegan_widget.panels.photo.surface import Surface
from edgegan_widget.photo.fitting import Fit
from edgegan_widget.photo.sample import sample_photo
from edgegan_widget.photo.scene import NOTHING, Placed, Scene
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.pad_desk import Plain
from tests.screen import find, options, part, read, styled

GREEN, RED = (60, 140, 70), (200, 30, 40)
OBJECT = (slice(30, 50), slice(40, 70))  # of the photo, where it is red


class Opaque(Plain):
    """The engine whose pictures say what was asked, with alpha: all of the frame but a border is object."""

    alpha = True

    def generate(self, *arguments: Any, **named: Any) -> Result:
        result = super().generate(*arguments, **named)
        alpha = np.zeros(result.images.shape[:3], np.uint8)
        alpha[:, 4:-4, 4:-4] = 255
        return dataclasses.replace(result, alpha=alpha)


class Away(Opaque):
    """The same on a server, which is gone until it is told to be there."""

    there = False

    def generate(self, *arguments: Any, **named: Any) -> Result:
        if not self.there:
            raise ServerError("the server cannot be reached; start it.")
        return super().generate(*arguments, **named)


class Page:
    """What a browser with a PhotoPad in it holds: the picture, the files that came, what was stored."""

    def __init__(self, pad: PhotoPad, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pad, self.surface = pad, part(pad, Surface)
        self.picture = np.zeros((1, 1, 3), np.uint8)
        self.files: dict[str, bytes] = {}
        self.stored: tuple[str, str] = ("", "")
        self.photo = b""
        monkeypatch.setattr(self.surface, "send", self._hear)
        self.tell("hello", scene=None)

    def tell(self, do: str, **details: Any) -> None:
        self.surface.hear(None, {"do": do, **details}, [])
        assert self.pad.wait(60)

    def act(self, *names: str) -> None:
        for name in names:
            self.tell("act", name=name)

    def choose(self, tool: str, *points: Sequence[float], width: float = 10) -> None:
        self.tell("shape", tool=tool, points=list(points), width=width)

    def draw(self, *points: Sequence[float], tool: str = "pen", number: int = 1) -> None:
        """A stroke, point by point."""
        for place, point in enumerate(points):
            done = place == len(points) - 1
            self.tell("ink", stroke=number, tool=tool, width=2, points=[[*point, place / 10]], done=done)

    def upload(self, name: str, content: bytes, purpose: str = "open") -> None:
        half = len(content) // 2
        for first, piece in ((True, content[:half]), (False, content[half:])):
            message = {"do": "part", "name": name, "purpose": purpose, "first": first, "last": not first}
            self.surface.hear(None, message, [piece])
        assert self.pad.wait(60)

    def complaint(self) -> str:
        return " ".join(read(line) for line in styled(self.pad, "eg-status") if "eg-error" in line.value)

    def _hear(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        if message["do"] == "picture":
            self._paint(np.asarray(Image.open(io.BytesIO(buffers[0]))), message["x"], message["y"])
        elif message["do"] == "save":
            self.files[message["name"]] = buffers[0]
        elif message["do"] == "store":
            self.stored = (message["name"], message["scene"])
            self.photo = buffers[0] if buffers else self.photo

    def _paint(self, patch: np.ndarray, x: int, y: int) -> None:
        width, height = self.surface.size
        if self.picture.shape[:2] != (height, width):
            self.picture = np.zeros((height, width, 3), np.uint8)
        self.picture[y : y + patch.shape[0], x : x + patch.shape[1]] = patch


def photo(height: int = 80, width: int = 120) -> np.ndarray:
    """A red thing on green ground."""
    random = np.random.default_rng(0)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = GREEN
    picture[OBJECT] = RED
    return (picture + random.integers(0, 6, picture.shape)).astype(np.uint8)


def redness(picture: np.ndarray) -> float:
    """How much redder than green it is where the object was."""
    inside = picture[OBJECT].astype(float)
    return float((inside[..., 0] - inside[..., 1]).mean())


SQUARE = [(50, 30), (90, 30), (90, 70), (50, 70), (50, 30)]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A pad with a small photo, on a page."""
    pad = PhotoPad(Opaque(), photo())
    yield Page(pad, monkeypatch)
    pad.close()


def test_a_thing_is_replaced_and_every_step_taken_back(page: Page) -> None:
    states = [page.pad.scene]
    assert redness(page.picture) > 100
    page.choose("box", (38, 28), (55, 40), (72, 52))
    assert page.surface.can == ["undo", "take-away", "clear", "photo"]
    page.act("take-away")
    states.append(page.pad.scene)
    assert redness(page.picture) < 0, "the ground goes on where it was"
    assert page.surface.chosen == []
    page.draw(*SQUARE)
    states.append(page.pad.scene)
    (placed,) = page.pad.scene.placed
    assert placed.label == "ball"
    shown = page.picture.copy()
    find(page.pad, "Draw a").value = "box"
    assert page.pad.wait(10)
    states.append(page.pad.scene)
    assert np.abs(page.picture.astype(int) - shown)[35:65, 55:85].mean() > 20, "another class has another picture"
    page.tell("box", box=[10, 10, 40, 40], turned=0, mirrored=False, done=True)
    states.append(page.pad.scene)
    assert page.pad.scene.placed[0].box == (10, 10, 40, 40)
    full = page.pad.image
    assert full is not None
    assert full.shape == (80, 120, 3)
    assert np.abs(full.astype(int) - page.picture).mean() < 3, "what is seen is what is saved"
    for state in reversed(states[:-1]):
        page.act("undo")
        assert page.pad.scene == state
    assert page.surface.chosen, "what was chosen is chosen again"
    assert redness(page.picture) > 100
    page.act(*["redo"] * 4)
    assert page.pad.scene == states[-1]
    assert np.abs(full.astype(int) - page.picture).mean() < 3


def test_a_server_that_is_gone_is_told_and_caught_up_with(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Away()
    page = Page(PhotoPad(engine, photo()), monkeypatch)
    before = page.picture.copy()
    stroke = {"do": "ink", "stroke": 1, "tool": "pen", "width": 2, "points": [[*p, 0] for p in SQUARE], "done": True}
    page.surface.hear(None, stroke, [])
    assert not page.pad.wait(0.5)
    assert "draw on, the picture follows by itself once it answers." in page.complaint()
    assert np.array_equal(page.picture, before), "the photo is seen without it"
    engine.there = True
    assert page.pad.wait(60)
    assert page.complaint() == ""
    assert np.abs(page.picture.astype(int) - before)[35:65, 55:85].mean() > 20, "without a click"
    page.pad.close()


def test_a_picture_lies_under_its_ink(page: Page) -> None:
    """Wherever and however large something is drawn, on an object that was turned and mirrored as well."""
    page.draw(*SQUARE)
    box = page.pad.scene.placed[0].box
    assert box[2] == pytest.approx(40 / (1 - 2 * MARGIN), abs=2)
    assert (box[0] + box[2] / 2, box[1] + box[3] / 2) == (pytest.approx(70, abs=1), pytest.approx(50, abs=1))
    page.tell("box", box=list(box), turned=90, mirrored=True, done=True)
    page.draw((10, 50), (20, 50), number=2)
    placed = page.pad.scene.placed[0]
    x, y, width, height = placed.box
    assert x <= 11, "it has grown to the left, where the second stroke is"
    assert x + width >= 89
    assert y + height / 2 == pytest.approx(50, abs=2)


def test_strokes_far_apart_stay_where_they_are() -> None:
    placed = Placed(Drawing(), "ball", (0, 0, 10, 10))
    placed = with_stroke(placed, [(500, 500, 0), (560, 500, 0.1)], 3, "pen")
    placed = with_stroke(placed, [(900, 520, 0), (980, 600, 0.1)], 3, "pen")
    x, y, side, _ = placed.box
    first, second = (each.points[:, :2] * side + (x, y) for each in placed.drawing.strokes)
    assert first[0] == pytest.approx([500, 500], abs=0.01)
    assert second[-1] == pytest.approx([980, 600], abs=0.01)
    assert with_stroke(placed, [(float("nan"), 3, 0)], 3, "pen") == placed


def test_what_is_chosen_is_added_to_and_taken_from(page: Page) -> None:
    page.choose("lasso", (10, 10), (60, 10), (60, 60), (10, 60))
    page.surface.adds = False
    page.choose("box", (10, 10), (20, 20), (60, 35))
    page.choose("brush", (15, 55), (55, 55))
    page.surface.adds = True
    page.act("take-away")
    mask = page.pad.scene.erased[0].mask()
    assert not mask[:30].any()
    assert not mask[55:58, 20:50].any()
    assert mask[40:46, 15:55].all()


def test_a_click_finds_what_is_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pad = PhotoPad(Opaque(), sample_photo())
    page = Page(pad, monkeypatch)
    page.choose("click", (380, 420))
    page.act("take-away")
    mask = pad.scene.erased[0].mask()
    assert mask[420, 300:440].all(), "its trunk"
    assert mask[340, 520], "its head"
    assert not mask[:290].any()
    assert not mask[:, 600:].any()
    pad.close()


def test_taking_away_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    pad = PhotoPad(Opaque(), sample_photo())
    page = Page(pad, monkeypatch)
    page.choose("lasso", (200, 300), (600, 300), (600, 600), (200, 600))
    before = pad.scene
    for name in ("take-away", "stop"):
        page.surface.hear(None, {"do": "act", "name": name}, [])
    assert pad.wait(60)
    assert pad.scene == before
    assert page.surface.chosen, "it is still chosen"
    assert page.surface.busy == {}
    assert page.complaint() == ""
    pad.close()


def test_objects_are_layers(page: Page) -> None:
    page.draw(*SQUARE)
    find(page.pad, "+ New").click()
    page.draw((20, 20), (40, 20), (40, 40), number=2)
    layers = styled(page.pad, "eg-layer-list")[0]
    assert options(layers) == ["2 · ball", "1 · ball"]
    styled(page.pad, "eg-layers")[0].children[-1].value = "my ball"
    assert options(layers) == ["2 · my ball", "1 · ball"]
    with_both = page.picture.copy()
    page.act("hide")
    assert options(layers)[0] == "2 · my ball (hidden)"
    assert np.abs(with_both.astype(int) - page.picture)[25:35, 25:35].mean() > 5
    page.act("hide", "duplicate", "down")
    assert [each.name for each in page.pad.scene.placed] == ["", "my ball", "my ball"]
    layers.value = 0
    assert page.surface.selected == 0
    page.act("up", "delete")
    assert [each.name for each in page.pad.scene.placed] == ["my ball", "my ball"]
    page.act("undo", "undo")
    assert len(page.pad.scene.placed) == 3


def test_keys_move_turn_and_mirror(page: Page) -> None:
    page.draw(*SQUARE)
    before = page.pad.scene.placed[0]
    page.act("left", "left", "lower")
    placed = page.pad.scene.placed[0]
    assert (placed.box[0] - before.box[0], placed.box[1] - before.box[1]) == (-8, 4)
    page.act("turn", "turn", "mirror", "bigger")
    placed = page.pad.scene.placed[0]
    assert (placed.turned_degrees, placed.mirrored) == (30, True)
    assert placed.box[2] > before.box[2]
    page.act("undo", "undo", "undo", "undo")
    assert page.pad.scene.placed[0] == before, "steps of one kind are one step"


def test_strokes_are_split_off(page: Page) -> None:
    find(page.pad, "Guess what it is").value = True
    page.draw((20, 20), (40, 20), (40, 40))
    page.draw((80, 60), (100, 60), (100, 75), number=2)
    page.choose("split", (10, 10), (50, 10), (50, 50), (10, 50))
    first, second = page.pad.scene.placed
    assert first.box[0] > 70
    assert second.box[0] < 25
    page.choose("split", (0, 0), (1, 0), (1, 1))
    assert "go around some of them" in page.complaint()


def test_a_scene_is_saved_and_opened_again(page: Page, tmp_path: Path) -> None:
    page.choose("box", (38, 28), (55, 40), (72, 52))
    page.act("take-away")
    page.draw(*SQUARE)
    page.act("turn")
    find(page.pad, "Shadow").value = 0.9
    scene, shown = page.pad.scene, page.picture.copy()
    form, save = styled(page.pad, "eg-photo-saving")[0].children[1].children
    form.value = "scene"
    save.click()
    assert page.pad.wait(10)
    (name, content), *_ = page.files.items()
    assert name == "photo.scene.json"
    (tmp_path / name).write_bytes(content)
    page.act(*["undo"] * 4)
    page.upload(name, content)
    assert page.pad.scene == scene
    assert np.abs(page.picture.astype(int) - shown).mean() < 2, "JPEG"
    assert PhotoPad(Opaque(), tmp_path / name).scene == scene


def test_a_reload_brings_the_scene_back(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.choose("box", (38, 28), (55, 40), (72, 52))
    page.act("take-away")
    page.draw(*SQUARE)
    pad = PhotoPad(Opaque())
    later = Page(pad, monkeypatch)
    later.upload(page.stored[0], page.photo, "restore")
    later.tell("hello", scene=page.stored[1])
    assert pad.scene == page.pad.scene
    assert np.abs(later.picture.astype(int) - page.picture).mean() < 2
    assert pad.scene.photo_file == page.photo
    pad.close()


@pytest.mark.parametrize(("form", "mode"), [("png", "RGBA"), ("jpeg", "RGB")])
def test_without_ground_only_the_objects_are_saved(page: Page, form: str, mode: str) -> None:
    page.draw(*SQUARE)
    find(page.pad, "Ground").value = NOTHING
    choice, save = styled(page.pad, "eg-photo-saving")[0].children[1].children
    choice.value = form
    save.click()
    assert page.pad.wait(10)
    saved = Image.open(io.BytesIO(next(iter(page.files.values()))))
    assert (saved.mode, saved.size) == (mode, (120, 80))
    pixels = np.asarray(saved.convert("RGBA"))
    assert (pixels[0, 0] == ((0, 0, 0, 0) if mode == "RGBA" else (255, 255, 255, 255))).all()
    assert pixels[50, 70, 3] == 255
    assert pixels[50, 70, :3].max() < 255


def test_metadata_are_kept_where_that_is_asked_for(page: Page, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"  # lies on its side; the maker
    stream = io.BytesIO()
    Image.fromarray(photo()).save(stream, "JPEG", exif=exif)
    page.upload("lies.jpg", stream.getvalue())
    assert page.surface.size == [80, 120], "turned upright"
    keep = find(page.pad, "Keep the photo's metadata")
    for kept in (False, True):
        keep.value = kept
        find(page.pad, "Save").click()
        assert page.pad.wait(10)
        told = Image.open(io.BytesIO(page.files["lies_changed.png"])).getexif()
        assert dict(told) == ({0x0112: 1, 0x010F: "Camera"} if kept else {})


def test_another_photo_is_a_step_as_well(page: Page) -> None:
    page.draw(*SQUARE)
    before = page.pad.scene
    page.upload("other.png", encode_png(np.full((30, 50, 3), 90, np.uint8)))
    assert page.surface.size == [50, 30]
    assert page.picture.shape == (30, 50, 3)
    page.act("undo")
    assert page.pad.scene == before
    assert page.picture.shape == (80, 120, 3)


def broken(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(stream, "PNG")
    whole = stream.getvalue()
    return {"torn": whole[: len(whole) // 2], "text": b"no picture", "scene": b'{"format": 1}', "empty": b""}[kind]


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("a.png", "torn", "A.png cannot be read as a picture"),
        ("a.png", "text", "A.png cannot be read as a picture"),
        ("a.png", "empty", "A.png is empty"),
        ("a.json", "scene", "This is not a saved scene"),
    ],
)
def test_a_bad_file_is_told_and_nothing_lost(page: Page, name: str, kind: str, told: str) -> None:
    page.draw(*SQUARE)
    before, shown = page.pad.scene, page.picture.copy()
    page.upload(name, broken(kind))
    assert told in page.complaint()
    assert page.pad.scene == before
    assert np.array_equal(page.picture, shown)
    page.act("mirror")
    assert page.complaint() == ""


@pytest.mark.parametrize("shape", [(3, 3), (1, 5000), (700, 2)])
def test_odd_photos_can_be_worked_on(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]) -> None:
    pad = PhotoPad(Opaque(), np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8))
    page = Page(pad, monkeypatch)
    page.choose("click", (0, 0))
    page.draw((0, 0), (1, 1), (2, 0))
    assert pad.image is not None
    assert pad.image.shape == (*shape, 3)
    page.choose("box", (-5, -5), (6000, 1), (6000, 6000))
    page.act("take-away")
    assert "marks the whole photo" in page.complaint()
    pad.close()


def test_what_needs_a_photo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pad = PhotoPad(Opaque())
    page = Page(pad, monkeypatch)
    for ask in (lambda: page.draw((1, 1)), lambda: page.choose("click", (1, 1)), find(pad, "Save").click):
        ask()
        assert "There is no photo yet" in page.complaint()
        pad.complain(None)
    page.act("take-away", "undo", "redo", "new")
    assert pad.image is None
    with pytest.raises(DataError, match="is no file"):
        pad.open_photo("nowhere.jpg")
    page.act("sample")
    assert page.picture.shape == (640, 960, 3)
    pad.close()


def test_a_model_that_is_not_here_leaves_out_its_object_alone(page: Page) -> None:
    page.draw(*SQUARE)
    mine = page.pad.scene.placed[0]
    line = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.9)], 0.02))
    gone = Placed(line, "ball", (5, 5, 30, 30), model="not/here")
    page.pad.scene = dataclasses.replace(page.pad.scene, placed=(gone, mine))
    assert page.pad.wait(10)
    assert "not/here" in page.complaint()
    assert np.abs(page.picture[50, 70].astype(int) - photo()[50, 70]).max() > 20, "the other is seen"


def test_pictures_while_the_pen_is_down_are_as_those_afterwards(page: Page) -> None:
    """Roughly: they are fitted in by a quicker look at the photo."""
    page.tell("ink", stroke=7, tool="pen", width=2, points=[[*at, 0] for at in SQUARE], done=False)
    live = page.picture.copy()
    assert page.pad.scene.placed == ()
    page.tell("ink", stroke=7, tool="pen", width=2, points=[], done=True)
    assert len(page.pad.scene.placed) == 1
    assert np.abs(live.astype(int) - page.picture).mean() < 4
    assert page.pad.scene.placed[0].fit == Fit(shadow=0.35)


def test_it_is_a_public_name() -> None:
    assert edgegan_widget.PhotoPad is PhotoPad
    assert Scene("x.jpg").ground == "photo"

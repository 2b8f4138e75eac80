from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.result import Style
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.store import build_networks, save_model
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.looks.morph import FRAMES
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.strokes import Drawing, Stroke, read_note
from tests.modulated import saved_modulated
from tests.pad_desk import Plain, complaint, draw, event, tell
from tests.screen import choose, find, has, options, part, said, styled


def picture(pad: SketchPad, place: str = "eg-main") -> Image.Image:
    """The picture on the page."""
    (frame,) = styled(pad, place)
    return opened(frame.children[0].value)


def shown(pad: SketchPad) -> tuple[int, ...]:
    """Its colour."""
    return picture(pad).getpixel((3, 3))


def variations(pad: SketchPad) -> list[widgets.Box]:
    (strip,) = styled(pad, "eg-variations") or [widgets.Box()]
    return list(strip.children)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], list[bytes]]]:
    """What is sent to the browser's side."""
    messages: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(BrowserSide, "send", lambda self, content, buffers=(): messages.append((content, [*buffers])))
    return messages


def test_nothing_drawn(pad: SketchPad) -> None:
    assert pad.image is None
    assert pad.result is None
    assert not pad.drawing
    assert (pad.sketch == 255).all()
    assert shown(pad) == (255, 255, 255)
    assert "Ready on test device" in said(pad)


def test_a_stroke_shows_a_picture(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert pad.image is not None
    assert shown(pad) == tuple(pad.image[3, 3])
    assert engine.calls[-1] == ("ball", None, 1)


def test_another_class_changes_the_picture_and_undo_restores_it(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    first = shown(pad)
    pad.label = "box"
    assert pad.wait(10)
    assert shown(pad)[0] == 100
    pad.label = "ball"
    draw(pad, (0.8, 0.2), (0.2, 0.8))
    assert shown(pad) != first
    find(pad, "Undo").click()
    assert pad.wait(10)
    assert shown(pad) == first


def test_clearing_shows_paper_even_while_a_picture_is_under_way(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    engine.go.clear()
    find(pad, "Another look").click()
    find(pad, "Clear").click()
    engine.go.set()
    assert pad.wait(10)
    assert shown(pad) == (255, 255, 255)
    assert pad.image is None


def test_seed_and_variations(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    part(pad, widgets.BoundedIntText).value = 17
    find(pad, "Seed").value = True
    find(pad, "Variations").value = 4
    assert pad.wait(10)
    assert engine.calls[-1] == ("ball", 17, 4)
    assert len(variations(pad)) == 4
    find(pad, "Another look").click()
    assert pad.wait(10)
    assert engine.calls[-1][1] == part(pad, widgets.BoundedIntText).value == pad.look.seed


def test_a_variation_becomes_the_picture_and_is_kept(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Variations").value = 4
    assert pad.wait(10)
    assert shown(pad)[1] == 0
    asked = len(engine.calls)
    variations(pad)[2].children[1].click()
    assert (shown(pad)[1], pad.look.seed) == (1, 1)
    assert tuple(pad.image[3, 3]) == shown(pad)
    assert len(engine.calls) == asked, "it is there already"
    assert [has(tile, "eg-on") for tile in variations(pad)] == [False, False, True, False]
    variations(pad)[3].children[2].click()
    (starred,) = [kept for kept in pad.kept if kept.starred]
    assert starred.look.seed == 2
    draw(pad, (0.2, 0.8), (0.8, 0.2))
    assert engine.calls[-1] == ("ball", 1, 4), "what is drawn further keeps the chosen look"


def test_styles_are_offered_and_asked_for(pad: SketchPad, engine: Plain) -> None:
    assert "keeps no styles" in said(pad)
    engine.known_styles = tuple(Style(index, colour, 1.0, ()) for index, colour in enumerate(("#ff0000", "#00ff00")))
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad.label = "box"
    assert "keeps no styles" not in said(pad)
    swatches = styled(pad, "eg-swatch")
    assert [swatch.style.button_color for swatch in swatches] == ["#ff0000", "#00ff00"]
    swatches[1].click()
    assert pad.wait(10)
    assert (engine.asked_styles[-1], pad.look.style) == (1, 1)
    assert has(swatches[1], "eg-on")
    find(pad, "Colour").value = "blue"
    assert pad.wait(10)
    assert engine.asked_styles[-1] == "#0000ff"
    find(pad, "Draw a").value = "ball"
    assert pad.wait(10)
    assert engine.asked_styles[-1] == "#0000ff", "a colour is the same in every class"
    styled(pad, "eg-swatch")[0].click()
    find(pad, "Draw a").value = "box"
    assert pad.wait(10)
    assert engine.asked_styles[-1] is None, "a number is not"


def test_the_class_is_guessed_while_one_draws(pad: SketchPad, engine: Plain) -> None:
    find(pad, "Fit to frame").value = False
    find(pad, "Guess what it is").value = True
    event(pad, "mouse_down", 0.1, 0.1)
    event(pad, "mouse_move", 0.9, 0.1)
    assert pad.wait(10)
    assert (pad.label, engine.calls[-1][0]) == ("ball", "ball")
    assert "ball 100%, box 0%" in said(pad)
    event(pad, "mouse_move", 0.9, 0.9)
    event(pad, "mouse_move", 0.1, 0.9)
    event(pad, "mouse_move", 0.5, 0.7)
    event(pad, "mouse_up")
    assert pad.wait(10)
    assert (pad.label, engine.calls[-1][0]) == ("box", "box"), "it changes its mind"
    assert find(pad, "Draw a").disabled
    find(pad, "Guess what it is").value = False
    find(pad, "Draw a").value = "ball"
    assert pad.wait(10)
    assert engine.calls[-1][0] == "ball"


def test_what_is_all_rubbed_out_shows_no_picture(pad: SketchPad) -> None:
    draw(pad, (0.4, 0.5), (0.6, 0.5))
    assert pad.image is not None
    find(pad, "Eraser").click()
    find(pad, "Brush").value = 40
    draw(pad, (0.3, 0.5), (0.7, 0.5))
    assert pad.image is None
    assert shown(pad) == (255, 255, 255)


def test_a_far_speck_is_left_out_and_told(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.5, 0.2), (0.5, 0.5))
    alone = pad.sketch
    draw(pad, (0.95, 0.95))
    assert np.array_equal(pad.sketch, alone)
    assert "a speck far from the drawing is left out" in said(pad)
    find(pad, "Fit to frame").value = False
    assert pad.wait(10)
    assert "speck" not in said(pad)


def test_closer_to_the_lines(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    free = shown(pad)
    find(pad, "Closer to my lines").value = 0.5
    assert pad.wait(10)
    assert shown(pad) == tuple(value + 6 for value in free), "the last of three steps"
    assert pad.look.closeness == 0.5
    assert tuple(pad.image[0, 0]) == shown(pad)
    event(pad, "mouse_down", 0.1, 0.1)
    assert pad.wait(10)
    assert shown(pad)[0] == free[0], "while the pen is down nothing is moved"
    event(pad, "mouse_up")
    assert pad.wait(10)
    assert shown(pad)[0] == free[0] + 6


def test_a_stroke_ends_the_way_to_the_lines(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    engine.go.clear()
    find(pad, "Closer to my lines").value = 1.0
    event(pad, "mouse_down", 0.1, 0.1)
    engine.waiting = 0
    engine.go.set()
    assert pad.wait(10)
    assert engine.waiting <= 3, "not all steps of the first, and none for a pen that is down"


def test_a_morph_from_a_kept_look(pad: SketchPad, sent: list[Any]) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Draw a").value = "box"
    assert pad.wait(10)
    assert not styled(pad, "eg-morph")
    tell(pad, do="morph", number=pad.kept[0].number)
    assert pad.wait(10)
    (movie,) = styled(pad, "eg-morph-movie")
    played = opened(movie.children[0].value)
    assert played.n_frames == 2 * FRAMES - 2, "there and back"
    played.seek(FRAMES - 1)
    assert abs(played.convert("RGB").getpixel((3, 3))[0] - 100) < 6, "the other end is the box"
    find(pad, "Save GIF").click()
    message, (content,) = sent[-1]
    assert (message["name"], opened(content).format) == ("ball_box_morph.gif", "GIF")
    find(pad, "Close").click()
    assert not styled(pad, "eg-morph")
    find(pad, "Clear").click()
    tell(pad, do="morph", number=pad.kept[0].number)
    assert "othing to morph to" in complaint(pad)


def test_the_model_is_chosen_on_the_page_and_one_click_goes_back(tmp_path: Path, other_model: Path) -> None:
    pad = SketchPad(saved_modulated(tmp_path / "large"), device="cpu", runs=tmp_path / "runs")
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert options(find(pad, "Model"))[0] == "large"
    assert "default" in options(find(pad, "Model"))
    choose(find(pad, "Model"), "another")
    (path,) = styled(pad, "eg-drawing-model-path")
    path.value = str(tmp_path / "nothing")
    assert "No model called" in complaint(pad)
    choose(find(pad, "Model"), "another")
    path.value = str(other_model)
    assert pad.wait(60)
    assert "model mugs" in said(pad)
    assert pad.look.model == str(other_model.resolve())
    find(pad, "Back to large").click()
    assert pad.wait(60)
    assert "model large" in said(pad)
    assert find(pad, "Back to mugs")
    pad.close()


def test_a_script_that_ends_waits_for_regular_looks_to_stop() -> None:
    """One that is cut off inside a library's C++ code, while fonts are read perhaps, would abort the interpreter."""
    script = """
import time
from edgegan_widget.base.background import Ticker
class Page:
    def look(self):
        print("looks", flush=True)
        try:
            while True:
                time.sleep(0.01)
        finally:
            time.sleep(0.1)
            print("stopped", flush=True)
page = Page()
ticker = Ticker(page.look)
time.sleep(0.2)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["looks", "stopped"]


def test_a_script_that_ends_while_the_model_is_loaded_ends_well() -> None:
    script = "from edgegan_widget import SketchPad; import time; pad = SketchPad(device='cpu'); time.sleep(3)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_while_the_pen_is_down_one_picture_is_drawn(pad: SketchPad, engine: Plain) -> None:
    find(pad, "Variations").value = 8
    engine.calls.clear()
    event(pad, "mouse_down", 0.1, 0.1)
    assert pad.wait(10)
    assert [call[2] for call in engine.calls] == [1]
    event(pad, "mouse_up")
    assert pad.wait(10)
    assert engine.calls[-1][2] == 8


def test_an_error_is_shown_and_the_pad_goes_on(pad: SketchPad, engine: Plain) -> None:
    engine.broken = True
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert "the model broke" in complaint(pad)
    engine.broken = False
    draw(pad, (0.3, 0.2), (0.2, 0.8))
    assert complaint(pad) == ""
    assert len(pad.drawing) == 2


def saved(
    pad: SketchPad, sent: list[tuple[dict[str, Any], list[bytes]]], kind: str, **how: object
) -> tuple[str, bytes]:
    """Name and content of what the button gives to save."""
    (chooser,) = styled(pad, "eg-save-what")
    chooser.value = kind
    for name, value in how.items():
        styled(pad, f"eg-save-{name}")[0].value = value
    find(pad, "Save").click()
    message, (content,) = sent[-1]
    assert message["do"] == "save", complaint(pad)
    return message["name"], content


@pytest.mark.parametrize(
    ("kind", "start"), [("picture", b"\x89PNG"), ("both", b"\x89PNG"), ("all", b"PK"), ("svg", b"<svg"), ("json", b"{")]
)
def test_saving(pad: SketchPad, sent: list[Any], kind: str, start: bytes) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    name, content = saved(pad, sent, kind)
    assert name.startswith("ball")
    assert content.startswith(start)
    if kind == "json":
        assert Drawing.from_json(content) == pad.drawing
        assert read_note(content) == {"class": "ball", "seed": None, "style": None, "model": ""}
    if kind == "both":
        assert opened(content).size == (1024, 512)


def test_saving_larger_and_as_webp(pad: SketchPad, sent: list[Any]) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    name, content = saved(pad, sent, "picture", size=1024, form="webp")
    assert (name, opened(content).size, opened(content).format) == ("ball.webp", (1024, 1024), "WEBP")
    find(pad, "Copy").click()
    message, (content,) = sent[-1]
    assert (message["do"], message["type"], opened(content).format) == ("copy", "image/png", "PNG")


def test_a_sheet_of_favourites(pad: SketchPad, sent: list[Any]) -> None:
    styled(pad, "eg-save-what")[0].value = "favourites"
    find(pad, "Save").click()
    assert "No look has a star yet" in complaint(pad)
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Variations").value = 2
    assert pad.wait(10)
    for tile in variations(pad):
        tile.children[2].click()
    name, content = saved(pad, sent, "favourites")
    assert name == "favourites.png"
    assert opened(content).size == (2 * 72, 72)
    assert complaint(pad) == ""


def test_there_is_nothing_to_save_from_an_empty_pad(pad: SketchPad) -> None:
    find(pad, "Save").click()
    assert "nothing to save yet; draw something first" in complaint(pad).lower()


def test_a_drawing_set_by_code_is_drawn(pad: SketchPad, engine: Plain) -> None:
    pad.drawing = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.1)], 0.02))
    assert pad.wait(10)
    assert pad.image is not None
    assert pad.drawing.can_undo


def test_unknown_model_and_class(engine: Plain) -> None:
    with pytest.raises(ModelError, match="no model called"):
        SketchPad("nothing")
    with pytest.raises(ConfigError, match="this model knows ball, box"):
        SketchPad(engine, label="cow")


def test_it_shows_the_style_and_the_browsers_side_with_itself(pad: SketchPad, monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[object] = []
    monkeypatch.setattr("edgegan_widget.panels.frame.display", displayed.append)
    bundle = pad._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in str(bundle)
    assert "<script>" in displayed[0].data
    assert "cdn" not in displayed[0].data


def test_the_shipped_model_behind_the_pad() -> None:
    pad = SketchPad(device="cpu")
    assert pad.label == "sneaker"
    draw(pad, (0.1, 0.6), (0.1, 0.4), (0.5, 0.45), (0.9, 0.6), (0.1, 0.6))
    assert pad.wait(60)
    assert pad.image is not None
    assert pad.image.std() > 5, "a picture, not a plain area"
    pad.close()


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """A model folder of boxes and mugs with random weights, of 128 pixels."""
    config = ModelConfig(("box", "mug"), "compact", size_px=128, style_size=16, width=4, edge_channels=1)
    save_model(tmp_path / "mugs", build_networks(config))
    return tmp_path / "mugs"


def test_another_model_takes_over_what_is_drawn(pad: SketchPad, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad.label = "box"
    pad.use_model(other_model)
    assert pad.wait(60)
    assert complaint(pad) == ""
    assert pad.label == "box", "the chosen class stays where the model knows it"
    assert [value for _, value in find(pad, "Draw a").options] == ["box", "mug"]
    assert pad.sketch.shape == (128, 128)
    assert pad.image is not None
    assert pad.image.shape == (128, 128, 3)
    assert "model mugs" in said(pad)
    pad.label = "mug"
    assert pad.wait(60)
    assert complaint(pad) == ""


def test_a_class_that_the_new_model_does_not_know_gives_way(pad: SketchPad, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert pad.label == "ball"
    pad.use_model(other_model)
    assert pad.label == "box"
    assert pad.wait(60)
    tell(pad, do="open", number=pad.kept[0].number)
    assert pad.wait(60)
    assert "does not know the class ball" in complaint(pad), "the history may hold classes of the model before"


def test_a_model_that_cannot_be_used_changes_nothing(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    with pytest.raises(ModelError, match="no model called"):
        pad.use_model("nothing")
    pad.label = "box"
    assert pad.wait(10)
    assert engine.calls[-1][0] == "box"


def test_a_model_whose_weights_are_broken_gives_way_to_the_one_before(
    pad: SketchPad, engine: Plain, other_model: Path
) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    weights = next(other_model.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    pad.use_model(other_model)
    assert pad.wait(60)
    assert complaint(pad)
    assert [value for _, value in find(pad, "Draw a").options] == ["ball", "box"]
    draw(pad, (0.2, 0.8), (0.8, 0.2))
    assert complaint(pad) == ""
    assert engine.calls[-1][0] == pad.label


def test_a_picture_of_the_model_before_is_not_shown(pad: SketchPad, engine: Plain, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    engine.go.clear()
    asked = len(engine.calls)
    find(pad, "Another look").click()
    while engine.waiting == asked:
        time.sleep(0.01)
    pad.use_model(other_model)
    engine.go.set()
    assert pad.wait(60)
    assert pad.image is not None
    assert pad.image.shape == (128, 128, 3)


# A picture larger than its sketch, with alpha ------------------------------------------------------------------------


def offers_transparent(pad: SketchPad) -> bool:
    return "Picture without paper" in options(styled(pad, "eg-save-what")[0])


def test_a_model_whose_picture_is_larger_than_its_sketch(pad: SketchPad, sent: list[Any], tmp_path: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert not offers_transparent(pad)
    pad.use_model(saved_modulated(tmp_path / "large"))
    find(pad, "Variations").value = 2
    assert pad.wait(60)
    assert complaint(pad) == ""
    assert (pad.sketch.shape, pad.image.shape) == ((64, 64), (128, 128, 3))
    assert picture(pad).size == (128, 128)
    assert picture(pad, "eg-edge").size == (64, 64)
    name, content = saved(pad, sent, "transparent")
    assert name == "ball_transparent.png"
    assert np.array_equal(np.asarray(opened(content)), pad.result.rgba[0])
    assert opened(saved(pad, sent, "transparent", size=512)[1]).mode == "RGBA"
    name, content = saved(pad, sent, "picture", size=0)
    assert np.array_equal(np.asarray(opened(content)), pad.image)
    assert opened(saved(pad, sent, "both")[1]).size == (1024, 512)


def test_a_model_without_alpha_takes_the_choice_away_again(pad: SketchPad, other_model: Path, tmp_path: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad.use_model(saved_modulated(tmp_path / "large"))
    assert offers_transparent(pad)
    pad.use_model(other_model)
    assert not offers_transparent(pad)
    assert pad.wait(60)


def test_a_loaded_engine_with_alpha(tmp_path: Path) -> None:
    made = SketchPad(EdgeGAN.from_pretrained(saved_modulated(tmp_path / "large"), device="cpu"))
    assert offers_transparent(made)
    draw(made, (0.2, 0.2), (0.8, 0.8))
    assert made.result.alpha is not None
    made.close()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))

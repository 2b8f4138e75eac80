from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.words import class_named, known_class, sort_out, spoken
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.sets.folders import class_asked
from edgegan_widget.training.dataset import load_data
from tests.screen import find, options

CLASSES = ("cat", "flip_flop", "formal_shoe", "sunglasses", "tshirt")


@pytest.mark.parametrize(
    ("name", "words"),
    [("tshirt", "T-shirt"), ("flip_flop", "flip-flop"), ("formal_shoe", "formal shoe"), ("sunglasses", "sunglasses")],
)
def test_names_as_people_write_them_are_understood_as_well(name: str, words: str) -> None:
    assert spoken(name) == words
    assert class_named(words, CLASSES) == name
    assert class_named(words.upper(), CLASSES) == name


@pytest.mark.parametrize("given", ["t-shirt", "T-shirt", "t shirt", "T_SHIRT", "tshirt"])
def test_a_class_is_found_however_it_is_typed(given: str) -> None:
    assert known_class(given, CLASSES) == "tshirt"
    assert class_asked(f"people/{given}", CLASSES) == "tshirt"


def test_a_name_that_is_there_as_given_comes_first() -> None:
    assert class_named("flip-flop", ("flip_flop", "flip-flop")) == "flip-flop"
    assert class_named("", ("", "cat")) == ""


def test_a_number_is_taken_where_it_is_typed() -> None:
    assert known_class("2", CLASSES) == "formal_shoe"
    assert known_class("2", ("cat", "1", "2")) == "2"
    assert class_named("2", CLASSES) is None, "a folder of that name is no class"
    with pytest.raises(ConfigError, match="the class is '5'"):
        known_class("5", CLASSES)


def test_accents_may_be_written_either_way() -> None:
    assert class_named("cafe\u0301", ("caf\u00e9",)) == "caf\u00e9"


def test_what_was_probably_meant_is_told() -> None:
    with pytest.raises(ConfigError, match=r"is 'flipflp' \(did you mean flip_flop\?\); this model knows cat, "):
        known_class("flipflp", CLASSES)
    with pytest.raises(ConfigError, match=r"the class is 'xylophone'; this model knows"):
        known_class("xylophone", CLASSES)
    assert sort_out(["Cat", "cat", "formal-shoe", "shirt", "owl"], CLASSES) == (
        ("cat", "formal_shoe"), ["shirt (did you mean tshirt?)", "owl"],
    )  # fmt: skip


def test_the_model_and_the_pad_take_any_of_them(tmp_path: Path) -> None:
    model = EdgeGAN.from_pretrained("default", "cpu")
    paper = np.full((64, 64), 255, np.uint8)
    pictures = [model.generate(paper, label).image for label in ("tshirt", "T-shirt")]
    assert np.array_equal(*pictures)
    with pytest.raises(ConfigError, match=r"did you mean sneaker\?"):
        model.generate(paper, "snaeker")
    pad = SketchPad(model, label="flip flop")
    assert pad.label == "flip_flop"
    assert {"T-shirt", "flip-flop", "formal shoe"} <= set(options(find(pad, "Draw a")))
    pad.close()


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sketch = Image.new("L", (64, 64), 255)
    sketch.paste(0, (10, 30, 54, 32))
    sketch.save(tmp_path / "sketch.png")
    command = ["generate", str(tmp_path / "sketch.png"), "--out", str(tmp_path / "picture.png"), "--device", "cpu"]
    assert main([*command, "--class", "t-shirt"]) == 0
    assert "picture.png: T-shirt in" in capsys.readouterr().out
    for given in ("16", "T-shirt", " tshirt "):
        assert main([*command, "--class", given]) == 0
        assert "picture.png: T-shirt in" in capsys.readouterr().out
    assert main([*command, "--class", "T-shrt"]) == 1
    assert "did you mean tshirt?" in capsys.readouterr().err


def test_training_data_is_found_by_them(tmp_path: Path) -> None:
    for name in ("flip_flop", "tshirt"):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.new("RGB", (64, 64), "red").save(tmp_path / "train" / name / "1.png")
    data = load_data(tmp_path, "train", classes=["T-Shirt"])
    assert (data.classes, len(data)) == (("tshirt",), 1)
    assert load_data(tmp_path, "train").only(["flip-flop"]).classes == ("flip_flop",)
    with pytest.raises(DataError, match=r"no folder for t-shrt \(did you mean tshirt\?\)"):
        load_data(tmp_path, "train", classes=["t-shrt"])

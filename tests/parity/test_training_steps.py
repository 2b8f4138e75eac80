"""Gradients and whole training steps in float64 against the original's float32 graph.

A rectifier whose input lies within float32 noise of zero may open in one run and not in the other, and move the
gradients behind it. With these vectors that happens nowhere: every sample of every array agrees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch

from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.tensorflow.convert import Link, links
from edgegan_widget.training.recipes.paper.step import Recipe
from tests.parity.original import Inputs, build, golden, inputs, our_tensors, to_theirs

GRADIENTS = golden("gradients")
# A bias in front of an instance norm has no effect: its true gradient is 0, and what either side computes is noise.
NOISE = 1e-6

Loss = Callable[[Recipe, Inputs, tuple[torch.Tensor, torch.Tensor]], torch.Tensor]


def _of_generator(number: int) -> Loss:
    """The whole loss of G_E (1) or G_I (2): the term they share and their own."""

    def loss(recipe: Recipe, given: Inputs, drawn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        terms = recipe.loss_generators(given, drawn)
        return terms[0] + terms[number]

    return loss


LOSSES: dict[str, Loss] = {
    "joint_dis_dloss": Recipe.loss_joint,
    "image_dis_dloss": Recipe.loss_image,
    "edge_dis_dloss": Recipe.loss_edge,
    "loss_d_ac": Recipe.loss_classifier,
    "edge_gloss": _of_generator(1),
    "image_gloss": _of_generator(2),
    "zl_loss": Recipe.loss_latent,
}


def links_by_name(recipe: Recipe) -> dict[str, Link]:
    return {link.theirs: link for link in links(recipe.networks, recipe.critics)}


def sampled(flat: torch.Tensor, most: int) -> np.ndarray:
    """The golden tables' choice of elements of a flat array."""
    count = flat.numel()
    if count <= most:
        return flat.numpy()
    return flat[torch.arange(most) * count // most].numpy()


class Drawn(NamedTuple):
    """The original's weights, the golden batch, and what the generators draw of it; the graph behind it is kept."""

    recipe: Recipe
    given: Inputs
    drawn: tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def drawn_once(original_weights: dict[str, np.ndarray]) -> Drawn:
    recipe = build(original_weights, torch.float64)
    given = inputs(golden("forward"), torch.float64)
    condition = class_condition(given["labels"], recipe.model).double()
    return Drawn(recipe, given, recipe.networks.decode(given["latent"], condition))


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_gradients(loss: str, drawn_once: Drawn) -> None:
    recipe, given, drawn = drawn_once
    by_name = links_by_name(recipe)
    ours = our_tensors(recipe)
    names = [str(name) for name in GRADIENTS[f"{loss}__names"]]
    wanted = [ours[by_name[name].ours] for name in names]
    gradients = torch.autograd.grad(LOSSES[loss](recipe, given, drawn), wanted, retain_graph=True)
    tolerance = 1e-4 if loss.endswith("dis_dloss") else 1e-3
    for number, (name, gradient) in enumerate(zip(names, gradients)):
        start, end = GRADIENTS[f"{loss}__offsets"][number : number + 2]
        theirs = GRADIENTS[f"{loss}__samples"][start:end]
        rms = GRADIENTS[f"{loss}__l2"][number] / np.sqrt(GRADIENTS[f"{loss}__sizes"][number])
        difference = np.abs(sampled(to_theirs(by_name[name], gradient), 64) - theirs)
        if rms < NOISE:
            assert difference.max() < 10 * NOISE, name
            continue
        assert difference.max() <= tolerance * rms, (name, difference.max() / rms)


@pytest.fixture(scope="module")
def after_steps(original_weights: dict[str, np.ndarray]) -> dict[int, dict[str, torch.Tensor]]:
    """All weights, flat in the original's layout, after 0, 1, 2 and 5 steps.

    The last three, of which lengths alone are compared, are taken in the original's own precision: in a fifth of the
    time.
    """
    recipe = build(original_weights, torch.float64)
    arrays = golden("train")
    kept = {0: _flat_weights(recipe)}
    for step in range(5):
        if step == 2:
            recipe = _in_single_precision(recipe, original_weights)
        recipe.updates([inputs(arrays, torch.float32 if step >= 2 else torch.float64, step)])
        if step + 1 in (1, 2, 5):
            kept[step + 1] = _flat_weights(recipe)
    return kept


def _in_single_precision(recipe: Recipe, original_weights: dict[str, np.ndarray]) -> Recipe:
    """The same state in float32."""
    single = build(original_weights, torch.float32)
    single.networks.load_state_dict(recipe.networks.state_dict())
    single.critics.load_state_dict(recipe.critics.state_dict())
    for name, optimizer in single.optimizers.items():
        optimizer.load_state_dict(recipe.optimizers[name].state_dict())
    return single


def _flat_weights(recipe: Recipe) -> dict[str, torch.Tensor]:
    ours = our_tensors(recipe)
    return {name: to_theirs(link, ours[link.ours].detach()).clone() for name, link in links_by_name(recipe).items()}


@pytest.mark.parametrize(("step", "tolerance"), [(1, 1e-5), (2, 1e-4)])
def test_weights_after_steps(step: int, tolerance: float, after_steps: dict[int, dict[str, torch.Tensor]]) -> None:
    arrays = golden("train")
    compared = 0
    for number, name in enumerate(arrays[f"step{step}__names"]):
        if name not in after_steps[step]:
            continue
        start, end = arrays[f"step{step}__offsets"][number : number + 2]
        theirs = arrays[f"step{step}__samples"][start:end]
        worst = np.abs(sampled(after_steps[step][name], 48) - theirs).max()
        assert worst <= tolerance, (name, worst)
        compared += 1
    assert compared == len(after_steps[step])


def test_length_of_each_modules_move_after_five_steps(after_steps: dict[int, dict[str, torch.Tensor]]) -> None:
    arrays = golden("train")
    ours: dict[str, float] = {}
    theirs: dict[str, float] = {}
    for name, length in zip(arrays["step5__names"], arrays["step5__delta_l2"]):
        if name in after_steps[5]:
            module = str(name).split("/")[0]
            moved = (after_steps[5][name] - after_steps[0][name]).norm().item()
            ours[module] = ours.get(module, 0) + moved**2
            theirs[module] = theirs.get(module, 0) + length**2
    assert set(ours) == {"D", "D2", "D_patch2", "D_patch3", "E", "G1", "G2"}
    for module in ours:
        assert (ours[module] / theirs[module]) ** 0.5 == pytest.approx(1, abs=0.02), module

"""Closer to the lines: the latent is moved until the network's own edge map meets the drawing.

Lu, Wu, Tai and Tang, "Image Generation from Sketch Constraint Using Contextual GAN", ECCV 2018, section 3.2: the latent
follows the gradient of a contextual loss, by which what the network draws meets the sketch, and of a perceptual loss,
which keeps it where pictures are. Here G_E tells the network's own lines, which are compared with the drawn ones as
they are and blurred, so that a line is drawn to another one beside it; and E's own latent stands for the perceptual
loss: to be near it costs nothing. Only G_E is asked on the way, since G_I reads the same latent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.units import F32, U8, to_unit
from edgegan_widget.networks.store import Networks

__all__ = ["STEPS", "approach", "approach_lines"]

STEPS = 12  # at closeness 1; below it fewer in proportion
BLURS_PX = (1, 3)
RATE = 0.2  # Adam's; latents deviate by 0.8 or 1
STAY = 0.01  # weight of the mean square distance to E's latent
SHOWN_EVERY = 3  # steps


def approach(
    networks: Networks, sketches: Tensor, conditions: Tensor, latents: Tensor, closeness: float
) -> Iterator[Tensor]:
    """Latents on their way to the drawing's lines, the last ones last.

    Parameters
    ----------
    networks
        For drawing, in float32; their weights are not changed.
    sketches
        float32 [N, 1, s, s] in [-1, 1], paper 1.
    conditions
        float32 [N, K].
    latents
        float32 [N, latent_size], as E read them from the sketches.
    closeness
        From 0 (not moved) to 1.
    """
    config = networks.config
    size = min(config.shape_size, latents.shape[1])
    shapes, rest = latents[:, :size], latents[:, size:]
    moved = shapes.clone().requires_grad_(True)
    wanted = _blurred((1 - sketches) / 2)
    optimizer = torch.optim.Adam([moved], lr=RATE, betas=(0.9, 0.99))
    steps = round(STEPS * closeness)
    for step in range(1, steps + 1):
        with torch.enable_grad():
            edges = networks.edges(torch.cat([moved, rest], dim=1), conditions)
            ink = _blurred((1 - edges.mean(dim=1, keepdim=True)) / 2)
            # Sums over rows, so that what becomes of one does not depend on how many there are.
            squares = [(one - other).square().mean(dim=(1, 2, 3)).sum() for one, other in zip(ink, wanted)]
            loss = torch.stack(squares).sum() + STAY * (moved - shapes).square().mean(dim=1).sum()
            (moved.grad,) = torch.autograd.grad(loss, [moved])
        optimizer.step()
        if step % SHOWN_EVERY == 0 or step == steps:
            yield torch.cat([moved.detach(), rest], dim=1)


def approach_lines(networks: Networks, sketch: U8, condition: F32, latents: F32, closeness: float) -> Iterator[F32]:
    """:func:`approach` for variations of one drawing as arrays.

    Of a sketch [s, s], condition [1, K] and latents [N, L]; each time the latents [N, L] of all variations.
    """
    device = next(networks.parameters()).device
    lines = to_unit(torch.from_numpy(np.ascontiguousarray(sketch)).to(device))[None, None]
    of_class, given = (torch.from_numpy(one).to(device) for one in (condition, latents))
    size = networks.config.shape_size
    # Variations of most models differ in style alone: what is moved is then one for all.
    moving = given[:1] if bool((given[:, :size] == given[:1, :size]).all()) else given
    moves = len(moving)
    for moved in approach(networks, lines.expand(moves, -1, -1, -1), of_class.expand(moves, -1), moving, closeness):
        yield torch.cat([moved[:, :size].expand(len(given), -1), given[:, size:]], dim=1).cpu().numpy()


def _blurred(ink: Tensor) -> list[Tensor]:
    """Ink [N, 1, s, s] as it is and blurred."""
    return [F.avg_pool2d(ink, width, 1, width // 2) for width in BLURS_PX]

"""Grids of pictures that show how a run comes along: the same latents and the same drawings, time after time."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor

from edgegan_widget.base.chance import stream
from edgegan_widget.base.units import to_u8
from edgegan_widget.networks.architectures.modulated import STYLES, ModulatedEdgeGAN
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.store import Networks
from edgegan_widget.training.dataset import Batch, PairDataset

__all__ = ["draw_sketches", "latent_grid", "people_grid", "shown_of", "sketch_grid", "style_grid"]

SHOWN_PER_CLASS = 2
LATENTS_PER_CLASS = 4
DRAWN_AT_ONCE = 64


def shown_of(pictures: PairDataset) -> Batch:
    """The first pictures of each class, which every grid shows."""
    labels = pictures.labels.cpu()
    rows = [torch.nonzero(labels == label)[:SHOWN_PER_CLASS, 0] for label in range(len(pictures.classes))]
    return pictures.take(torch.cat(rows))


@torch.no_grad()
def draw_sketches(networks: Networks, batch: Batch, turns: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Edge maps and pictures [N, C, S, S] in [-1, 1] of a batch's sketches, as the pad draws them.

    ``turns`` int64 [N] takes the styles of these numbers, where the model keeps any, instead of the most usual one.
    """
    config = networks.config
    edges, images = [], []
    with _drawing(networks):
        for rows in torch.arange(len(batch.labels)).split(DRAWN_AT_ONCE):
            here = rows.to(batch.labels.device)
            condition = class_condition(batch.labels[here], config)
            sketches = batch.sketches[here].expand(-1, config.edge_channels, -1, -1)
            noise = usual_noise(networks, batch.labels[here], None if turns is None else turns[rows])
            edge, image = networks.decode(networks.encode(sketches, condition, noise), condition)
            edges.append(edge.float())
            images.append(image.float())
    return torch.cat(edges), torch.cat(images)


def usual_noise(networks: Networks, labels: Tensor, turns: Tensor | None = None) -> Tensor:
    """What makes the most likely picture of each class: none, or where styles are kept its most usual style; [N, n].

    With ``turns`` int64 [N] it is the style of that number.
    """
    if isinstance(networks, ModulatedEdgeGAN):
        return networks.styles[labels, 0 if turns is None else turns.to(labels.device) % STYLES]
    return torch.zeros(len(labels), networks.noise_size, device=labels.device)


def sketch_grid(networks: Networks, shown: Batch) -> Image.Image:
    """Blocks of photo | its edge map, which is the input | drawn edge map | picture."""
    edges, images = draw_sketches(networks, shown)
    columns = [_tile(part, images.shape[-1]) for part in (shown.images, shown.sketches, edges, images)]
    tiles = torch.cat(columns, dim=3)  # [N, 3, S, 4 S]
    return _side_by_side(tiles, blocks=min(4, math.ceil(len(tiles) / 4)))


def people_grid(networks: Networks, sketches: Tensor, labels: Tensor) -> Image.Image:
    """Blocks of a person's drawing [N, 1, h, w] | drawn edge map | picture."""
    edges, images = draw_sketches(networks, Batch(sketches, sketches, sketches, labels))
    tiles = torch.cat([_tile(part, images.shape[-1]) for part in (sketches, edges, images)], dim=3)  # [N, 3, S, 3 S]
    return _side_by_side(tiles, blocks=min(5, math.ceil(len(tiles) / 4)))


def _tile(pictures: Tensor, side_px: int) -> Tensor:
    """Pictures or edge maps as uint8 [N, 3, side_px, side_px], without alpha."""
    scale = side_px // pictures.shape[-1]
    whole = to_u8(pictures[:, :3]).expand(-1, 3, -1, -1).cpu()
    return whole.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)


def style_grid(networks: ModulatedEdgeGAN, shown: Batch) -> Image.Image:
    """The first drawing of each class in some styles of its bank."""
    firsts = [torch.nonzero(shown.labels == label)[:1, 0] for label in shown.labels.unique()]
    sketches, labels = (part[torch.cat(firsts)].repeat_interleave(LATENTS_PER_CLASS, 0)
                        for part in (shown.sketches, shown.labels))  # fmt: skip
    turns = torch.arange(len(labels)) % LATENTS_PER_CLASS
    _, images = draw_sketches(networks, Batch(sketches, sketches, sketches, labels), turns)
    tiles = to_u8(images[:, :3]).cpu().unflatten(0, (-1, LATENTS_PER_CLASS))  # [K, styles, 3, S, S]
    return _side_by_side(torch.cat(list(tiles.unbind(1)), dim=3), blocks=min(4, math.ceil(len(tiles) / 4)))


@torch.no_grad()
def latent_grid(networks: Networks, seed: int) -> Image.Image:
    """Pictures of fixed random latents: a class a row (or a column where there are many), the same latents in each."""
    config = networks.config
    device = next(networks.parameters()).device
    latent = torch.randn(LATENTS_PER_CLASS, config.latent_size, generator=stream(seed, 0, "latents")).to(device)
    tiles = []
    with _drawing(networks):
        for label in range(len(config.classes)):
            labels = torch.full((len(latent),), label, device=device)
            edge, image = networks.decode(latent, class_condition(labels, config))
            pair = torch.cat([edge.float().expand(-1, 3, -1, -1), image.float()], dim=2)  # edge map above its picture
            tiles.append(torch.cat(list(to_u8(pair).cpu()), dim=2))
    rows = torch.stack(tiles)  # [K, 3, 2 S, 4 S]
    return _side_by_side(rows, blocks=min(4, math.ceil(len(rows) / 4)))


@contextlib.contextmanager
def _drawing(networks: Networks) -> Iterator[None]:
    was_training = networks.training
    networks.eval()
    try:
        yield
    finally:
        networks.train(was_training)


def _side_by_side(tiles: Tensor, blocks: int) -> Image.Image:
    """Tiles [N, 3, H, W] uint8 below each other in ``blocks`` columns, a little apart."""
    tiles = torch.nn.functional.pad(tiles, (2, 2, 2, 2), value=255)
    per_block = math.ceil(len(tiles) / blocks)
    paper = torch.full((per_block * blocks - len(tiles), *tiles.shape[1:]), 255, dtype=tiles.dtype)
    parts = torch.split(torch.cat([tiles, paper]), per_block)
    grid = torch.cat([torch.cat(list(part), dim=1) for part in parts], dim=2)
    return Image.fromarray(grid.permute(1, 2, 0).contiguous().numpy())

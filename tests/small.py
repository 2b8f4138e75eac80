"""Runs that take a second or two: the drawn cut-outs, networks as narrow as they can be."""

from __future__ import annotations

from pathlib import Path

from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.kinds import kind_of

# On the command line, beside the data and the run folder:
SMALL_WORDS = [
    "--size", "64", "--width", "8", "--batch-size", "4", "--device", "cpu", "--precision", "float32", "--poses", "0",
    "--edges", "full,outline",
]  # fmt: skip


def small_run(preset: str, data: Path | str = "", out: Path | str = "", **changes: object) -> TrainConfig:
    """Two epochs of four pictures a step."""
    given: dict[str, object] = {"epochs": 2, "batch_size": 4, "width": 8, "device": "cpu", "precision": "float32"}
    if preset == "projected":
        given |= {"size_px": 64, "edges": "", "poses": 0.0, "hand_details": 0.0, "hand_proportions": 0.0}
    return TrainConfig.from_preset(preset, data=str(data), out=str(out), **(given | changes))


def pictures_of(config: TrainConfig, data: Path | str | None = None) -> PairDataset:
    """The training pictures as the run's recipe wants them."""
    import dataclasses

    given = config if data is None else dataclasses.replace(config, data=str(data))
    return kind_of(config.preset).step().load(given)[0]

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.sketch.schedule import parse_schedule, scheduled
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.kinds import kind_of
from tests.small import pictures_of, small_run

CURRICULUM = "0: full, hand 0; 10: full, outline, thin 2, hand 1"


def test_stages_are_interpolated_by_epoch() -> None:
    stages = parse_schedule(CURRICULUM)
    assert scheduled(stages, 0) == {"full": 1, "outline": 0, "thin": 0, "coarse": 0, "hand": 0}
    assert scheduled(stages, 5) == {"full": 1, "outline": 0.5, "thin": 1, "coarse": 0, "hand": 0.5}
    assert (
        scheduled(stages, 10) == scheduled(stages, 99) == {"full": 1, "outline": 1, "thin": 2, "coarse": 0, "hand": 1}
    )
    assert scheduled((), 3) == dict.fromkeys(("full", "outline", "thin", "coarse", "hand"), 1)
    assert scheduled(parse_schedule("5: thin"), 0)["thin"] == 1, "before the first stage its own weights hold"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("full", "write it as"),
        ("0: full many", "each stage needs one of"),
        ("0: photosketch=", "photosketch=FILE"),
        ("0: pencil", "each stage needs one of full, outline, thin, coarse"),
        ("0: hand 1", "each stage needs one of"),
        ("0: full -1", "each stage needs one of"),
        ("3: full; 1: thin", "its epochs must ascend"),
    ],
)
def test_schedules_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_preset("projected", edges="", edge_schedule=text)


def test_a_run_sees_edge_maps_first_and_sketches_later(shapes: Path) -> None:
    config = small_run("projected", shapes, edge_schedule=CURRICULUM, batch_size=8)
    data, recipe = pictures_of(config), kind_of("projected").step()
    recipe = recipe.Recipe(recipe.model_config(data.classes, config), config, torch.device("cpu"))
    early, late = recipe.inputs(data, 0), recipe.inputs(data, 20)  # two steps an epoch
    assert torch.equal(early["sketches_redrawn"], early["targets_redrawn"])
    assert (late["sketches_redrawn"] - late["targets_redrawn"]).abs().mean() > 0.02

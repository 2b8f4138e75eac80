"""Small things that many tests need: drawn pictures as data, and a small model.

PyTorch is loaded where a fixture needs it: what draws and prepares data is tested without it as well, see
``tests/soak/versions.py``.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.base.needs import has_torch
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.sets.folders import is_kept_for_testing
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.pad_desk import Plain

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CLASSES = ("ball", "box")


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of drawn cut-outs: eight balls and eight boxes to train on, three of each to look at."""
    root = tmp_path_factory.mktemp("shapes")
    random = np.random.default_rng(5)
    for split, count in (("train", 8), ("val", 3)):
        for name in CLASSES:
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                draw_shape(name, random).save(folder / f"{name}_{number}.png")
    return root


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """People's drawings in two folders: six of balls, two of which are kept for testing, and three of cats."""
    root = tmp_path / "people"
    for name, count in (("ball", 6), ("cat", 3)):
        wanted = {True: count // 3, False: count - count // 3}
        (root / "set" / name).mkdir(parents=True)
        for number in itertools.count():
            if not any(wanted.values()):
                break
            path = root / "set" / name / f"{number}.json"
            angles, radius = np.linspace(0, 2 * np.pi, 12), 0.3 + 0.005 * number
            stroke = Stroke.make([(0.5 + radius * np.cos(a), 0.5 + 0.3 * np.sin(a)) for a in angles], width=0.02)
            assert stroke is not None
            path.write_text(Drawing().add(stroke).to_json())
            kept = is_kept_for_testing(path)
            if not wanted[kept]:
                path.unlink()
            wanted[kept] = max(0, wanted[kept] - 1)
    return root


def draw_shape(name: str, random: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (128, 128), "white")
    draw = ImageDraw.Draw(picture)
    left, top = random.integers(8, 24, 2).tolist()
    corners = (left, top, 128 - left, 128 - top)
    colour = tuple(random.integers(20, 200, 3).tolist())
    (draw.ellipse if name == "ball" else draw.rectangle)(corners, fill=colour, outline=(0, 0, 0), width=3)
    draw.line((left + 20, 64, 108 - left, 64), fill=(0, 0, 0), width=3)
    return picture


@pytest.fixture(scope="session", autouse=True)
def _features_read_once() -> Iterator[None]:
    if not has_torch():
        yield
        return
    from edgegan_widget.networks.architectures.features import load_features
    from edgegan_widget.training.recipes.projected import step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "load_features", functools.cache(load_features))
        yield


@pytest.fixture
def small_config() -> TrainConfig:
    """A run that takes a second a step at most."""
    from tests.small import small_run

    return small_run("projected")


@pytest.fixture
def small_model() -> ModelConfig:
    return ModelConfig(CLASSES, "compact", style_size=16, width=4, edge_channels=1)


@pytest.fixture
def plain_model(tmp_path: Path, small_model: ModelConfig) -> Path:
    """A model of the older networks: 64 pixels, neither styles nor alpha."""
    from edgegan_widget.networks.store import build_networks, save_model

    save_model(tmp_path / "plain", build_networks(small_model))
    return tmp_path / "plain"


@pytest.fixture
def engine() -> Plain:
    """What draws for the pad of this test."""
    return Plain()


@pytest.fixture
def pad(engine: Plain) -> Iterator[SketchPad]:
    """A pad in a kernel, without a browser."""
    made = SketchPad(engine)
    assert made.wait(10)
    yield made
    made.close()


@pytest.fixture
def shared_data() -> Path:
    """Real photos and sketches, which may not be redistributed."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real photos and sketches are not here; their licences do not allow shipping them")
    return SHARED_DATA


@pytest.fixture(scope="session")
def original_weights() -> dict[str, np.ndarray]:
    """The original's weights behind the golden vectors."""
    from tests.parity.original import rebuilt_weights

    return rebuilt_weights()


@pytest.fixture(autouse=True)
def _same_chance() -> None:
    if has_torch():
        import torch

        torch.manual_seed(0)

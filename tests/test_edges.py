from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.edges import STYLES, edge_styles, silhouette, xdog
from edgegan_widget.files import picture_rgb_u8
from edgegan_widget.raster import LINE_WIDTH


def disc(side: int = 128) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    image = np.full((side, side, 3), 255, np.uint8)
    image[np.hypot(y - side / 2, x - side / 2) < side * 0.35] = (200, 60, 30)
    return image


def test_plain_paper_has_no_edges() -> None:
    paper = np.full((128, 128, 3), 255, np.uint8)
    assert (edge_styles(paper, 64) == 255).all()


def test_the_outline_lies_on_the_border() -> None:
    rows, columns = np.nonzero(silhouette(disc(), 2.0) < 128)
    radius = np.hypot(rows - 64, columns - 64)
    assert abs(radius.mean() - 0.35 * 128) < 1.5
    assert radius.std() < 1.5


def test_a_light_object_on_paper_has_an_outline() -> None:
    pale = disc()
    pale[pale[..., 2] < 255] = 240
    assert (silhouette(pale, 2.0) < 128).sum() > 200


def test_dark_areas_are_not_filled() -> None:
    assert (xdog(disc())[54:74, 54:74] == 255).all()


@pytest.mark.parametrize("size", [64, 128])
def test_styles_differ_as_they_are_named(size: int) -> None:
    image = disc(256)
    image[100:110, 90:170] = 0
    styles = dict(zip(STYLES, edge_styles(image, size)))
    ink = {name: (255 - plane.astype(float)).sum() for name, plane in styles.items()}
    assert styles["full"].shape == (size, size)
    assert ink["outline"] < ink["full"]
    assert ink["thin"] < ink["full"]
    assert ink["coarse"] > ink["outline"]


def test_the_rasterizer_draws_as_wide_as_the_edge_maps_lines(shared_data: Path) -> None:
    """A line of an outline has as much ink a pixel of length as the pad's thinnest line, within a quarter."""
    widths = []
    for path in sorted((shared_data / "objects14" / "val").rglob("*.png"))[::20]:
        full = (255 - edge_styles(picture_rgb_u8(path), 64)[0].astype(float)) / 255
        across = full[:, 8:56]
        first = across.argmax(axis=0)
        inside = across.max(axis=0) > 0.5
        widths += [float(column[top : top + 4].sum()) for column, top in zip(across.T[inside], first[inside])]
    assert np.median(widths) == pytest.approx(LINE_WIDTH * 64, rel=0.25)

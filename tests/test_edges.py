from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import ipywidgets as widgets
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import feature

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.panels.data.edge_look import EdgeLook
from edgegan_widget.sketch import sources
from edgegan_widget.sketch.contours import lines_apart, silhouette
from edgegan_widget.sketch.edges import draw, parse_sources
from edgegan_widget.sketch.hands.person import draw_as_person
from edgegan_widget.sketch.raster import LINE_WIDTH
from edgegan_widget.sketch.schedule import parse_schedule
from edgegan_widget.sketch.sources import Asked, EdgeSource, find, names, register, takes_file
from edgegan_widget.sketch.sources.canny import canny
from edgegan_widget.sketch.sources.contour import contour
from edgegan_widget.sketch.sources.trained import STYLES, edge_styles, xdog_lines
from edgegan_widget.sketch.sources.xdog import xdog

QUICK = [source for source in names() if not takes_file(source)]


def fields_of(box: widgets.Widget) -> Iterator[widgets.Widget]:
    for child in box.children:
        yield child
        yield from fields_of(child) if hasattr(child, "children") else ()


def disc(side: int = 128) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    image = np.full((side, side, 3), 255, np.uint8)
    image[np.hypot(y - side / 2, x - side / 2) < side * 0.35] = (200, 60, 30)
    return image


def shoe(side: int = 128) -> np.ndarray:
    """Something with a silhouette, parts of several shades, a stripe and texture; nothing in it is symmetric."""
    image = np.full((512, 512, 3), 255, np.uint8)
    cv2.ellipse(image, (240, 290), (190, 110), 10, 0, 360, (150, 90, 60), -1, cv2.LINE_AA)
    cv2.ellipse(image, (330, 310), (80, 60), 0, 0, 360, (60, 60, 160), -1, cv2.LINE_AA)
    cv2.line(image, (120, 220), (200, 360), (240, 220, 40), 18, cv2.LINE_AA)
    inked = image.min(axis=2) < 247
    image[inked] = np.clip(image[inked] + np.random.default_rng(0).normal(0, 6, (inked.sum(), 3)), 0, 240)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def ink(plane: np.ndarray) -> float:
    return float((255 - plane.astype(float)).sum() / 255)


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
    assert (xdog_lines(disc())[54:74, 54:74] == 255).all()


@pytest.mark.parametrize("size", [64, 128])
def test_styles_differ_as_they_are_named(size: int) -> None:
    image = disc(256)
    image[100:110, 90:170] = 0
    styles = dict(zip(STYLES, edge_styles(image, size)))
    assert styles["full"].shape == (size, size)
    assert ink(styles["outline"]) < ink(styles["full"])
    assert ink(styles["thin"]) < ink(styles["full"])
    assert ink(styles["coarse"]) > ink(styles["outline"])


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


def test_xdog_is_that_of_sketchycoco() -> None:
    """Against their program's formulas, pixel by pixel in double precision."""
    image = shoe()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / 255
    narrow, wide = (
        gaussian_filter(grey, sigma, mode="nearest", radius=int(np.ceil(2 * sigma))) for sigma in (0.6, 0.6 * 1.6)
    )
    difference = narrow - 0.945 * wide
    tones = np.array([[1 if d < -0.1 else 1 + np.tanh(200 * d) for d in row] for row in difference])
    wanted = (tones - tones.min()) / np.ptp(tones)
    wanted = np.where(wanted <= wanted.mean(), 0, 255)
    assert 0.01 < (wanted == 0).mean() < 0.5
    assert (xdog(image) != wanted).mean() < 1e-3


def test_their_xdog_fills_the_dark_and_ours_does_not() -> None:
    image = np.full((64, 64, 3), 255, np.uint8)
    image[16:48, 16:48] = 0
    assert (xdog(image)[24:40, 24:40] == 0).all()
    assert (xdog_lines(image)[24:40, 24:40] == 255).all()


def test_canny_agrees_with_scikit_image() -> None:
    image = shoe()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / 255
    slope_of_contrast = 8 / (1.4 * np.sqrt(2 * np.pi))  # its Sobel sums eight differences
    theirs = feature.canny(grey, 1.4, 0.06 * slope_of_contrast, 0.15 * slope_of_contrast)
    ours = canny(image) == 0
    near = [cv2.dilate(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for lines in (ours, theirs)]
    assert (theirs & near[0]).sum() > 0.97 * theirs.sum() > 100
    assert (ours & near[1]).sum() > 0.97 * ours.sum()


def test_canny_lines_have_the_width_asked_for() -> None:
    image = np.full((64, 64, 3), 255, np.uint8)
    image[:, 32:] = 100
    for line_px in (1.0, 2.5, 4.0):
        assert ink(canny(image, line_px=line_px)[32:33]) == pytest.approx(line_px, abs=0.2)


def test_a_contour_drawing_is_the_outline_and_the_main_lines() -> None:
    image = shoe(256)
    silent, main, busy = (contour(image, detail, 2.0) for detail in (0, 1, 2))
    outline = silhouette(image, 6.0) < 128
    assert (silent < 128).sum() > 300
    assert (outline | (silent > 128)).mean() > 0.999, "the silhouette alone"
    inner = cv2.erode(255 - silhouette(image, 12.0), np.ones((3, 3), np.uint8)) == 0
    assert ((main < 128) & inner).sum() > 200, "the toe cap and the stripe"
    assert ink(main) <= ink(busy)


def test_a_contour_drawing_leaves_texture_out() -> None:
    image = disc(256)
    y, x = np.mgrid[:256, :256]
    image[(image[..., 2] < 255) & ((x // 5 + y // 5) % 2 == 0)] = (20, 0, 0)
    assert ink(canny(image, 0.8)) > 3 * ink(contour(image, line_px=1.0))
    assert ink(contour(image, line_px=1.0)) == pytest.approx(2 * np.pi * 0.35 * 256, rel=0.1)


@pytest.mark.parametrize("line_px", [0.5, 1.0, 2.0, 3.7, 10.0])
def test_strokes_have_the_width_asked_for(line_px: float) -> None:
    around_px = 2 * np.pi * 0.35 * 256
    assert ink(contour(disc(256), line_px=line_px)) == pytest.approx(line_px * around_px, rel=0.1)


def test_contours_do_not_depend_on_the_size_of_the_picture() -> None:
    small, large = ([line for lines in lines_apart(shoe(side)) for line in lines] for side in (192, 512))
    lengths = [sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines) for lines in (small, large)]
    assert lengths[0] / 192 == pytest.approx(lengths[1] / 512, rel=0.15)


def test_the_frame_is_no_contour() -> None:
    """Where the picture's frame cuts the object nothing is drawn, and a photo without paper has no silhouette."""
    cut = contour(disc(128)[:, :64])
    assert ink(cut[:, -6:]) < 0.15 * ink(cut)
    full = np.full((64, 96, 3), 120, np.uint8)
    assert (contour(full) == 255).all()


@pytest.mark.parametrize("source", [source for source in QUICK if source != "person"])
def test_every_source_draws_a_mirrored_picture_mirrored(source: str) -> None:
    image = shoe()
    drawn, mirrored = draw(image, source, 64), draw(np.ascontiguousarray(image[:, ::-1]), source, 64)
    assert drawn.shape == (64, 64)
    assert drawn.dtype == np.uint8
    assert np.array_equal(drawn, draw(image, source, 64))
    assert 0.01 * 64 * 64 < ink(drawn) < 0.5 * 64 * 64
    blurred = [cv2.GaussianBlur(plane.astype(float), (0, 0), 1.5) for plane in (drawn, mirrored[:, ::-1])]
    assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.93


@pytest.mark.parametrize("source", sorted({*QUICK} - {"xdog", "person"}))
def test_more_detail_never_means_less_ink(source: str) -> None:
    image = shoe(256)
    amounts = [ink(draw(image, source, detail=detail)) for detail in (0.25, 1, 3)]
    assert amounts[0] <= 1.02 * amounts[1] <= 1.05 * amounts[2]


@pytest.mark.parametrize("source", QUICK)
@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (30, 3), (200, 120)])
def test_pictures_of_any_shape_are_drawn(source: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert draw(image, source).shape == shape
    assert max(draw(image, source, 50).shape) == 50


def test_less_detail_is_fewer_lines_of_xdog() -> None:
    parts = [cv2.connectedComponents(255 - draw(shoe(256), "xdog", detail=detail))[0] for detail in (0.3, 1)]
    assert parts[0] < parts[1]


def test_the_first_source_is_what_the_networks_learn() -> None:
    assert np.array_equal(draw(shoe(), "full", 64), edge_styles(shoe(), 64)[0])


def test_people_draw_the_same_picture_alike_and_others_otherwise() -> None:
    drawn = draw(shoe(), "person", 64)
    assert np.abs(drawn.astype(int) - draw_as_person(shoe(), 0, 64)).mean() < 3, "drawn larger, then reduced"
    assert np.array_equal(drawn, draw(shoe(), "person=0", 64))
    other, third = draw(shoe(), "person=7", 64), draw(shoe(), "person=8", 64)
    assert (drawn != other).any()
    assert (other != third).any()
    nearly = shoe()
    nearly[60, 60] ^= 1  # no line moves, so whatever differs is chance
    assert (draw(nearly, "person", 64) != drawn).any()


def test_the_option_edges() -> None:
    assert parse_sources("xdog, contour,photosketch=a/latest_net_G.pth") == (
        "xdog", "contour", "photosketch=a/latest_net_G.pth",
    )  # fmt: skip
    assert parse_sources("person,person=7") == ("person", "person=7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "name one or more"),
        ("xdog,xdog", "each once"),
        ("pencil", "choose one or more of full"),
        ("xdog=3", "choose one or more"),
        ("photosketch", "write photosketch=FILE"),
        ("photosketch128", "write photosketch128=FILE"),
        ("person=me", "a whole number"),
        ("person=-1", "a whole number"),
    ],
)
def test_sources_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_sources(text)


@pytest.mark.parametrize("source", ["full", "outline", "thin", "coarse", "contour"])
def test_a_mask_outlines_a_white_object(source: str) -> None:
    white = np.full((128, 128, 3), 255, np.uint8)
    mask = np.where(disc()[..., 2] < 255, 255, 0).astype(np.uint8)
    assert (draw(white, source) == 255).all()
    wanted, found = draw(disc(), source), draw(white, source, mask_u8=mask)
    outline = silhouette(disc(), 3.0) < 128
    assert ink(found[outline]) > 0.7 * min(ink(found), ink(wanted[outline]))
    assert ink(found) > 100
    with pytest.raises(DataError, match=r"give uint8 \[128, 128\]"):
        draw(white, source, mask_u8=mask[:50])


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ConfigError, match="detail is 9"):
        draw(shoe(), detail=9)
    with pytest.raises(ConfigError, match="must be above 0"):
        draw(shoe(), line_px=0.0)
    with pytest.raises(ConfigError, match="must be above 0"):
        draw(shoe(), size_px=0)
    with pytest.raises(DataError, match=r"uint8 \[H, W, 3\]"):
        draw(shoe()[..., 0])


def test_a_source_is_added_by_declaring_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stripes(image_u8: np.ndarray, asked: Asked) -> np.ndarray:
        drawn = np.full(image_u8.shape[:2], 255, np.uint8)
        drawn[:: int(asked.given or 8)] = 0
        return drawn

    monkeypatch.setattr(sources.REGISTRY, "items", sources.REGISTRY.known())
    register(EdgeSource("stripes", "lines across", stripes, takes="SEED"))
    assert (draw(disc(), "stripes=4")[::4] == 0).all()
    assert parse_sources("full,stripes") == ("full", "stripes")
    assert parse_schedule("0: full; 2: stripes=4 3")[1][1]["stripes=4"] == 3
    with pytest.raises(ConfigError, match="whole number"):
        find("stripes=few")
    for command in (["edges"], ["pack"], ["data", "from-folder"]):
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        assert "stripes=SEED" in "".join(capsys.readouterr().out.split())
    look = EdgeLook(lambda: None, lambda error: None)
    assert "stripes" in next(field for field in fields_of(look) if getattr(field, "description", "") == "Edges").options


def test_the_documentation_lists_every_source() -> None:
    page = (Path(__file__).parents[1] / "docs" / "edges.md").read_text("utf-8")
    assert not [name for name in names() if f"`{name}" not in page]

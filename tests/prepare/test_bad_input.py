"""Whatever a file or an annotation holds ends as a cut-out or as one sentence that names it."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgegan_widget.base import pictures
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.preparing.making import Job, make
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.data.sources import Making, Outcome, Region, Source

SIDE_PX = 24
JOB = Job(None, Making(32), 0.1)


def made(path: Path, **changes: Any) -> Outcome:
    return make(JOB, Source(path, path.name, (Region("id", "thing"),), **changes))


def drawn(mode: str = "RGB") -> Image.Image:
    pixels = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    pixels[5:18, 7:20] = np.add.outer(np.arange(13), np.arange(13))[..., None] * (7, 5, 3)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def deep(bits: int = 16) -> Image.Image:
    return Image.fromarray(np.round(np.asarray(drawn("L")) * ((2**bits - 1) / 255)).astype(np.uint16))


def deep_colours(suffix: str, bits: int) -> bytes:
    values = np.round(np.asarray(drawn())[..., ::-1] * ((2**bits - 1) / 255)).astype(np.uint16)
    return bytes(cv2.imencode(suffix, values)[1])


SEEDS = {
    "plain.png": encoded(drawn(), "PNG"),
    "alpha.png": encoded(drawn("RGBA"), "PNG"),
    "palette.png": encoded(drawn("P"), "PNG"),
    "deep.png": encoded(deep(), "PNG"),
    "12 bits.png": encoded(deep(12), "PNG"),
    "14 bits.tif": encoded(deep(14), "TIFF"),
    "fractions.tif": encoded(Image.fromarray(np.asarray(drawn("L"), np.float32) / 255), "TIFF"),
    "12 bits in colours.png": deep_colours(".png", 12),
    "10 bits in colours.tif": deep_colours(".tif", 10),
    "16 bits in colours.png": deep_colours(".png", 16),
    "plain.jpg": encoded(drawn(), "JPEG", quality=95, subsampling=0),
    "cmyk.jpg": encoded(drawn("CMYK"), "JPEG", quality=95),
    "animated.gif": encoded(drawn("P"), "GIF", save_all=True, append_images=[drawn("P").rotate(90)]),
    "plain.webp": encoded(drawn(), "WEBP"),
    "plain.bmp": encoded(drawn(), "BMP"),
    "plain.tif": encoded(drawn(), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", SEEDS)
def test_every_kind_of_picture_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(SEEDS[name])
    outcome = made(tmp_path / name)
    assert outcome.problems == []
    assert outcome.records[0]["measures"]["size_px"] == pytest.approx(13, abs=3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"no picture", "cannot be read as a picture"),
        (SEEDS["plain.jpg"][:300], "cannot be read as a picture"),
        (SEEDS["plain.png"][:-30], "cannot be read as a picture"),
        (encoded(Image.new("RGB", (9, 9), "white"), "PNG"), "nothing is on its white background"),
        (encoded(Image.new("RGB", (9, 9), "red"), "PNG"), "neither transparent nor near-white"),
        (encoded(Image.new("RGBA", (9, 9)), "PNG"), "the mask is empty"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ödd näme 'x'\t.png"
    path.write_bytes(content)
    outcome = made(path)
    assert outcome.records == []
    assert len(outcome.problems) == 1
    assert message in outcome.problems[0]
    assert str(path) in outcome.problems[0]


def test_another_format_under_the_name_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "it is a jpeg.png").write_bytes(SEEDS["plain.jpg"])
    assert made(tmp_path / "it is a jpeg.png").problems == []


def test_a_missing_file_a_folder_and_an_impossible_name(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path, tmp_path / "nul\0.png"):
        outcome = made(path)
        assert outcome.records == []
        assert len(outcome.problems) == 1


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 1_000_000
    assert "more than 64,000,000 pixels" in made(tmp_path / "bomb.png").problems[0]


def test_a_turned_photo_is_read_as_its_annotations_mean_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn().resize((30, 20)).save(tmp_path / "turned.jpg", exif=exif)
    polygon = [[4.0, 4.0, 12.0, 4.0, 12.0, 14.0, 4.0, 14.0]]
    for size, fine in (((30, 20), True), ((20, 30), True), ((31, 20), False)):
        source = Source(tmp_path / "turned.jpg", "t", (Region("id", "thing", polygon),), size_px=size)
        outcome = make(JOB, source)
        assert bool(outcome.records) == fine
        assert bool(outcome.problems) != fine


def write_coco(folder: Path, **changes: Any) -> Path:
    (folder / "a.png").write_bytes(SEEDS["plain.png"])
    content = {
        "categories": [{"id": 1, "name": "thing"}],
        "images": [{"id": 7, "file_name": "a.png", "width": SIDE_PX, "height": SIDE_PX}],
        "annotations": [
            {"id": 3, "image_id": 7, "category_id": 1, "iscrowd": 0, "segmentation": [[5, 5, 15, 5, 15, 15, 5, 15]]}
        ],
    }
    for name, change in changes.items():
        content[name][0] |= change
    (folder / "instances.json").write_text(json.dumps(content), "utf-8")
    return folder / "instances.json"


@pytest.mark.parametrize(
    "name", ["../b.png", "/etc/passwd", "..\\b.png", "b/../../b.png", "", "C:\\b.png", "a\0.png", 4]
)
def test_annotations_cannot_climb_out_of_the_folder(name: object, tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(SEEDS["plain.png"])
    (tmp_path / "below").mkdir()
    reader = CocoReader(tmp_path / "below", write_coco(tmp_path / "below", images={"file_name": name}))
    assert list(reader) == []
    assert len(reader.problems) == 1


@pytest.mark.parametrize("name", ["../a.png", "/home/me/a.png", "C:\\Users\\me\\a.png", "A.PNG", "/x/?d=up%2Fa.png"])
def test_a_name_from_elsewhere_means_the_one_file_of_that_name(name: str, tmp_path: Path) -> None:
    reader = CocoReader(tmp_path, write_coco(tmp_path, images={"file_name": name}))
    assert [source.path for source in reader] == [tmp_path / "a.png"]
    assert reader.problems == []
    (tmp_path / "more").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "more" / "a.png")
    (tmp_path / "most").mkdir()
    (tmp_path / "most" / "a.png").write_bytes(SEEDS["plain.png"])
    again = CocoReader(tmp_path, tmp_path / "instances.json")
    assert list(again) == []
    assert "any of 2 files" in again.problems[0]


@pytest.mark.parametrize(
    "segmentation",
    [
        [], [[]], [[1, 2, 3, 4]], [["a"] * 6], [[1, 2, float("nan"), 4, 5, 6]], [[[1, 2], [3]]], "text", 5, None,
        {}, {"size": [24, 24]}, {"size": [24, 24], "counts": [5]}, {"size": [24, 24], "counts": [-5, 581]},
        {"size": [9, 9], "counts": [81]}, {"size": [24, 24], "counts": "oooooooooooooooooo"},
        {"size": [24, 24], "counts": "ü\x00"}, {"size": "x", "counts": 5}, [[0, 0, 24, 24] * 9000],
        [[100, 100, 110, 100, 110, 110]],
    ],
)  # fmt: skip
def test_a_broken_mask_is_refused(segmentation: object, tmp_path: Path) -> None:
    reader = CocoReader(tmp_path, write_coco(tmp_path, annotations={"segmentation": segmentation}))
    outcomes = [make(JOB, source) for source in reader]
    assert [outcome.records for outcome in outcomes] == [[]]
    assert "a.png" in outcomes[0].problems[0]


def test_annotations_that_point_nowhere(tmp_path: Path) -> None:
    for changes in ({"image_id": 99}, {"category_id": 99}, {"image_id": "x"}, {"category_id": [1]}):
        reader = CocoReader(tmp_path, write_coco(tmp_path, annotations=changes))
        assert list(reader) == []
        assert len(reader.problems) == 1
    reader = CocoReader(tmp_path, write_coco(tmp_path, images={"file_name": "none.png"}))
    assert "none.png cannot be read" in make(JOB, next(iter(reader))).problems[0]


def test_a_crowd_is_left_out_counted_and_taken_if_asked(tmp_path: Path) -> None:
    annotations = write_coco(tmp_path, annotations={"iscrowd": 1})
    reader = CocoReader(tmp_path, annotations)
    assert list(reader) == []
    assert reader.problems == [f"{annotations}: 1 objects are marked as crowds; --crowds takes them."]
    assert len(list(CocoReader(tmp_path, annotations, crowds=True))) == 1


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"images": [', "[" * 100_000, '{"a": ' * 5000])
def test_broken_annotations_are_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"broken\.json .*\.$") as caught:
        CocoReader(tmp_path, tmp_path / "broken.json")
    assert "\n" not in str(caught.value)


MUTATIONS = st.tuples(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.one_of(st.none(), st.floats(0, 1)),
)


def mutated(content: bytes, mutation: tuple[list[tuple[float, int]], float | None]) -> bytes:
    changed, cut = bytearray(content), mutation[1]
    for at, value in mutation[0]:
        changed[int(at * len(changed))] = value
    return bytes(changed if cut is None else changed[: int(cut * len(changed))])


@pytest.fixture(scope="module")
def scratch() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutated header may ask for 64 million pixels, which is allowed but slow."""
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1_000_000)


@pytest.mark.usefixtures("small_limit")
def test_mutated_pictures_end_as_a_record_or_a_sentence(scratch: Path) -> None:
    @settings(max_examples=1400, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(sorted(SEEDS)), MUTATIONS)
    def mutate(name: str, mutation: tuple[list[tuple[float, int]], float | None]) -> None:
        path = scratch / name
        path.write_bytes(mutated(SEEDS[name], mutation))
        outcome = made(path)
        assert len(outcome.records) + len(outcome.problems) == 1
        assert all(str(path) in problem and "\n" not in problem for problem in outcome.problems)

    mutate()


def test_mutated_annotations_end_as_a_record_or_a_sentence(scratch: Path) -> None:
    content = write_coco(scratch).read_bytes()
    runs = {"size": [SIDE_PX, SIDE_PX], "counts": "55d05a0"}
    compressed = write_coco(scratch, annotations={"segmentation": runs}).read_bytes()

    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from([content, compressed]), MUTATIONS)
    def mutate(text: bytes, mutation: tuple[list[tuple[float, int]], float | None]) -> None:
        path = scratch / "mutated.json"
        path.write_bytes(mutated(text, mutation))
        try:
            reader = CocoReader(scratch, path)
            for source in reader:
                outcome = make(JOB, source)
                assert len(outcome.records) + len(outcome.problems) >= 1
        except (DataError, ConfigError):
            return
        assert all("\n" not in problem for problem in reader.problems)

    mutate()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_object_annotated_in_stored_pixels_is_cut_out_upright(orientation: int, tmp_path: Path) -> None:
    upright = np.full((40, 60, 3), 90, np.uint8)
    upright[10:30, 12:24], upright[10:20, 12:18] = (200, 40, 40), (40, 40, 200)  # a corner that tells all turns apart
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
            7: Image.Transpose.TRANSVERSE}  # fmt: skip
    stored = Image.fromarray(upright)
    inside = Image.fromarray(np.uint8(255) * (upright[..., 1] == 40))
    if orientation > 1:
        stored, inside = stored.transpose(back[orientation]), inside.transpose(back[orientation])
    stored.save(tmp_path / "p.png", exif=exif)
    flat = np.asarray(inside).flatten("F") > 0
    size = [stored.height, stored.width]
    runs = np.diff([0, *(np.flatnonzero(np.diff(flat)) + 1), flat.size]).tolist()
    source = Source(
        tmp_path / "p.png", "p", (Region("id", "thing", {"size": size, "counts": runs}),), size_px=stored.size
    )
    job = Job(tmp_path / "out", Making(64, margin=0.1), 0.0)
    assert make(job, source).problems == []
    made_u8 = np.asarray(Image.open(tmp_path / "out" / "train" / "thing" / "id.png"))
    assert made_u8[12, 26].tolist() == pytest.approx([40, 40, 200], abs=30)
    assert made_u8[50, 38].tolist() == pytest.approx([200, 40, 40], abs=30)

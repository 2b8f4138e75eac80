"""Each promise as a function of trials and chance that fails where the promise is broken."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import string
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import psutil
from PIL import Image

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.files import safe_join
from edgegan_widget.base.pictures import open_picture
from edgegan_widget.data.annotations.pictures import PictureFinder
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.panels.run_lines import log_html
from edgegan_widget.panels.widgets import error_html
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.sketch.trace import read_sketch
from tests.soak.engines import a_killed_engine_loses_nothing

__all__ = ["PROMISES", "Promise"]

NAMES = [
    "..",
    ".",
    "",
    "a",
    "b.png",
    "C:",
    "~",
    "é",
    "\0",
    "\n",
    "a" * 300,
    "con",
    "%2e%2e",
    "…",
    "\u202e",
    "//",
    "?d=",
]
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg onload=1>",
    "&lt;b&gt;",
    "</style>",
    "]]>",
]
CASES = Path(__file__).parents[1] / "cases"  # what people brought
MOST_SEED_BYTES = 20_000
FREE_OF_MARKUP = ("<script", "<img", "<svg", "</style")


@dataclass(frozen=True)
class Promise:
    """What is promised, how many trials a full run takes, and the trials; these return what is worth telling.

    ``probe`` trials tell how long one takes; with none the run is always the full one.
    """

    text: str
    trials: int
    hold: Callable[[int, Random], str]
    probe: int = 20


def no_name_leaves_its_folder(trials: int, chance: Random) -> str:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "root").resolve()
        (root / "a").mkdir(parents=True)
        (root / "a" / "b.png").touch()
        Path(place, "b.png").touch()
        finder, taken = PictureFinder(root), 0
        for _ in range(trials):
            joint = chance.choice("/\\")
            name = joint.join(chance.choice(NAMES) for _ in range(chance.randint(1, 6)))
            for find in (lambda: safe_join(root, name), lambda: finder.find(name)):  # noqa: B023
                try:
                    path = find()
                except EdgeGANError:
                    continue
                taken += 1
                assert Path(os.path.normpath(path)).is_relative_to(root), name
    return f"{taken:,} taken, none outside"


def any_strokes_are_survived(trials: int, chance: Random) -> str:
    drawing, most = Drawing(), 0
    for _ in range(trials):
        act = chance.random()
        if act < 0.7:
            points = [[_number(chance), _number(chance), chance.random()] for _ in range(chance.randint(0, 5))]
            with contextlib.suppress(EdgeGANError):  # no brush is that wide
                drawing = drawing.add(Stroke.make(points, abs(_number(chance)), chance.choice(["pen", "eraser"])))
        else:
            drawing = chance.choice([drawing.undo, drawing.redo, drawing.clear, drawing.fitted])()
        most = max(most, len(drawing))
        if chance.random() < 0.02:
            sketch = rasterize(drawing, 64)
            assert sketch.shape == (64, 64)
            again = Drawing.from_json(drawing.to_json())
            assert [stroke.tool for stroke in again.strokes] == [stroke.tool for stroke in drawing.strokes]
            assert np.abs(rasterize(again, 64).astype(int) - sketch).max() <= 64, "coordinates are rounded, no more"
        if len(drawing) > 60:
            drawing = drawing.clear()
    return f"up to {most} strokes at once"


def _number(chance: Random) -> float:
    return chance.choice([chance.random(), chance.gauss(0, 3), 0.0, 1.0, -1e9, 1e300, float("nan"), float("inf")])


def broken_drawings_end_in_a_sentence(trials: int, chance: Random) -> str:
    stroke = Stroke.make([(0.1, 0.2, 0.0), (0.8, 0.7, 0.1), (0.3, 0.9, 0.2)], 0.02)
    drawing = Drawing().add(stroke)
    seeds = [drawing.to_json().encode(), drawing.to_svg().encode(), _picture("PNG"), _picture("JPEG")]
    suffixes = [".json", ".svg", ".png", ".jpg"]
    brought = [path for path in sorted(CASES.rglob("*.*")) if path.stat().st_size < MOST_SEED_BYTES]
    seeds += [path.read_bytes() for path in brought]
    suffixes += [path.suffix for path in brought]
    with tempfile.TemporaryDirectory() as place:
        return _refused(trials, chance, seeds, suffixes, Path(place), lambda path: read_sketch(path, 64))


def broken_pictures_end_in_a_sentence(trials: int, chance: Random) -> str:
    kinds = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]
    with tempfile.TemporaryDirectory() as place:
        return _refused(trials, chance, [*map(_picture, kinds)], [".png"], Path(place), open_picture)


def broken_annotations_end_in_a_sentence(trials: int, chance: Random) -> str:
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 7, 1, 7, 7]]}],
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        Image.new("RGB", (9, 9)).save(folder / "a.png")
        seeds = [json.dumps(content).encode()]
        return _refused(trials, chance, seeds, [".json"], folder, lambda path: list(CocoReader(folder, path)))


def broken_labels_end_in_a_sentence(trials: int, chance: Random) -> str:
    """Files of labelme, the VGG Image Annotator and Supervisely: read, refused, or read in part."""
    from edgegan_widget.data.annotations.segments import coco_mask
    from edgegan_widget.data.readers.labels import LabelReader
    from tests.prepare.test_labels import FORMS, HIGH, WIDE

    def read(path: Path) -> None:
        for source in LabelReader(path):
            for region in source.regions:
                with contextlib.suppress(EdgeGANError):  # told by who cuts out
                    coco_mask(region.mask, *(source.size_px or (WIDE, HIGH)))

    with tempfile.TemporaryDirectory() as place:
        Image.new("RGB", (WIDE, HIGH)).save(Path(place, "a.jpg"))
        seeds = [json.dumps(content).encode() for content, _ in FORMS.values()]
        return _refused(trials, chance, seeds, [".json"], Path(place), read)


def broken_scenes_end_in_a_sentence(trials: int, chance: Random) -> str:
    from edgegan_widget.photo.scene import Scene
    from tests.photo.test_scene import scene

    seeds = [scene().to_json().encode()]
    with tempfile.TemporaryDirectory() as place:
        return _refused(trials, chance, seeds, [".json"], Path(place), lambda path: Scene.from_json(path.read_bytes()))


def broken_models_end_in_a_sentence(trials: int, chance: Random) -> str:
    from edgegan_widget.networks.config import ModelConfig
    from edgegan_widget.networks.store import build_networks, load_model, save_model

    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, "whole")
        save_model(whole, build_networks(ModelConfig(("a", "b"), "paper", width=8)))
        files = {path.name: path.read_bytes() for path in whole.iterdir()}
        told = 0
        for _ in range(trials):
            name = chance.choice(list(files))
            (whole / name).write_bytes(_damaged(files[name], chance, header=4096))
            try:
                load_model(whole)
            except EdgeGANError:
                told += 1
            (whole / name).write_bytes(files[name])
    return f"{told:,} of {trials:,} refused, the others read"


def _refused(
    trials: int, chance: Random, seeds: list[bytes], suffixes: list[str], place: Path, read: Callable[[Path], object]
) -> str:
    told = 0
    for _ in range(trials):
        number = chance.randrange(len(seeds))
        path = place / f"damaged{suffixes[number % len(suffixes)]}"
        path.write_bytes(_damaged(seeds[number], chance))
        try:
            read(path)
        except EdgeGANError:
            told += 1
    return f"{told:,} of {trials:,} refused, the others read"


def _damaged(content: bytes, chance: Random, header: int = 0) -> bytes:
    """With some bytes changed, taken out or put in, or cut short; half of the times near the beginning."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if not data:
            break
        end = min(len(data), header) if header and chance.random() < 0.5 else len(data)
        at = chance.randrange(end)
        act = chance.random()
        if act < 0.5:
            data[at] = chance.randrange(256)
        elif act < 0.7:
            del data[at : at + chance.randint(1, 9)]
        elif act < 0.9:
            data[at:at] = chance.choice([b"\xff" * 5, b"1e999", b"NaN", b'"', b"<", b"\0", b"-1"])
        else:
            del data[at:]
    return bytes(data)


def _picture(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def no_text_becomes_markup(trials: int, chance: Random) -> str:
    from edgegan_widget.data.audit.report import Report
    from edgegan_widget.data.audit.rules import Thresholds

    with tempfile.TemporaryDirectory() as place:
        picture = Path(place, "x.png")
        Image.new("RGB", (8, 8)).save(picture)
        report = Report()
        for number in range(trials):
            letters = "".join(chance.choice(string.printable) for _ in range(chance.randint(0, 6)))
            text = letters + chance.choice(MARKUP) + letters
            for shown in (error_html(ValueError(text)), log_html(text)):
                assert not any(mark in shown.lower() for mark in FREE_OF_MARKUP), text
            if number < 200:
                line = {
                    "id": text,
                    "class": text,
                    "source": text,
                    "split": text,
                    "licence": text,
                    "file": text,
                    "audit": {"measures": {}, "reasons": {}, "refused": True, "duplicate_of": text},
                }
                report.add(picture, line, {"blurred": 1.0}, Thresholds())
        report.write(Path(place, "audit.html"), Counter(), 0)
        written = Path(place, "audit.html").read_text("utf-8")
        assert "alert(1)</script>" not in written
        assert "<img src=x" not in written
    return "none"


def a_kill_loses_no_file(trials: int, chance: Random) -> str:
    """A process that writes one file again and again is killed at any moment; the file is always whole."""
    code = (
        "import sys\nfrom edgegan_widget.base.files import write_bytes\nnumber = 0\n"
        "while True:\n    number += 1\n    write_bytes(sys.argv[1], (str(number % 10) * 200_000).encode())\n"
    )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "state")
        for _ in range(trials):
            process = subprocess.Popen([sys.executable, "-c", code, str(path)])
            before = path.stat().st_mtime_ns if path.exists() else 0
            while not path.exists() or path.stat().st_mtime_ns == before:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
            content = path.read_bytes()
            assert len(content) == 200_000
            assert len(set(content)) == 1
        strays = [each.name for each in Path(place).iterdir() if each != path]
    return f"{trials} kills, the file whole each time, {len(strays)} strays"


def drawing_leaks_nothing(trials: int, chance: Random) -> str:
    """Memory over drawings, as a line fitted to it with the interval that holds 95 of 100 such slopes."""
    from edgegan_widget.networks.engine import EdgeGAN

    model = EdgeGAN.from_pretrained("default", "cpu")
    process, seen = psutil.Process(), []
    sketch = np.full((model.sketch_px, model.sketch_px), 255, np.uint8)
    for number in range(trials):
        at = chance.randrange(8, model.sketch_px - 8)
        sketch[at, 8:-8] = chance.choice([0, 255])
        model.generate(sketch, chance.choice(model.classes), seed=number)
        if number >= trials // 5 and number % max(1, trials // 200) == 0:
            seen.append((number, process.memory_info().rss / 1e3))
    x, y = np.array(seen, float).T
    slope, offset = np.polyfit(x, y, 1)
    error = np.sqrt(((y - slope * x - offset) ** 2).sum() / max(1, len(x) - 2) / ((x - x.mean()) ** 2).sum())
    assert slope - 1.96 * error < 0.5, f"{slope:.2f} kB a drawing"
    return f"{slope:+.3f} kB a drawing (95 %: {slope - 1.96 * error:+.3f} to {slope + 1.96 * error:+.3f})"


def the_same_seed_is_the_same_picture(trials: int, chance: Random) -> str:
    """In two processes that know nothing of each other, within 1 of 255."""
    from edgegan_widget.networks.engine import EdgeGAN

    code = (
        "import sys, numpy as np\nfrom edgegan_widget.networks.engine import EdgeGAN\n"
        "model = EdgeGAN.from_pretrained('default', 'cpu')\n"
        "for line in sys.stdin:\n"
        "    seed, label, path = line.split('|')\n"
        "    sketch = np.load(path.strip())\n"
        "    np.save(path.strip(), model.generate(sketch, label, seed=int(seed)).images[0])\n"
        "    print('done', flush=True)\n"
    )
    model, most = EdgeGAN.from_pretrained("default", "cpu"), 0
    with tempfile.TemporaryDirectory() as place, _started(code) as other:
        for number in range(trials):
            sketch = np.full((model.sketch_px, model.sketch_px), 255, np.uint8)
            sketch[chance.randrange(10, 50) : chance.randrange(61, 120), 20:24] = 0
            label, seed, path = chance.choice(model.classes), chance.randrange(10**6), Path(place, f"{number}.npy")
            np.save(path, sketch)
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(f"{seed}|{label}|{path}\n")
            other.stdin.flush()
            assert other.stdout.readline().strip() == "done"
            ours = model.generate(sketch, label, seed=seed).images[0]
            most = max(most, int(np.abs(ours.astype(int) - np.load(path).astype(int)).max()))
    assert most <= 1
    return f"{trials} pictures, at most {most} of 255 apart"


@contextmanager
def _started(code: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def no_text_of_any_page(trials: int, chance: Random) -> str:
    from tests.soak.pages import no_text_of_a_page_becomes_markup

    return no_text_of_a_page_becomes_markup(trials, chance)


def pages_leak_nothing(trials: int, chance: Random) -> str:
    from tests.soak import pages

    return pages.pages_leak_nothing(trials, chance)


def old_and_new_versions(trials: int, chance: Random) -> str:
    from tests.soak.versions import old_and_new_versions_work

    return old_and_new_versions_work(trials, chance)


PROMISES = {
    "models": Promise("a damaged model file ends in one sentence", 10_000, broken_models_end_in_a_sentence),
    "drawings": Promise("a damaged drawing ends in one sentence", 10_000, broken_drawings_end_in_a_sentence),
    "pictures": Promise("a damaged picture ends in one sentence", 10_000, broken_pictures_end_in_a_sentence),
    "annotations": Promise("damaged annotations end in one sentence", 10_000, broken_annotations_end_in_a_sentence),
    "labels": Promise("damaged files of labels end in one sentence", 10_000, broken_labels_end_in_a_sentence),
    "scenes": Promise("a damaged scene ends in one sentence", 10_000, broken_scenes_end_in_a_sentence),
    "kills": Promise("a kill leaves each file whole", 200, a_kill_loses_no_file),
    "seeds": Promise("the same seed is the same picture in another process", 500, the_same_seed_is_the_same_picture),
    "paths": Promise("no name leaves its folder", 100_000, no_name_leaves_its_folder),
    "markup": Promise("no text becomes markup", 10_000, no_text_becomes_markup),
    "strokes": Promise("any sequence of strokes is survived", 100_000, any_strokes_are_survived),
    "memory": Promise("drawing leaks nothing", 10_000, drawing_leaks_nothing),
    "engines": Promise("an engine that is killed loses no request", 10_000, a_killed_engine_loses_nothing, probe=0),
    "pages": Promise("no text of a page becomes markup", 10_000, no_text_of_any_page),
    "page-memory": Promise("a page that is closed leaves at most 200 kB", 50, pages_leak_nothing, probe=0),
    "versions": Promise("the oldest and the newest Python and libraries work", 1, old_and_new_versions, probe=0),
}

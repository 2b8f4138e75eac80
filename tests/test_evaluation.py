"""Constructed models whose faults are known, and what the evaluation says of them."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.base.result import Result
from edgegan_widget.evaluation.comparison import compare, differences
from edgegan_widget.evaluation.drawn import held_out_edges
from edgegan_widget.evaluation.evaluate import Evaluation, EvaluationConfig, Step, evaluate
from edgegan_widget.evaluation.report.page import comparison_page, comparison_text, page
from edgegan_widget.evaluation.report.table import table
from edgegan_widget.evaluation.report.vote import blind_page, choose_ballots, vote_json
from edgegan_widget.sketch.sets.folders import is_kept_for_testing
from edgegan_widget.training.dataset import PairDataset, load_data

CLASSES = ("ball", "bar", "box")
SIDE = 64


def draw_object(name: str, random: np.random.Generator) -> Image.Image:
    """A cut-out that differs from others of its class in place, size, proportions, colour and a stripe."""
    picture = Image.new("RGB", (128, 128), "white")
    draw = ImageDraw.Draw(picture)
    wide, high = random.integers(40, 110, 2).tolist()
    high = high // 4 + 4 if name == "bar" else high
    left, top = (int(random.integers(6, 122 - length)) for length in (wide, high))
    colour = tuple(random.integers(20, 200, 3).tolist())
    shape = draw.ellipse if name == "ball" else draw.rectangle
    shape((left, top, left + wide, top + high), fill=colour, outline=(0, 0, 0), width=2)
    middle = top + int(random.integers(high // 4, high // 2 + 1))
    draw.line((left + wide // 4, middle, left + wide // 2, middle), fill=(255, 255, 255), width=3)
    return picture


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("objects")
    random = np.random.default_rng(11)
    for split, count in (("train", 40), ("val", 16), ("more", 16)):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                draw_object(name, random).save(root / split / name / f"{number:02}.png")
    return root


class Constructed:
    """A model made of pictures: it finds out which held-out drawing it is given, and answers with one of ``source``."""

    size_px = SIDE

    def __init__(self, name: str, known: PairDataset, source: PairDataset, classes: tuple[str, ...] = CLASSES) -> None:
        self.name, self.classes = name, classes
        members = [known.labels == known.classes.index(one) for one in classes]
        self.drawings = [known.edges_u8[own, 0].numpy().astype(np.float32) for own in members]
        answers = [source.labels == source.classes.index(one) for one in classes]
        self.pictures = [source.images_u8[own].permute(0, 2, 3, 1).numpy() for own in answers]
        self.edges = [source.edges_u8[own, 0].numpy() for own in answers]

    def generate(self, sketch: np.ndarray, label: int, *, seed: int | None = None, variations: int = 1) -> Result:
        number = int(np.abs(self.drawings[label] - sketch).mean(axis=(1, 2)).argmin())
        label, number = self.choose(label, number)
        image = np.repeat(self.pictures[label][number][None], variations, axis=0)
        edges = np.repeat(self.edges[label][number][None], variations, axis=0)
        return Result(image, edges, np.zeros((variations, 4), np.float32), 1.0)

    def choose(self, label: int, number: int) -> tuple[int, int]:
        return label, number


class OnePicture(Constructed):
    def choose(self, label: int, number: int) -> tuple[int, int]:
        return label, 0


class Shuffled(Constructed):
    def choose(self, label: int, number: int) -> tuple[int, int]:
        return (label + 1) % len(self.classes), number


class Blind(Constructed):
    """It does not listen to the class; seeds are other colours."""

    def generate(self, sketch: np.ndarray, label: int, *, seed: int | None = None, variations: int = 1) -> Result:
        near = [np.abs(drawings - sketch).mean(axis=(1, 2)).min() for drawings in self.drawings]
        found = super().generate(sketch, int(np.argmin(near)), variations=variations)
        if seed is None:
            return found
        pictures = self.pictures[int(np.argmin(near))]
        return Result(pictures[seed + np.arange(variations)], found.edges, found.latents, 1.0)


class Large(Constructed):
    """It draws larger pictures than its sketches are."""

    size_px = 2 * SIDE
    sketch_px = SIDE


@pytest.fixture(scope="module")
def evaluation(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A faithful model, which draws the very picture that the drawing was taken from, and three with faults."""
    train, val, more = (load_data(objects, split) for split in ("train", "val", "more"))
    models = [
        Constructed("faithful", val, val),
        Constructed("copier", val, train),
        OnePicture("one picture", val, more),
        Shuffled("shuffled", val, more, ("bar", "ball", "box")),
        Blind("blind", val, more),
    ]
    config = EvaluationConfig(
        classifier_steps=60, robustness_per_class=1, variations=2, cache=str(tmp_path_factory.mktemp("cache"))
    )
    steps = list(evaluate(models, objects, config=config))
    check_progress(steps)
    assert steps[-1].evaluation is not None
    return steps[-1].evaluation


def check_progress(steps: list[Step]) -> None:
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert all(step.evaluation is None for step in steps[:-1])
    assert {step.row["name"] for step in steps if step.row} == {
        "faithful", "copier", "one picture", "shuffled", "blind",
    }  # fmt: skip


def flags(evaluation: Evaluation, model: str) -> list[str]:
    return next(row["flags"] for row in evaluation.report["models"] if row["name"] == model)


def first_set(evaluation: Evaluation, model: str) -> dict:
    return next(row["sets"][0] for row in evaluation.report["models"] if row["name"] == model)


def test_a_model_without_faults_has_no_flag(evaluation: Evaluation) -> None:
    """It may pass for held-out data: that is what it returns."""
    found = first_set(evaluation, "faithful")
    assert flags(evaluation, "faithful") == []
    assert found["right_class"]["accuracy"]["value"] > 0.8
    assert found["faithful"]["f_score"]["value"] > 0.95
    assert found["diversity"]["ratio"]["value"] == pytest.approx(1, abs=1e-6)
    assert found["realism"]["frechet_distance"]["value"] < 0.01  # each picture counts twice
    assert found["realism"]["precision"]["value"] == 1


def test_a_model_that_returns_training_pictures_is_flagged(evaluation: Evaluation) -> None:
    assert flags(evaluation, "copier") == ["memorising"]
    found = first_set(evaluation, "copier")["memorisation"]["pixels"]
    assert found["statistic"]["value"] < -3
    assert found["copied_share"]["value"] == 1
    scored = next(iter(evaluation.scored["copier"].values()))
    copied = evaluation.train.images_u8[scored.beside["nearest"]].permute(0, 2, 3, 1).numpy()
    assert (copied == scored.drawn.pictures_u8).all(), "and the very picture is found"


def test_a_model_with_one_picture_a_class_is_flagged(evaluation: Evaluation) -> None:
    assert "collapsed" in flags(evaluation, "one picture")
    found = first_set(evaluation, "one picture")["diversity"]
    assert found["ratio"]["value"] == pytest.approx(0, abs=1e-6)
    assert found["same_share"]["value"] == 1
    assert found["real_same_share"]["value"] < 0.5
    assert all(one["collapsed"] for one in found["by_class"].values())


def test_a_model_with_shuffled_classes_fails_them(evaluation: Evaluation) -> None:
    assert flags(evaluation, "shuffled") == ["wrong class"]
    found = first_set(evaluation, "shuffled")["right_class"]
    assert found["accuracy"]["value"] < 0.3
    counts = np.array(found["confusion"])
    assert counts.sum() == 3 * 16 * 2
    assert np.trace(counts) < 0.3 * counts.sum()


def test_every_number_tells_what_it_rests_on(evaluation: Evaluation) -> None:
    text = json.dumps(evaluation.report, allow_nan=False)
    assert json.loads(text) == evaluation.report
    for row in evaluation.report["models"]:
        for found in row["sets"]:
            parts = [found[name] for name in ("realism", "right_class", "faithful", "diversity", "swapped", "colours")]
            parts += list(found["memorisation"].values())
            numbers = [one for part in parts for one in part.values() if isinstance(one, dict) and "value" in one]
            assert len(numbers) >= 21
            assert all({"extractor", "resize", "generated", "split"} <= one.keys() for one in numbers)
            assert found["realism"]["frechet_distance"]["unreliable"].startswith("48 samples are too few for 384")
    assert evaluation.report["reference"]["real_accuracy"]["value"] > 0.8


def test_the_mean_over_classes_and_the_worst_of_them(evaluation: Evaluation) -> None:
    found = first_set(evaluation, "shuffled")["right_class"]
    by_class = found["by_class"]
    assert found["balanced_accuracy"]["value"] == pytest.approx(sum(by_class.values()) / 3)
    assert found["worst_class"]["value"] == min(by_class.values())
    assert by_class[found["worst_class"]["class_name"]] == min(by_class.values())


def test_a_model_that_looks_at_the_lines_alone_fails_swapped_labels(evaluation: Evaluation) -> None:
    """The faithful one answers with a picture of the class asked for, the other with what was drawn."""
    right = first_set(evaluation, "faithful")["swapped"]
    assert right["right"]["value"] > 0.8
    assert (right["right"]["pairs"], right["right"]["generated"]) == (6, 12)
    blind = first_set(evaluation, "blind")["swapped"]
    assert blind["right"]["value"] < 0.2
    assert blind["kept"]["value"] > 0.8
    assert set(blind["by_class"]) == set(CLASSES)


def test_a_model_of_one_colour_is_told_from_one_of_many(evaluation: Evaluation) -> None:
    assert first_set(evaluation, "faithful")["colours"]["ratio"]["value"] == 0
    many = first_set(evaluation, "blind")["colours"]
    assert many["ratio"]["value"] == pytest.approx(1, abs=0.35)
    assert many["ratio"]["seeds"] == 8
    assert many["by_class"]["box"]["real"] > 10


def test_robustness_curves(evaluation: Evaluation) -> None:
    found = evaluation.report["models"][0]["robustness"]
    assert len(found) == 7
    for name, curve in found.items():
        assert len(curve["accuracy"]) == len(curve["f_score"]) == len(curve["strengths"])
        assert curve["f_score"][0] > 0.9
        assert curve["against"].startswith("the distorted") == (name in ("squeezed", "shifted", "mirrored"))


def test_two_models_on_the_same_drawings(evaluation: Evaluation) -> None:
    first, second, third = (
        evaluation.scored[name]["edge maps of held-out pictures"] for name in ("faithful", "copier", "shuffled")
    )
    better = differences(first, second)
    assert better["f_score"]["differs"]
    assert better["f_score"]["low"] > 0
    assert better["chamfer"]["high"] < 0
    assert better["f_score"]["drawings"] == 48
    assert differences(first, third)["right"]["value"] > 0.5
    assert not differences(first, first)["right"]["differs"]
    held_out = held_out_edges(evaluation.train)
    assert len(held_out.some(5)) == 15
    assert len(held_out.some(0)) == 120


def test_the_report_is_one_page_with_failures_first(evaluation: Evaluation) -> None:
    shown = page(evaluation)
    assert shown.index("copier: memorising") < shown.index("<table>")
    assert shown.index("Failures first") < shown.index("By class: worst, median and best")
    assert "one picture: collapsed" in shown
    assert "shuffled: wrong class" in shown
    assert "48 samples are too few for 384 feature dimensions" in shown
    assert shown.count("<polyline") == 5 * 7 * 2
    assert "faithful minus copier" in shown
    ours, _, theirs = shown.partition('<table class="published">')
    assert "EdgeGAN, original weights" in theirs
    assert "EdgeGAN, original weights" not in ours, "figures of other papers stand apart"
    assert not [word for word in ("<script", "http:", "https:", "<link") if word in shown], "nothing is fetched"
    HTMLParser().feed(shown)
    text = table(evaluation.report)
    assert "copier · edge maps of held-out pictures [memorising]" in " ".join(text.split())
    assert "right class" in text


def test_people_s_sketches_and_a_stop(objects: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    for name in ("box", "cloud"):
        (tmp_path / "people" / "set one" / name).mkdir(parents=True)
        for number in range(3):
            draw_object("box", random).convert("L").save(tmp_path / "people" / "set one" / name / f"{number}.png")
    (tmp_path / "people" / "set one" / "box" / "torn.svg").write_text("<svg>")
    (tmp_path / "people" / "box.ndjson").write_text("{")
    config = EvaluationConfig(classifier_steps=2, robustness_per_class=0, per_class=8, people="all", cache="none")
    model = Constructed("faithful", *[load_data(objects, "val")] * 2)
    steps = list(evaluate([model], objects, tmp_path / "people", config))
    report = steps[-1].evaluation.report
    assert [(one["name"], one["drawings"]) for one in report["sets"]] == [
        ("edge maps of held-out pictures", 24), ("people's sketches: set one", 3),
    ]  # fmt: skip
    assert report["sketch_folders_of_no_class"] == ["set one/cloud"]
    left_out = report["people"]["left_out"]
    assert [sum(name in line for line in left_out) for name in ("torn.svg", "box.ndjson")] == [1, 1]
    shown = page(steps[-1].evaluation)
    assert "2 of people's drawings could not be used" in shown
    assert "torn.svg" in shown
    assert "too_few" in report["models"][0]["sets"][1]["realism"]
    assert "robustness" not in report["models"][0]
    stopped = evaluate([model], objects, config=config)
    next(stopped)
    stopped.close()


def test_held_out_sketches_are_asked_for_unless_all_are(objects: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    for place in ("one/box", "one/ball", "two/box"):
        (tmp_path / "people" / place).mkdir(parents=True)
        for number in range(9 if place.startswith("one") else 1):
            path = tmp_path / "people" / place / f"{number}.png"
            while not path.exists() or (is_kept_for_testing(path) and place.startswith("two")):
                draw_object("box", random).convert("L").save(path)
    kept = sum(map(is_kept_for_testing, (tmp_path / "people").glob("one/*/*.png")))
    assert 0 < kept < 18
    quick = {"classifier_steps": 2, "robustness_per_class": 0, "swapped_per_class": 0, "colour_seeds": 0}
    val = load_data(objects, "val")
    for people, sets in (("held_out", [("one", kept)]), ("all", [("one", 18), ("two", 1)])):
        config = EvaluationConfig(people=people, cache="none", **quick)
        model = Constructed("faithful", val, val)
        report = list(evaluate([model], objects, tmp_path / "people", config))[-1].evaluation.report
        assert [(one["name"], one["drawings"]) for one in report["sets"][1:]] == [
            (f"people's sketches: {name}", count) for name, count in sets
        ]
        used = dict(sets)
        assert report["people"] == {
            "asked_for": people,
            "sets": [{"name": name, "used": used.get(name, 0), "of": of} for name, of in (("one", 18), ("two", 1))],
            "left_out": [],
        }
        assert "swapped" not in report["models"][0]["sets"][0]
    config = EvaluationConfig(cache="none", **quick)
    with pytest.raises(DataError, match=r"has 1 sketches of these classes, none of them held out.*choose --people all"):
        list(evaluate([model], objects, tmp_path / "people" / "two", config))


@pytest.fixture(scope="module")
def two_sizes(objects: Path) -> Evaluation:
    """The same model at two sizes, and one whose sketches are larger as well."""
    val, large = load_data(objects, "val"), load_data(objects, "val", 2 * SIDE)
    mixed = load_data(objects, "val", 2 * SIDE, sketch_px=SIDE)
    models = [Constructed("small", val, val), Large("large", mixed, mixed), Large("all large", large, large)]
    models[2].sketch_px = 2 * SIDE
    config = EvaluationConfig(classifier_steps=40, robustness_per_class=1, cache="none")
    return [step.evaluation for step in evaluate(models, objects, config=config)][-1]


def test_models_of_two_sizes_are_compared(two_sizes: Evaluation) -> None:
    report = two_sizes.report
    assert report["judged_at_px"] == 128
    assert [(row["size_px"], row["sketch_px"]) for row in report["models"]] == [(64, 64), (128, 64), (128, 128)]
    small, large, _ = (row["sets"][0] for row in report["models"])
    assert small["realism"]["kid"]["resize"] == "bicubic, from 64 to 128 pixels; then none: pictures as they are"
    assert large["realism"]["kid"]["resize"] == "none: pictures as they are"
    assert large["faithful"]["f_score"]["resize"] == "from 128 to 64 pixels, those of the drawing"
    assert abs(small["right_class"]["accuracy"]["value"] - large["right_class"]["accuracy"]["value"]) < 0.15
    assert abs(small["faithful"]["f_score"]["value"] - large["faithful"]["f_score"]["value"]) < 0.05
    assert report["models"][2]["sets"][0]["faithful"]["f_score"]["value"] > 0.9
    assert [pair["second"] for pair in report["differences"]] == ["large", "all large"]
    sides = {name: next(iter(sets.values())).drawn for name, sets in two_sizes.scored.items()}
    assert [sides[name].pictures_u8.shape[1] for name in ("small", "large")] == [64, 128], "as they are drawn"
    assert sides["all large"].inputs.sketches_u8.shape[1:] == (128, 128)


def test_pictures_of_two_sizes_stand_side_by_side(two_sizes: Evaluation) -> None:
    HTMLParser().feed(page(two_sizes))
    pair = {name: two_sizes.scored[name] for name in ("small", "large")}
    two = Evaluation(two_sizes.report, pair, two_sizes.train)
    compared = compare(two)
    assert compared["sets"][0]["differences"]["f_score"]["drawings"] == 48
    HTMLParser().feed(comparison_page(two, compared, "blind.html"))
    ballots = choose_ballots(two, 4, 0)
    shown = blind_page(two, ballots, vote_json(ballots, ["small", "large"], 0))
    pairs = json.loads(re.search(r'id="data">(.*?)</script>', shown)[1])["pairs"]
    sides = [Image.open(io.BytesIO(base64.b64decode(pairs[0][side].split(",")[1]))).size for side in ("left", "right")]
    assert sides == [(128, 128), (128, 128)], "a size would tell"


def test_a_single_class_is_measured(objects: Path) -> None:
    """What is judged by classes is left out and named; everything else is told as of several classes."""
    val = load_data(objects, "val")
    models = [Constructed("same", val, val), Constructed("other", val, val)]
    settings = {"classifier_steps": 2, "robustness_per_class": 1, "colour_seeds": 2, "cache": "none"}
    config = EvaluationConfig(**settings, classes=("Ball",))
    found = list(evaluate(models, objects, config=config))[-1].evaluation
    assert found is not None
    report = found.report
    assert report["classes"] == ["ball"]
    assert report["not_measured"][0]["numbers"] == ["right class", "mean over classes", "worst class", "swapped labels"]
    (measured,) = report["models"][0]["sets"]
    assert not {"right_class", "swapped"} & set(measured)
    assert measured["faithful"]["f_score"]["value"] > 0.9
    assert measured["realism"]["frechet_distance"]["extractor"].startswith("classifier of quarter turns")
    assert report["reference"].keys() == {"realism of the training pictures"}
    assert set(report["differences"][0]) >= {"f_score"}
    assert "right" not in report["models"][0]["robustness"]["mirrored"]
    shown = page(found)
    assert "1 class; 40 training and 16 held-out pictures" in shown
    assert "swapped labels: not measured, as only one class was measured" in shown
    assert "is right on" not in shown
    compared = compare(found)
    HTMLParser().feed(comparison_page(found, compared, "blind.html"))
    assert "worst class, swapped labels: not measured" in comparison_text(compared)


def test_what_cannot_be_compared(objects: Path) -> None:
    val = load_data(objects, "val")
    model = Constructed("a", val, val)
    other = Constructed("c", val, val)
    other.classes = ("cup",)
    for models, message in (
        ([], "there is no model"),
        ([model, model], "two models have one name"),
        ([model, other], "no class in common; the data has ball, bar, box"),
    ):
        with pytest.raises(ModelError, match=message):
            next(evaluate(models, objects))
    with pytest.raises(DataError):
        next(evaluate([model], objects / "missing"))
    with pytest.raises(ConfigError, match=r"do not share bal \(did you mean ball\?\); they share ball, bar, box"):
        next(evaluate([model], objects, config=EvaluationConfig(classes=("bal",))))
    with pytest.raises(ConfigError, match="variations is 0; it must be at least 1"):
        EvaluationConfig(variations=0)
    with pytest.raises(ConfigError, match="colour_seeds is 1; two colours or more can differ"):
        EvaluationConfig(colour_seeds=1)

"""Two constructed models, one of which is worse by construction: numbers, page and the blinded vote."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from edgegan_widget.base.errors import ModelError
from edgegan_widget.evaluation.comparison import compare, most_different
from edgegan_widget.evaluation.evaluate import Evaluation, EvaluationConfig, evaluate
from edgegan_widget.evaluation.report.page import comparison_page, comparison_text
from edgegan_widget.evaluation.report.vote import blind_page, choose_ballots, vote_json
from edgegan_widget.training.dataset import load_data
from tests.test_evaluation import CLASSES, Constructed, Shuffled, draw_object

SET = "edge maps of held-out pictures"


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    root = tmp_path_factory.mktemp("objects")
    random = np.random.default_rng(12)
    for split, count in (("train", 30), ("val", 12), ("more", 12)):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                draw_object(name, random).save(root / split / name / f"{number:02}.png")
    val, more = load_data(root, "val"), load_data(root, "more")
    models = [Constructed("faithful", val, val), Shuffled("shuffled", val, more)]
    config = EvaluationConfig(classifier_steps=150, robustness_per_class=0, variations=2, cache="none")
    found = [step.evaluation for step in evaluate(models, root, config=config)][-1]
    assert found is not None
    return found


def test_the_worse_model_is_found_on_every_measure(evaluation: Evaluation) -> None:
    found = compare(evaluation)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["models"] == ["faithful", "shuffled"]
    numbers = found["sets"][0]["differences"]
    assert set(numbers) == {"right", "f_score", "chamfer", "frechet_distance", "kid"}
    assert numbers["right"]["low"] > 0.5
    assert numbers["f_score"]["low"] > 0
    assert numbers["frechet_distance"]["high"] < 0
    assert all(one["drawings"] == 36 and one["split"] for one in numbers.values())
    assert "unreliable" in numbers["frechet_distance"]
    assert "unreliable" not in numbers["kid"]


def test_classes_are_compared_one_by_one(evaluation: Evaluation) -> None:
    rows = compare(evaluation)["sets"][0]["by_class"]
    assert [row["class"] for row in rows] == list(CLASSES)
    for row in rows:
        assert row["drawings"] == 12
        assert row["right"]["value"] == pytest.approx(row["right"]["first"] - row["right"]["second"])
        assert row["f_score"]["differs"]


def test_where_they_differ_most(evaluation: Evaluation) -> None:
    first, second = (evaluation.scored[name][SET] for name in ("faithful", "shuffled"))
    chosen = most_different(first, second, 5)
    apart = np.linalg.norm(first.found[::2] - second.found[::2], axis=1)
    assert chosen.tolist() == np.argsort(-apart).tolist()[:5]
    assert most_different(first, first, 3).tolist() == [0, 1, 2]


def test_only_two_models_can_be_compared(evaluation: Evaluation) -> None:
    one = Evaluation(evaluation.report, {"faithful": evaluation.scored["faithful"]}, evaluation.train)
    with pytest.raises(ModelError, match=r"has 1 models \(faithful\); compare two"):
        compare(one)


def test_the_page_shows_them_side_by_side(evaluation: Evaluation) -> None:
    found = compare(evaluation)
    shown = comparison_page(evaluation, found, "mine-blind.html")
    HTMLParser().feed(shown)
    assert shown.count("<figure") == 24
    assert 'href="mine-blind.html"' in shown
    assert "faithful against shuffled" in shown
    assert not [word for word in ("<script", "http:", "https:", "<link") if word in shown], "nothing is fetched"
    text = comparison_text(found)
    assert "faithful minus shuffled · edge maps of held-out pictures (36 drawings)" in text
    assert re.search(r"right +\+0\.\d+ \[", text)


def test_the_blinded_page_hides_whose_picture_is_where(evaluation: Evaluation) -> None:
    ballots = choose_ballots(evaluation, 10, seed=1)
    vote = vote_json(ballots, ["faithful", "shuffled"], 1)
    shown = blind_page(evaluation, ballots, vote)
    HTMLParser().feed(shown)
    assert not [
        word for word in ("faithful", "shuffled", "first_left", "http:") if word in shown.split("<script>\n")[0]
    ]
    data = json.loads(re.search(r'id="data">(.*?)</script>', shown)[1])
    assert len(data["pairs"]) == 10
    assert data["page"] == vote["page"] != vote_json(ballots, ["faithful", "other"], 1)["page"]
    sealed = base64.b64decode(data["sealed"])
    assert b"faithful" not in sealed
    for pair, ballot in zip(data["pairs"], ballots):
        drawn = evaluation.scored["faithful"][SET].drawn
        assert drawn.inputs.sources[ballot.drawing] == pair["source"] == ballot.source
        assert pair["left"] != pair["right"]


def test_equal_models_leave_nothing_to_vote_on(evaluation: Evaluation) -> None:
    same = evaluation.scored["faithful"]
    twice = Evaluation(evaluation.report, {"one": same, "two": same}, evaluation.train)
    with pytest.raises(ModelError, match="draw the same pictures, so there is nothing to vote on"):
        choose_ballots(twice, 10, 0)

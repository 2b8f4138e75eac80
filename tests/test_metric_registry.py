"""A number is declared once: one that only this file knows is found wherever numbers are shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.app.cli import main
from edgegan_widget.evaluation import metrics as registry
from edgegan_widget.evaluation.comparison import compare
from edgegan_widget.evaluation.evaluate import EvaluationConfig, evaluate
from edgegan_widget.evaluation.judge import Evaluation, Look
from edgegan_widget.evaluation.metrics import PICTURES, Measured, Metric, Question, metrics, questions, register
from edgegan_widget.evaluation.metrics.intervals import mean_of
from edgegan_widget.evaluation.report.card import section
from edgegan_widget.evaluation.report.page import comparison_page, comparison_text, page
from edgegan_widget.evaluation.report.pictures import pictures_of
from edgegan_widget.evaluation.report.table import read_report, table
from edgegan_widget.panels.evaluation.score_table import Gallery, ScoreTable
from edgegan_widget.training.dataset import load_data
from tests.screen import said, styled
from tests.test_evaluation import CLASSES, Constructed, OnePicture, draw_object

DARK = Metric(
    ("ink", "dark"), "darkness", ".1f", "↓", "How dark pictures are, from 0 to 255.",
    per_picture="dark", caption="dark {:.0f}", paired=True, short="dark", by_class=True,
    curve=lambda drawn, meant, judge: float(255 - drawn.pictures_u8.mean()) / 255,
)  # fmt: skip


def darkness(look: Look) -> Measured:
    dark = 255.0 - look.drawn.pictures_u8.mean(axis=(1, 2, 3))
    labels, classes = look.drawn.labels, look.judge.train.classes
    part = {"dark": mean_of(dark, look.drawn, generated=len(dark))}
    part["by_class"] = {classes[k]: float(dark[labels == k].mean()) / 255 for k in np.unique(labels)}
    return Measured(part, {"dark": dark}, flags=["blots"] if dark.mean() > 1 else [])


@pytest.fixture
def ink(monkeypatch: pytest.MonkeyPatch) -> Question:
    questions()
    monkeypatch.setattr(registry.REGISTRY, "items", registry.REGISTRY.known())
    flags = {"blots": "pictures are dark"}
    return register(Question("ink", (DARK,), darkness, "Sorted by darkness.", PICTURES, flags=flags))


@pytest.fixture
def evaluation(ink: Question, tmp_path: Path) -> Evaluation:
    random = np.random.default_rng(5)
    for split in ("train", "val"):
        for name in CLASSES:
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(8):
                draw_object(name, random).save(tmp_path / split / name / f"{number}.png")
    val = load_data(tmp_path, "val")
    config = EvaluationConfig(
        classifier_steps=2, robustness_per_class=1, swapped_per_class=0, colour_seeds=0, cache="none"
    )
    models = [Constructed("first", val, val), OnePicture("second <i>", val, val)]
    found = [step.evaluation for step in evaluate(models, tmp_path, config=config)][-1]
    assert found is not None
    return found


def test_a_number_is_added_by_declaring_it(evaluation: Evaluation, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluation.report
    value = report["models"][0]["sets"][0]["ink"]["dark"]["value"]
    assert read_report(json.dumps(report)) == report
    assert re.search(rf"; darkness ↓ {value:.1f} \[", table(report))
    assert re.search(rf"\| darkness ↓ \| {value:.1f} \[", section(report, "evaluate"))
    assert "Darkness by class:" in section(report, "evaluate")
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    assert "darkness ↓" in capsys.readouterr().out

    shown = page(evaluation)
    assert f'<td title="drawings: 24; generated: 24">{value:.1f}<span class="interval">[' in shown
    assert "<th>darkness</th>" in shown, "class by class"
    assert "<td>darkness</td>" in shown, "differences"
    assert "darkness. All from 0 to 1" in shown, "curves"
    assert "first: blots: pictures are dark (edge maps of held-out pictures)." in shown

    compared = compare(evaluation)
    assert compared["sets"][0]["differences"]["dark"]["drawings"] == 24
    assert re.search(r"dark +[+-]", comparison_text(compared))
    beside = comparison_page(evaluation, compared, "blind.html")
    assert "<th>dark, difference</th>" in beside
    assert all("second &lt;i&gt;" in html and "second <i>" not in html for html in (shown, beside))


def test_it_is_on_screen_as_well(evaluation: Evaluation) -> None:
    report, set_name = evaluation.report, evaluation.report["sets"][0]["name"]
    gallery = Gallery(lambda: None, lambda error: None)
    clicked = []
    shown = ScoreTable(gallery, clicked.append, lambda error: None)
    shown.show(report)
    assert any("How dark pictures are" in head.value for head in styled(shown, "eg-heads"))
    next(cell for cell in styled(shown, "eg-score") if f", {DARK.title}: " in cell.tooltip).click()
    assert clicked == [(0, 0, DARK)]
    assert "darkness" in said(shown)
    pictures = pictures_of(evaluation.scored["first"][set_name], evaluation)
    gallery.show(report, 0, 0, DARK, pictures)
    figures = gallery.children[-1].value
    told = [int(found) for found in re.findall(r"<figcaption>[^<]* · dark (\d+)</figcaption>", figures)]
    assert len(told) == 18
    assert told[:6] == sorted(told[:6]), "the least dark is best"
    assert told[0] == round(float(pictures.values["dark"].min()))
    assert "Sorted by darkness. Drawing |" in figures


def test_the_documentation_lists_every_number() -> None:
    text = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text("utf-8")
    rows = text.partition("## The numbers")[2].partition("\n\n**")[0].splitlines()
    listed = [name for row in rows if row.startswith("| ") for name in row.split(" | ")[0][2:].split(", ")]
    beside = ["distorted drawings", "ms a picture"]
    assert listed == ["number", *(metric.name for metric in metrics()), *beside]

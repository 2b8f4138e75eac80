from __future__ import annotations

import json

import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.metrics import Metric, at, metrics
from edgegan_widget.evaluation.report.table import best_rows, cell, left_out_line, people_line, read_report, table
from tests.fake_evaluations import fake_report


def column(heading: str) -> Metric:
    return next(each for each in metrics() if each.heading.startswith(heading))


def rows(*values: float | None) -> list[dict]:
    return [{"realism": {"kid": {"value": value}, "precision": {"value": value}}} for value in values]


def test_best_is_what_the_arrow_says() -> None:
    assert best_rows(column("KID"), rows(0.3, 0.1, None)) == {1}
    assert best_rows(column("precision"), rows(0.3, 0.1, 0.304)) == {0, 2}, "as they are written"
    assert best_rows(column("precision"), rows(0.3, 0.3)) == set()
    assert best_rows(column("precision"), rows(0.3)) == set()
    assert best_rows(column("variety"), [{"diversity": {"ratio": {"value": value}}} for value in (0.2, 0.4)]) == set()


def test_numbers_are_written_with_their_interval() -> None:
    found = fake_report()["models"][0]["sets"][0]
    assert cell(found, column("right class")).text == "50.0% [40.0%, 60.0%]"
    assert cell(found, column("F-score")).text == "0.800"
    assert cell(found, column("FID")).text == "-"
    assert cell({"realism": {"kid": {"value": None}}}, column("KID")).text == "-"
    assert at(found, ("realism", "fid")) is None
    assert cell(found, column("worst class")).text == "25.0% (box)"


def test_the_text_has_a_line_a_model_and_set_with_flags() -> None:
    lines = table(fake_report()).splitlines()
    assert len(lines) == 8
    assert lines[0] == "first · edge maps of held-out pictures  [wrong class]"
    assert "KID ↓ 0.0100 [0.0000, 0.0200]" in lines[1]


def test_a_saved_report_comes_back() -> None:
    report = fake_report()
    assert read_report(json.dumps(report)) == report


def test_a_report_from_before_a_number_was_added_is_shown_without_it() -> None:
    report = fake_report()
    del report["people"]
    for row in report["models"]:
        for found in row["sets"]:
            del found["swapped"], found["colours"], found["right_class"]["worst_class"]
    assert read_report(json.dumps(report)) == report
    assert "swapped" not in table(report)
    assert people_line(report) == ""


def test_how_many_of_people_s_drawings_were_asked_for() -> None:
    report = fake_report()
    assert people_line(report) == (
        "People's drawings: ours 4 of 11; the others may have been trained on, as two in three are with --sketches."
    )
    report["settings"]["per_class"] = 3
    report["people"]["asked_for"] = "all"
    assert "known to a model that was trained on these" in people_line(report)
    assert people_line(report).endswith(" At most 3 of a class were taken.")


def test_drawings_that_could_not_be_used_are_named() -> None:
    report = fake_report()
    assert left_out_line(report) == ""
    report["people"]["left_out"] = [f"{name}.png: the drawing shows no lines." for name in "abcde"]
    assert left_out_line(report).startswith("5 drawings could not be used: a.png: the drawing shows no lines. b.png:")
    assert left_out_line(report).endswith("c.png: the drawing shows no lines. And 2 more.")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "no json", '{"format": 1}', b"\xff\xfe", json.dumps(fake_report() | {"models": [{"name": "a"}]}),
     json.dumps({name: part for name, part in fake_report().items() if name != "flags"})],
)  # fmt: skip
def test_what_is_no_report_is_told(text: str | bytes) -> None:
    with pytest.raises(DataError, match=r"no report of an evaluation; choose a \.json"):
        read_report(text)


def test_a_report_of_another_format_is_told() -> None:
    with pytest.raises(DataError, match="format 7; 1 can be shown"):
        read_report(json.dumps(fake_report() | {"format": 7}))

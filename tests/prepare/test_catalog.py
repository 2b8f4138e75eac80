"""Leafing through a data folder and deciding: any folder opens, decisions are on disk at once, undo takes them back."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edgegan_widget.base.errors import DataError, PreparationError
from edgegan_widget.data.audit import decisions
from edgegan_widget.data.audit.advice import ClassCount, advice
from edgegan_widget.data.audit.decisions import read_decisions, write_changes
from edgegan_widget.data.audit.rules import REASONS, Judging
from edgegan_widget.data.catalog import SHOWS, Catalog, Wanted
from edgegan_widget.data.preparing.build import Options, audit, build
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.readers.synthetic import draw_photos


def write_manifest(folder: Path, findings: list[dict[str, float]], classes: int = 2, **audit: Any) -> list[str]:
    """A manifest of pictures with these findings, the refused ones set aside; their ids."""
    lines = []
    for number, reasons in enumerate(findings):
        name, split = f"p{number}", "val" if number % 5 == 4 else "train"
        label = f"kind {number % classes}"
        place = f"{split}/{label}/{name}.png"
        judged = {"refused": bool(reasons), "reasons": reasons, "measures": {}} | audit
        file = f"refused/{place}" if reasons else place
        lines.append({"id": name, "class": label, "split": split, "file": file, "audit": judged})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return [line["id"] for line in lines]


@pytest.fixture
def twenty(tmp_path: Path) -> Path:
    """Twenty pictures, of which 3, 7 and 11 are blurred, 7 the least, and 11 is dark as well."""
    findings: list[dict[str, float]] = [{} for _ in range(20)]
    findings[3], findings[7], findings[11] = {"blurred": 0.7}, {"blurred": 0.53}, {"blurred": 0.9, "dark": 20}
    write_manifest(tmp_path, findings)
    return tmp_path


def numbers(catalog: Catalog, *wanted: str) -> list[int]:
    return catalog.find(Wanted(*wanted)).tolist()


def test_pictures_are_found_by_class_split_and_finding(twenty: Path) -> None:
    catalog = Catalog(twenty)
    assert catalog.audited
    assert len(catalog) == 20
    assert numbers(catalog) == list(range(20))
    assert numbers(catalog, "all", "kind 1", "val") == [9, 19]
    assert numbers(catalog, "all", "nothing") == []
    assert numbers(catalog, "refused") == [7, 3, 11], "nearest to the threshold first"
    assert numbers(catalog, "dark") == [11]
    assert numbers(catalog, "used") == [each for each in range(20) if each not in (3, 7, 11)]
    assert catalog.found()["blurred"] == 3
    assert set(catalog.found()) == {*SHOWS, *REASONS}
    assert catalog.counts() == [ClassCount("kind 0", 8, 2, 0), ClassCount("kind 1", 5, 2, 3)]


def test_a_page_is_read_from_the_manifest(twenty: Path) -> None:
    picture, other = Catalog(twenty).pictures([11, 0])
    assert (picture.id, picture.label, picture.split, picture.refused) == ("p11", "kind 1", "train", True)
    assert picture.reasons == {"blurred": 0.9, "dark": 20}
    assert picture.path == twenty / "refused" / "train" / "kind 1" / "p11.png"
    assert not other.refused


def test_decisions_are_on_disk_at_once_and_can_be_undone(twenty: Path) -> None:
    catalog = Catalog(twenty)
    catalog.decide([3], "accept")
    assert read_decisions(twenty / "audit.csv") == {"p3": "accept"}
    catalog.decide([0, 7], "refuse")
    assert read_decisions(twenty / "audit.csv") == {"p0": "refuse", "p3": "accept", "p7": "refuse"}
    assert numbers(catalog, "accept") == [3]
    assert numbers(catalog, "refused") == [0, 7, 11]
    assert numbers(catalog, "open") == [11]
    assert catalog.moves == 2, "p7 is set aside already"
    assert [each.refused for each in catalog.pictures([0, 3, 7])] == [True, False, True]
    assert catalog.undo() == [0, 7]
    assert read_decisions(twenty / "audit.csv") == {"p3": "accept"}
    assert catalog.undo() == [3]
    assert not catalog.can_undo
    assert catalog.undo() == []
    assert catalog.moves == 0


def test_decisions_of_before_are_known_again(twenty: Path) -> None:
    Catalog(twenty).decide([5], "refuse")
    catalog = Catalog(twenty)
    assert catalog.pictures([5])[0].decision == "refuse"
    assert catalog.moves == 1
    catalog.decide([5], "")
    assert read_decisions(twenty / "audit.csv") == {}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True), st.sampled_from(["accept", "refuse", ""])
        )
        | st.none(),
        max_size=12,
    )
)
def test_any_sequence_of_decisions_and_undos(tmp_path: Path, steps: list[tuple[list[int], str] | None]) -> None:
    """The list on disk always says what a plain dictionary with a history would."""
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    write_manifest(tmp_path / "data", [{}] * 8)
    path = tmp_path / "data" / "audit.csv"
    path.write_text('id,class,verdict,reasons,decision\np2,"a, b",refused,blurred (0.6),accept\nelse,x,,,refuse\n')
    catalog, expected = Catalog(tmp_path / "data"), [{"p2": "accept", "else": "refuse"}]
    for step in steps:
        if step is None:
            catalog.undo()
            expected = expected[:-1] or expected
        else:
            catalog.decide(*step)
            expected.append(expected[-1] | {f"p{number}": step[1] for number in step[0]})
        assert read_decisions(path) == {name: word for name, word in expected[-1].items() if word}
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["id"] for row in rows}) == len(rows), "one row a picture"
    assert {"id": "p2", "class": "a, b", "verdict": "refused", "reasons": "blurred (0.6)"}.items() <= rows[0].items()


def test_what_is_edited_by_hand_meanwhile_stays(twenty: Path) -> None:
    catalog = Catalog(twenty)
    catalog.decide([0], "refuse")
    with (twenty / "audit.csv").open("a") as stream:
        stream.write("p9,kind 1,,,accept\n")
    catalog.decide([1], "accept")
    assert read_decisions(twenty / "audit.csv") == {"p0": "refuse", "p9": "accept", "p1": "accept"}


def test_a_list_that_cannot_be_written_changes_nothing(twenty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(twenty)
    catalog.decide([0], "refuse")

    def full(path: Path, rows: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decisions, "write_decisions", full)
    for action in (lambda: catalog.decide([1], "refuse"), catalog.undo):
        with pytest.raises(PreparationError, match="No space left on device"):
            action()
    assert numbers(catalog, "refuse") == [0]
    assert read_decisions(twenty / "audit.csv") == {"p0": "refuse"}
    monkeypatch.undo()
    assert catalog.undo() == [0]


def test_a_list_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit.csv").write_bytes(b"id,decision\n\xff\xfe,accept\n")
    with pytest.raises(DataError, match="cannot be read as a list of decisions"):
        write_changes(tmp_path / "audit.csv", {"a": ("b", "accept")})


def test_a_folder_that_was_not_made_here(shapes: Path, tmp_path: Path) -> None:
    """What is decided before the audit counts in it: the ids are the same."""
    data = tmp_path / "data"
    shutil.copytree(shapes, data)
    (data / "refused" / "train" / "ball").mkdir(parents=True)
    (data / "train" / "ball" / "ball_1.png").rename(data / "refused" / "train" / "ball" / "ball_1.png")
    catalog = Catalog(data)
    assert not catalog.audited
    assert catalog.counts() == [ClassCount("ball", 7, 3, 1), ClassCount("box", 8, 3, 0)]
    chosen = next(each for each in catalog.pictures(range(len(catalog))) if each.path.name == "box_3.png")
    catalog.decide([chosen.number], "refuse")
    *_, last = audit(data, Judging(), move=True, where=Where(1))
    assert last.summary is not None
    assert not chosen.path.exists()
    again = Catalog(data)
    assert again.audited
    assert [each.path.name for each in again.pictures(again.find(Wanted("refuse")))] == ["box_3.png"]
    assert again.moves == 0


def test_what_is_decided_while_a_folder_is_being_made_counts(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", 2)
    making = build(tmp_path / "data", "mine", FolderReader(tmp_path / "photos"), Options(where=Where(1)))
    next(making), next(making)
    making.close()
    catalog = Catalog(tmp_path / "data")
    assert not catalog.audited
    assert len(catalog) == 2
    catalog.decide([0], "refuse")
    chosen = catalog.pictures([0])[0]
    *_, last = build(tmp_path / "data", "mine", FolderReader(tmp_path / "photos"), Options(where=Where(1)))
    assert last.summary is not None
    assert not chosen.path.exists()
    again = Catalog(tmp_path / "data")
    assert [each.id for each in again.pictures(again.find(Wanted("refuse")))] == [chosen.id]


def test_a_persons_refusal_counts_where_the_audits_does_not(shapes: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(shapes, data)
    Image.fromarray(np.full((64, 64, 3), 250, np.uint8)).save(data / "train" / "box" / "white.png")
    catalog = Catalog(data)
    chosen = catalog.pictures([0])[0]
    catalog.decide([0], "refuse")
    *_, _ = audit(data, Judging(keep_refused=True), move=True, where=Where(1))
    assert [path.name for path in (data / "refused").rglob("*.png")] == [chosen.path.name]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{}\n", "none of a manifest"),
        ("no json\n", "none of a manifest"),
        ('{"id": "a", "class": "b", "split": "train", "file": 3, "audit": {"reasons": {}}}\n', "another kind"),
        ("", "holds no picture"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(content)
    with pytest.raises(DataError, match=told):
        Catalog(tmp_path)


def test_a_manifest_cannot_point_elsewhere(tmp_path: Path) -> None:
    write_manifest(tmp_path, [{}])
    text = (tmp_path / "manifest.jsonl").read_text().replace("train/kind 0", "../..")
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"without '\.\.'"):
        Catalog(tmp_path).pictures([0])


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_folder_and_an_empty_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"lay|laid"):
        Catalog(tmp_path / name)


def test_advice_names_what_is_few_uneven_and_unseen() -> None:
    assert advice([ClassCount("a", 500, 50, 0), ClassCount("b", 400, 40, 3)]) == []
    told = " ".join(advice([ClassCount("cup", 30, 0, 0), ClassCount("fish", 900, 9, 0), ClassCount("owl", 0, 0, 7)]))
    assert "Nothing to train on for owl" in told
    assert "Few pictures to train on: cup (30)" in told
    assert "fish has 30 times as many as cup" in told
    assert "Nothing to validate on for cup" in told
    assert "Few pictures to validate on" not in told
    assert "Few pictures to validate on: cup (2)" in " ".join(advice([ClassCount("cup", 300, 2, 0)]))
    assert advice([ClassCount(f"c{number}", 9, 9, 0) for number in range(20)])[0].count("(9)") == 6

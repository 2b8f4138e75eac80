from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import ModelError
from edgegan_widget.evaluation.report.card import BEGIN, END, section, write_card

COMMAND = "edgegan-widget evaluate mine --data objects --card"


def report(accuracy: float = 0.5) -> dict[str, Any]:
    about = {"extractor": "classifier", "real": 40}
    found = {
        "name": "edge maps of held-out pictures", "drawings": 20,
        "realism": {"kid": {"value": 0.01, "low": 0.005, "high": 0.015} | about,
                    "frechet_distance": {"value": 12.5, "unreliable": "too few"} | about},
        "right_class": {"accuracy": {"value": accuracy, "low": 0.4, "high": 0.6},
                        "by_class": {"box": 0.25},
                        "worst_class": {"value": 0.25, "class_name": "box"}},
    }  # fmt: skip
    row = {"name": "mine", "sets": [found], "flags": [], "milliseconds": {"median": 9.0, "p95": 11.0}}
    return {
        "version": "1", "settings": {"per_class": 0},
        "people": {"asked_for": "held_out", "sets": [{"name": "ours", "used": 4, "of": 11}]},
        "models": [row], "classes": ["ball", "box"], "flags": {"collapsed": ""},
        "data": {"train": {"ball": 30, "box": 30}, "val": {"ball": 20, "box": 20}},
        "reference": {"real_accuracy": {"value": 0.925}},
    }  # fmt: skip


def model_folder(root: Path, card: str | None) -> Path:
    (root / "mine").mkdir()
    (root / "mine" / "config.json").write_text("{}")
    if card is not None:
        (root / "mine" / "README.md").write_text(card, "utf-8")
    return root / "mine"


def test_a_section_names_numbers_and_their_command() -> None:
    told = section(report(), COMMAND)
    assert f"`{COMMAND}`" in told
    assert "| right class ↑ | 50.0% [40.0%, 60.0%] |" in told
    assert "| Fréchet distance ↓ | 12.50 (unreliable) |" in told
    assert "60 real training pictures; right on 92.5% of 40 real held-out ones" in told
    assert "| box | 25% |" in told
    assert "| worst class ↑ | 25.0% (box) |" in told
    assert "- **People's drawings**: ours 4 of 11; the others may have been trained on" in told
    assert "9.0 ms a picture" in told


def test_the_numbers_are_written_anew_and_the_rest_stays(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "# mine\n\nBefore.\n")
    path = write_card(str(folder), report(), COMMAND)
    first = path.read_text("utf-8")
    assert first.startswith("# mine\n\nBefore.\n")
    path.write_text(first + "\nAfter.\n", "utf-8")
    write_card(str(folder), report(accuracy=0.75), COMMAND)
    second = path.read_text("utf-8")
    assert second == first.replace("50.0%", "75.0%") + "\nAfter.\n"
    assert (second.count(BEGIN), second.count(END)) == (1, 1)


def test_a_model_without_a_card_gets_one(tmp_path: Path) -> None:
    text = write_card(str(model_folder(tmp_path, None)), report(), COMMAND).read_text("utf-8")
    assert text.startswith(f"# mine\n\n{BEGIN}\n## How good it is")


@pytest.mark.parametrize("card", [BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {END}"])
def test_marks_that_are_not_a_pair(tmp_path: Path, card: str) -> None:
    folder = model_folder(tmp_path, card)
    with pytest.raises(ModelError, match="not once each in this order"):
        write_card(str(folder), report(), COMMAND)
    assert (folder / "README.md").read_text("utf-8") == card, "nothing is lost"


def test_a_run_has_no_card(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.safetensors").touch()
    with pytest.raises(ModelError, match="has no card; make it a model folder with edgegan-widget export"):
        write_card(str(tmp_path), report(), COMMAND)

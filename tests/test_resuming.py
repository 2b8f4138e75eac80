"""A run that goes on recalls its settings and its data, takes over what it can, and refuses the rest beforehand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.training.runs.jobs import Run
from edgegan_widget.training.runs.resuming import recalled

SMALL = ["--preset", "paper", "--batch-size", "2", "--width", "8", "--device", "cpu", "--quiet"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data, in which commands are given."""
    write(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(data: Path, splits: tuple[str, ...] = ("train", "val"), names: tuple[str, ...] = ("a", "b")) -> None:
    chance = np.random.default_rng(0)
    for split in splits:
        for name in names:
            folder = data / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                pixels = np.full((64, 64, 3), 255, np.uint8)
                pixels[16:48, 12:50] = chance.integers(0, 200, (32, 38, 3))
                Image.fromarray(pixels).save(folder / f"{number}.png")


def settings(run: Path) -> dict[str, object]:
    return json.loads((run / "config.json").read_text())["settings"]


def test_a_run_goes_on_by_itself_from_anywhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["train", "data", "--out", "run", *SMALL, "--epochs", "1"]) == 0
    assert settings(place / "run")["epochs"] == 1
    assert main(["train", "--out", "run", "--resume", "--epochs", "2", "--lr", "1e-4", "--quiet"]) == 0
    assert Run(place / "run").status().step == 4
    assert settings(place / "run") | {"epochs": 2, "width": 8, "lr_generator": 1e-4} == settings(place / "run")
    assert "changed: epochs 2 instead of 1, from step 2" in Run(place / "run").log()
    assert len(json.loads((place / "run" / "config.json").read_text())["changes"]) == 3

    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    shutil.move(place / "run", place / "elsewhere" / "moved")
    assert recalled(Path("moved")).data == str(place / "data"), "where it was"
    shutil.move(place / "data", place / "elsewhere" / "data")
    assert Path(recalled(Path("moved")).data).resolve() == place / "elsewhere" / "data", "as they lay to each other"
    shutil.move(place / "elsewhere", place / "all")
    shutil.move(place / "all" / "moved", place / "all" / "run")
    monkeypatch.chdir(place)
    assert recalled(Path("all/run")).data == "all/data"
    (place / "all" / "deep").mkdir()
    monkeypatch.chdir(place / "all" / "deep")
    assert main(["train", "--config", "../run/config.json", "--out", "../run", "--resume", "--quiet"]) == 0
    monkeypatch.chdir(place)
    (place / "all" / "data" / "train" / "a" / "1.png").write_bytes(
        (place / "all" / "data" / "train" / "b" / "1.png").read_bytes()
    )
    (place / "all" / "data" / "val" / "a" / "1.png").unlink()
    assert main(["train", "--out", "all/run", "--resume", "--epochs", "3", "--quiet"]) == 0
    told = f"1 pictures of {place / 'all' / 'data'} changed since the run began: train/a/1.png"
    assert told in Run(place / "all" / "run").log()


@pytest.mark.parametrize(
    ("change", "told"),
    [(["--width", "16"], "width 8 (not 16)"), (["--size", "128"], "size_px 64 (not 128)"), (["--seed", "9"], "seed 0"),
     (["--batch-size", "3"], "batch_size 2 (not 3)"), (["--classes", "a"], "classes"),
     (["--preset", "projected"], "made by the recipe 'paper'")],
)  # fmt: skip
def test_what_would_make_it_another_run_is_refused(
    change: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = place / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "last.pt").touch()
    assert main(["train", "data", "--out", "run0", *SMALL, "--epochs", "1", "--classes", "nothing"]) == 1
    written = json.dumps({"settings": {"preset": "paper", "batch_size": 2, "width": 8, "size_px": 64, "data": "data"}})
    (run / "config.json").write_text(written)
    capsys.readouterr()
    assert main(["train", "--out", "run", "--resume", *change]) == 1
    assert told in capsys.readouterr().err
    assert (run / "config.json").read_text() == written


def test_a_run_inside_its_own_data_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "data", "--out", "data/train/run", *SMALL]) == 1
    assert "inside its own data" in capsys.readouterr().err
    assert not (place / "data" / "train" / "run").exists()


def test_advice_about_a_batch_can_be_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "data", ("train",))
    arguments = [
        "train",
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "run"),
        "--preset",
        "paper",
        "--device",
        "cpu",
    ]
    assert main([*arguments, "--batch-size", "8"]) == 1
    assert "give --batch-size 4 or less" in capsys.readouterr().err
    for path in sorted((tmp_path / "data").rglob("*.png"))[1:]:
        path.unlink()
    shutil.rmtree(tmp_path / "data" / "train" / "b")
    assert main([*arguments, "--batch-size", "2"]) == 1
    assert "add pictures; 2 are the least" in capsys.readouterr().err


def test_home_means_the_same_in_every_option(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    assert main(["train", "~/data", "--out", "~/run", *SMALL, "--epochs", "1"]) == 0
    assert Run(place / "run").status().state == "finished"


def test_what_is_left_out_of_training_is_told_in_its_log(place: Path) -> None:
    data = place / "data"
    shutil.rmtree(data / "val" / "b")
    (data / "train" / "a" / "x.raw").write_bytes(b"?")
    Image.new("RGB", (64, 64), "red").save(data / "train" / "a" / "y.jfif", "JPEG")
    (data / "test" / "a").mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(data / "test" / "a" / "z.png")
    assert main(["train", "data", "--out", "run", *SMALL, "--epochs", "1"]) == 0
    log = Run(place / "run").log()
    assert "1 files are left out, since their names are not those of pictures (1 .raw)" in log
    assert "has no pictures of b" in log
    assert "test: 1 pictures are left out, since val is there" in log
    assert Run(place / "run").status().steps == 2, "five pictures to train on"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x90", b"[1]", b'{"settings": 3}'])
def test_settings_that_cannot_be_read_are_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"config.json holds no settings of a run that can be read \(.*\); mend it"):
        recalled(tmp_path)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no settings of a run; name the run's folder"):
        recalled(tmp_path)


def test_what_was_edited_by_hand_goes_on_or_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "data", "--out", "run", *SMALL, "--epochs", "1"]) == 0
    file = place / "run" / "config.json"
    written = json.loads(file.read_text())

    def resumed(change: dict[str, object], places: object = None, mark: str = "") -> str:
        record = {**written, "settings": {**written["settings"], **change}}
        file.write_text(mark + json.dumps(record if places is None else {**record, "places": places}), "utf-8")
        before = file.read_bytes()
        capsys.readouterr()
        done = main(["train", "--out", "run", "--resume", "--quiet"])
        assert done == 0 or file.read_bytes() == before, "nothing is written by what is refused"
        return "" if done == 0 else capsys.readouterr().err

    assert "has width 8 (not 16); put that back" in resumed({"width": 16})
    assert "epochs" in resumed({"epochs": "5"})
    assert "mend it, or put back a copy" in resumed({"colour": "red"})
    for places in ({"data": [{}]}, [1], "x"):
        assert not resumed({}, places)
    assert not resumed({}, mark="\ufeff")


def test_another_programs_state_and_a_finished_run_are_told(
    place: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    torch = pytest.importorskip("torch")
    assert main(["train", "data", "--out", "run", *SMALL, "--epochs", "1"]) == 0
    assert main(["train", "--out", "run", "--resume", "--quiet"]) == 0
    assert "run is finished: it has made its 2 steps; give more --epochs" in caplog.text
    state = place / "run" / "checkpoints" / "last.pt"
    whole = torch.load(state, weights_only=True)
    for found, told in (
        ({"epoch": 1, "model": torch.zeros(3)}, "is no training state of this program (it has no step, classes"),
        ({**whole, "model": "3"}, "says nothing of its network"),
    ):
        torch.save(found, state)
        assert main(["train", "--out", "run", "--resume", "--quiet"]) == 1
        assert told in capsys.readouterr().err

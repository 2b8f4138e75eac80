"""A real process prepares a data folder: followed, stopped, killed and gone on with."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.runs import DeferredSignals, Stopped, outcome
from edgegan_widget.base.settings import to_json
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.preparing.build import Progress
from edgegan_widget.data.preparing.jobs import (
    Figures,
    PreparationFolder,
    find_preparations,
    latest_preparation,
    start_preparation,
)
from edgegan_widget.data.preparing.journal import outcomes
from edgegan_widget.data.preparing.plan import Audit, Plan, Step, load_plan
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.preparing.worker import Pace, work
from tests.data_desk import SMALL


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where preparations are; none of them is left at work."""
    yield tmp_path / "preparations"
    for each in find_preparations(tmp_path / "preparations"):
        each.stop()
        each.wait(60)


def sample(out: Path, count: int = 3) -> Plan:
    options = dataclasses.replace(SMALL, judging=Judging(keep_refused=True))
    return Plan("synthetic", {"count": count, "seed": 7}, str(out), options)


def until_it_makes(found: PreparationFolder) -> int:
    """Wait for the first cut-outs; how many there are by then."""
    while not found.figures().objects:
        assert found.status().active, found.status().message
        time.sleep(0.02)
    return found.figures().objects


def made(data: Path) -> int:
    return sum(len(each.records) for each in outcomes(data))


def test_a_folder_is_prepared_and_judged_anew(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = start_preparation(sample(Path("data")), root)
    assert found.work() == sample(tmp_path / "data"), "whole paths"
    status = found.wait(120)
    assert (status.state, status.step, status.steps) == ("finished", 15, 15), found.log()
    assert status.message.startswith("15 pictures to train and validate on, 0 set aside")
    assert found.figures() == Figures(0, 15, 0)
    judging = Judging(Thresholds(small_px=9999, overfull=99))
    audit = start_preparation(Audit("data", judging, move=True), root)
    status = audit.wait(60)
    assert (status.state, status.message) == ("finished", "0 pictures to train and validate on, 15 set aside.")
    assert len(list((tmp_path / "data" / "refused").rglob("*.png"))) == 15
    assert [each.name for each in find_preparations(root)] == [audit.name, found.name]
    assert latest_preparation(root) == audit
    assert audit.data == tmp_path / "data"


@pytest.mark.parametrize("way", ["stopped", "interrupted"])
def test_what_was_made_is_whole_and_gone_on_with(root: Path, tmp_path: Path, way: str) -> None:
    plan = sample(tmp_path / "data", 36)
    found = start_preparation(plan, root)
    with pytest.raises(ConfigError, match="already"):
        start_preparation(plan, root)
    until_it_makes(found)
    assert found.process is not None
    found.stop() if way == "stopped" else found.process.kill()
    status = found.wait(60)
    assert status.state == way, found.log()
    assert status.message.endswith("it goes on from there.")
    count = made(tmp_path / "data")
    assert 0 < count < 180
    assert (f"Stopped at {count} of 180" in status.message) == (way == "stopped")
    assert not (tmp_path / "data" / "manifest.jsonl").exists(), "it is not taken for finished"
    assert load_plan(tmp_path / "data") == plan
    again = start_preparation(plan, root)
    assert again.wait(120).state == "finished", again.log()
    assert again.figures().reused == count
    assert made(tmp_path / "data") == 180


def test_no_process_is_left_of_one_that_was_killed(root: Path, tmp_path: Path) -> None:
    plan = sample(tmp_path / "data", 36)
    plan = dataclasses.replace(plan, options=dataclasses.replace(plan.options, where=Where(2)))
    found = start_preparation(plan, root)
    until_it_makes(found)
    assert found.process is not None
    workers = psutil.Process(found.process.pid).children(recursive=True)
    assert len(workers) >= 2
    found.process.kill()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert left == []


def test_what_fails_is_told_in_a_sentence(root: Path, tmp_path: Path) -> None:
    found = start_preparation(Plan("folder", {"folder": str(tmp_path / "none")}, str(tmp_path / "o"), SMALL), root)
    status = found.wait(60)
    assert status.state == "failed"
    assert "none is not a folder" in status.message
    assert status.message.endswith(".")
    found = start_preparation(Audit(str(tmp_path / "o")), root)
    assert found.wait(60).state == "failed"
    (tmp_path / "empty").mkdir()
    assert work(tmp_path / "empty") == "failed"
    assert "neither plan nor audit" in PreparationFolder(tmp_path / "empty").status().message
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        start_preparation(sample(tmp_path / "data"), tmp_path / "file" / "below")


def test_it_outlives_the_process_that_asked_for_it_and_is_found_again(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from edgegan_widget.base.settings import from_json; "
        "from edgegan_widget.data.preparing.plan import Plan; from edgegan_widget.data.preparing.jobs import *\n"
        "start_preparation(from_json(Plan, sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    plan = to_json(sample(tmp_path / "data", 36))
    subprocess.run([sys.executable, "-c", code, plan, str(root)], check=True, timeout=60)
    found = latest_preparation(root)
    assert found is not None
    assert found.process is None
    until_it_makes(found)
    found.stop()
    assert found.wait(60).state == "stopped"


def test_the_rest_takes_as_long_as_what_was_made() -> None:
    def left(sources: int, now: float) -> float:
        return pace.seconds_left(Step("Cutting out", 200, Progress(sources, 50, 120, 3)), now)

    pace = Pace()
    assert pace.seconds_left(Step("Counting pictures", 200), 90.0) == 0.0
    assert left(50, 99.0) == 0.0, "what was there already took no time"
    assert left(51, 100.0) == 0.0, "and what came before the first took time of another kind"
    assert left(53, 100.5) == left(60, 100.9) == 0.0, "no guess"
    assert left(61, 102.0) == pytest.approx(139 * 2 / 10)
    assert left(200, 130.0) == 0.0


@pytest.mark.parametrize("kind", DeferredSignals.KINDS)
def test_a_signal_waits_for_the_step_at_hand(kind: signal.Signals) -> None:
    before = signal.getsignal(kind)
    with DeferredSignals() as signals:
        os.kill(os.getpid(), kind)
        while not signals.received:
            time.sleep(0.001)
    assert signal.getsignal(kind) == before


def test_how_a_job_ends_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def fail(error: BaseException) -> None:
        raise error

    assert outcome(lambda: None) == ("finished", "")
    assert outcome(lambda: fail(Stopped("at 3"))) == ("stopped", "at 3")
    assert outcome(lambda: fail(DataError("no data."))) == ("failed", "no data.")
    assert outcome(lambda: fail(KeyError("x"))) == ("failed", "Something went wrong (KeyError: 'x').")
    assert "the job failed" in caplog.text

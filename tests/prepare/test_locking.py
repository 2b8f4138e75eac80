"""Two runs in one data folder, and what a killed one leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgegan_widget.base.errors import PreparationError
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.data.preparing.build import Options, audit, build
from edgegan_widget.data.preparing.journal import locked
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.readers.synthetic import draw_photos

HOLD = """
import pathlib, sys
from edgegan_widget.data.preparing.journal import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sprites")
    draw_photos(folder, 2)
    return folder


def test_a_second_run_is_refused_until_the_first_has_ended(sprites: Path, tmp_path: Path) -> None:
    first = build(tmp_path, "one", FolderReader(sprites), Options(where=Where(1)))
    next(first)
    for second in (build(tmp_path, "two", FolderReader(sprites)), audit(tmp_path, Judging(), move=False)):
        with pytest.raises(PreparationError, match="another run is preparing"):
            list(second)
    *_, progress = first
    assert progress.summary is not None
    list(audit(tmp_path, Judging(), move=False))


def test_a_run_that_is_given_up_lets_go(sprites: Path, tmp_path: Path) -> None:
    first = build(tmp_path, "one", FolderReader(sprites), Options(where=Where(1)))
    next(first)
    first.close()
    *_, progress = build(tmp_path, "one", FolderReader(sprites), Options(where=Where(1)))
    assert progress.reused == 1


def test_a_run_that_another_thread_gives_up_lets_go(tmp_path: Path) -> None:
    held = locked(tmp_path)
    held.__enter__()
    thread = threading.Thread(target=held.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with locked(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(PreparationError, match="another run"), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path):
        assert (tmp_path / ".prepare" / "lock").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(PreparationError, match="give another data folder"), locked(tmp_path / "file"):
        pass

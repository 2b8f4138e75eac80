"""The preparation on a Dask cluster: a scheduler and two workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DependencyError, PreparationError
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.data.preparing import pool
from edgegan_widget.data.preparing.build import Options, audit, build
from edgegan_widget.data.preparing.pool import Where, in_order
from edgegan_widget.data.readers.coco import CocoReader
from tests.benchmarks.data import write_photos

pytest.importorskip("distributed", reason="Dask's distributed is not installed")
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*"),
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco") / "photos"
    write_photos(folder, 40, 2)
    return folder


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes = [self._start("dask_scheduler", "--port", "0", "--no-dashboard")]
        until = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text("utf-8"))["address"]

    def add_worker(self) -> subprocess.Popen[bytes]:
        self.processes.append(self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"))
        return self.processes[-1]

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(self.file), *options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.file.parent}
        return subprocess.Popen(command, **quiet)  # type: ignore[call-overload,no-any-return]

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path)
    for _ in range(2):
        started.add_worker()
    yield started
    started.stop()


def reader(photos: Path) -> CocoReader:
    return CocoReader(photos, photos / "instances.json")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".prepare" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def local(photos: Path, out: Path) -> dict[str, bytes]:
    list(build(out, "coco", reader(photos), Options(where=Where(1))))
    return contents(out)


def test_a_cluster_writes_the_same_bytes_and_its_journal_serves_a_local_run(
    photos: Path, tmp_path: Path, two_workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = local(photos, tmp_path / "local")
    monkeypatch.chdir(photos.parent)  # relative paths, which the workers' folder is not the start of
    beside = Path(os.path.relpath(tmp_path / "cluster"))
    main(["data", "from-coco", "--images", "photos", "--annotations", "photos/instances.json", "--out", str(beside),
          "--dask", two_workers.address])  # fmt: skip
    assert contents(tmp_path / "cluster") == expected
    *_, progress = build(
        beside, "coco", CocoReader(Path("photos"), Path("photos/instances.json")), Options(where=Where(1))
    )
    assert progress.reused == 40
    for path in (tmp_path / "cluster").glob(".prepare/*"):
        path.unlink()
    *_, audited = audit(beside, Judging(), move=False, where=Where(dask=two_workers.address))
    assert audited.objects > 0


def test_a_killed_worker_is_survived_and_the_last_one_is_one_sentence(
    photos: Path, tmp_path: Path, two_workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(pool, "_NO_WORKERS_SECONDS", 0.5)
    options = Options(where=Where(dask=two_workers.address))
    going = build(tmp_path / "cluster", "coco", reader(photos), options)
    next(going)
    two_workers.processes[1].send_signal(signal.SIGKILL)
    next(going)
    two_workers.processes[2].send_signal(signal.SIGKILL)
    with pytest.raises(PreparationError, match=r"are gone; start some|was lost"):
        list(going)
    made = (tmp_path / "cluster" / ".prepare" / "coco.jsonl").read_bytes().count(b"\n")
    monkeypatch.setattr(pool, "_NO_WORKERS_SECONDS", 60)
    two_workers.add_worker()
    going = build(tmp_path / "cluster", "coco", reader(photos), options)
    next(going)
    two_workers.add_worker()
    two_workers.processes[3].send_signal(signal.SIGKILL)
    *_, progress = going
    assert progress.reused >= made
    assert contents(tmp_path / "cluster") == local(photos, tmp_path / "local")


def test_workers_that_do_not_see_the_folder(tmp_path: Path, two_workers: Cluster) -> None:
    with pytest.raises(PreparationError, match="does not see"):
        list(in_order(abs, [("", -1)], dask=two_workers.address, folder=tmp_path / "elsewhere"))
    assert [value for _, value in in_order(abs, [("", -1), ("", None), ("", -3)], dask=two_workers.address)] == [
        1, None, 3,
    ]  # fmt: skip


def test_a_scheduler_that_is_not_there_or_has_no_workers(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_REACH_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "no address"):
        with pytest.raises(PreparationError, match=r"no Dask scheduler answers at"):
            list(build(tmp_path / "a", "coco", reader(photos), Options(where=Where(dask=address))))
    alone = Cluster(tmp_path)
    try:
        with pytest.raises(PreparationError, match="has no workers"):
            list(in_order(abs, [("", -1)], dask=alone.address))
    finally:
        alone.stop()


def test_without_dask_installed(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DependencyError, match=r"pip install edgegan-widget\[dask\]"):
        list(build(tmp_path, "coco", reader(photos), Options(where=Where(dask="tcp://127.0.0.1:9"))))
    with pytest.raises(ConfigError, match="give one of the two"):
        Where(2, "tcp://127.0.0.1:9")

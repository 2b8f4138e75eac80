"""Which kernels of a shared dashboard are ended, and why: real processes, behind a manager that is not Jupyter's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from edgegan_widget.app.dashboard import housekeeping
from edgegan_widget.app.dashboard.housekeeping import Housekeeping
from edgegan_widget.app.dashboard.places import Places
from edgegan_widget.app.dashboard.sharing import Sharing


class Kernels:
    """As much of Jupyter's kernel manager as is asked."""

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.connections, self.idle = 1, timedelta(0)

    def begin(self, kernel: str, megabytes: int = 1) -> None:
        code = f"import sys; kept = bytearray(b'x' * {megabytes * 10**6}); print(flush=True); sys.stdin.read()"
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        self.running[kernel] = process

    def __contains__(self, kernel: str) -> bool:
        return kernel in self.running

    def get_kernel(self, kernel: str) -> Any:
        return SimpleNamespace(provisioner=SimpleNamespace(pid=self.running[kernel].pid))

    def kernel_model(self, kernel: str) -> dict[str, Any]:
        last = (datetime.now(timezone.utc) - self.idle).isoformat().replace("+00:00", "Z")
        return {"connections": self.connections, "last_activity": last, "execution_state": "idle"}

    async def shutdown_kernel(self, kernel: str, now: bool) -> None:
        process = self.running.pop(kernel)
        process.communicate()


@pytest.fixture
def kernels() -> Iterator[Kernels]:
    made = Kernels()
    yield made
    for process in made.running.values():
        process.communicate()


def opened(kernels: Kernels, *names: str, waiting: bool = False) -> tuple[Places, Housekeeping]:
    """These kernels as pages of as many visitors, and perhaps one visitor more."""
    places = Places(len(names), kernels.running.__contains__)
    for name in names:
        assert places.enter(name).free
        places.opened(name, name)
    assert not waiting or not places.enter("waits").free
    return places, Housekeeping(kernels, places, Sharing(page_mb=300, idle_seconds=60))


def test_one_that_takes_too_much_is_ended(kernels: Kernels) -> None:
    kernels.begin("small")
    kernels.begin("large", 320)
    places, house = opened(kernels, "small", "large")
    asyncio.run(house.look())
    assert places.pages == ["small"]
    assert "MB of memory, and 300 MB is what it may take." in house.reason("large")
    assert house.reason("small") == ""


def test_one_that_nobody_looks_at_makes_room_for_those_who_wait(kernels: Kernels) -> None:
    kernels.idle = timedelta(seconds=70)
    kernels.begin("page")
    places, house = opened(kernels, "page")
    asyncio.run(house.look())
    assert places.pages == ["page"], "as long as nobody waits"
    places, house = opened(kernels, "page", waiting=True)
    asyncio.run(house.look())
    assert places.pages == []
    assert house.reason("page") == "Others were waiting, and this page was out of sight for long."


def test_one_that_went_without_a_word_makes_room(kernels: Kernels, monkeypatch: pytest.MonkeyPatch) -> None:
    kernels.begin("page")
    places, house = opened(kernels, "page", waiting=True)
    asyncio.run(house.look())
    kernels.connections = 0
    asyncio.run(house.look())
    assert places.pages == ["page"], "it may come back"
    monkeypatch.setattr(housekeeping, "ALONE_SECONDS", 0)
    asyncio.run(house.look())
    assert places.pages == []
    assert "not connected any more" in house.reason("page")

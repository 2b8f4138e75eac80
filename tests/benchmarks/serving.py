"""What a server for many gives: pictures a second, how long one takes, what is lost to kills, and its memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.networks.remote.client import RemoteEngine
from tests.benchmarks.drawing import machine
from tests.serving.server import RunningServer, sketch_of

__all__ = ["Drawn", "draw_for", "memory_mb", "run"]

CLIENTS = 32
BATCHED_TIMES, LONGEST_SECONDS = 1.5, 5.0  # what it must reach: pictures a second; after a kill
Figures = dict[str, Any]


class Drawn:
    """What clients met: milliseconds of each request, and the errors."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.errors: list[EdgeGANError] = []

    def row(self, share: float) -> float:
        """A percentile."""
        return float(np.percentile(self.milliseconds, share))


def draw_for(engines: list[RemoteEngine], go_on: Callable[[int], bool]) -> Drawn:
    """Each client asks for one picture after the other, as long as ``go_on`` says so of how many were asked for."""
    drawn, counted, lock = Drawn(), [0], threading.Lock()

    def one(number: int, engine: RemoteEngine) -> None:
        while True:
            with lock:
                if not go_on(counted[0]):
                    return
                counted[0] += 1
                seed = counted[0]
            try:
                milliseconds = engine.generate(sketch_of(seed), number % len(engine.classes), seed=seed).milliseconds
                drawn.milliseconds.append(milliseconds)
            except EdgeGANError as error:
                drawn.errors.append(error)

    threads = [threading.Thread(target=one, args=given) for given in enumerate(engines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return drawn


def run(model: str = "default", replicas: int = 1, seconds: float = 15.0, kills: int = 3) -> Figures:
    """One client, 32 clients, and engines killed under load: rows of each."""
    with RunningServer("--model", model, "--rate", "10000", replicas=str(replicas)) as server:
        engines = [server.connect() for _ in range(CLIENTS)]
        draw_for(engines[:1], lambda count: count < 10)
        alone, one_rate = _timed(engines[:1], seconds)
        many, rate = _timed(engines, seconds)
        memory = memory_mb(server)
        after, longest = _killed(server, engines, kills)
    rows: list[Figures] = [
        _row("pictures a second: one client", one_rate, "/s"),
        _row(f"pictures a second: {CLIENTS} clients", rate, "/s"),
        _row("pictures a second: ratio", rate / one_rate, "times", BATCHED_TIMES),
        _row("one client, request to picture, median", alone.row(50), "ms"),
        _row("one client, 95th percentile", alone.row(95), "ms"),
        _row(f"{CLIENTS} clients, request to picture, median", many.row(50), "ms"),
        _row(f"{CLIENTS} clients, 95th percentile", many.row(95), "ms"),
        _row("requests that ended in an error, engines killed", len(after.errors), "", 0),
        _row("requests beside kills", len(after.milliseconds), ""),
        _row("longest request beside kills", longest / 1e3, "s", LONGEST_SECONDS),
        *(_row(f"memory, its own alone: {name}", value, "MB") for name, value in memory.items()),
    ]
    return {"machine": machine("CPU") | {"engines": replicas}, "rows": rows}


def memory_mb(server: RunningServer) -> dict[str, float]:
    """Memory that no other process shares: the engines, the rest of Ray, and the command."""
    engines = {process.pid for process in server.engines()}
    whole, *others = server.processes()
    sizes = {"engines": 0.0, "Ray without them": 0.0, "command": _own_mb(whole)}
    for process in others:
        sizes["engines" if process.pid in engines else "Ray without them"] += _own_mb(process)
    return sizes


def _own_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().uss) / 1e6
    except psutil.Error:
        return 0.0


def _timed(engines: list[RemoteEngine], seconds: float) -> tuple[Drawn, float]:
    began = time.monotonic()
    drawn = draw_for(engines, lambda _: time.monotonic() < began + seconds)
    if drawn.errors:
        raise drawn.errors[0]
    return drawn, len(drawn.milliseconds) / (time.monotonic() - began)


def _killed(server: RunningServer, engines: list[RemoteEngine], kills: int) -> tuple[Drawn, float]:
    """All draw while one engine after the other is killed, each when the one before was replaced."""
    done = threading.Event()

    def kill() -> None:
        whole = len(server.ready())
        for _ in range(kills):
            server.ready()[0].kill()
            time.sleep(3.0)
            while len(server.ready()) < whole:
                time.sleep(0.2)
        done.set()

    killing = threading.Thread(target=kill)
    killing.start()
    drawn = draw_for(engines, lambda _: not done.is_set())
    killing.join()
    return drawn, max(drawn.milliseconds)


def _row(name: str, value: float, unit: str, bar: float | None = None) -> Figures:
    return {"name": name, "value": value, "unit": unit, "bar": bar}

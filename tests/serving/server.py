"""A real server in a process of its own, as a person starts it, for tests and figures."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from types import TracebackType

import numpy as np
import psutil

from edgegan_widget.base.errors import DependencyError
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.remote.client import RemoteEngine

__all__ = ["TOKEN", "RunningServer", "sketch_of"]

TOKEN = "of-the-tests"
_START_SECONDS, _END_SECONDS = 400.0, 120.0
_NO_RAY = "Ray did not start: "
_ENGINE = "ServeReplica:edgegan:Engine"


class RunningServer:
    """``edgegan-widget serve``, started and, at the block's end, ended as Ctrl-C does."""

    def __init__(self, *options: str, replicas: str = "2", port: int = 0) -> None:
        address = os.environ.get("EDGEGAN_WIDGET_TEST_RAY", "")  # of a Ray that is there, instead of one of our own
        command = [sys.executable, "-m", "edgegan_widget", "serve", "--port", str(port), "--replicas", replicas]
        command += ["--token", TOKEN, *(["--address", address] if address else []), *options]
        self._everywhere = bool(address)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.told, self._asked = "", False
        self._wait_until_ready()

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.end()

    @property
    def url(self) -> str:
        return re.search(r"Serving .+? at (http://\S+)", self.told)[1]  # type: ignore[index]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def connect(self, **options: object) -> RemoteEngine:
        return EdgeGAN.connect(self.url, token=TOKEN, **({"patience_seconds": 60.0} | options))  # type: ignore[arg-type]

    def ask_to_end(self) -> None:
        """As Ctrl-C does; a second one would end it at once."""
        if not self._asked and self._process.poll() is None:
            self._asked = True
            self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """End it, and wait until it has."""
        self.ask_to_end()
        try:
            self.told += self._process.communicate(timeout=_END_SECONDS)[0]
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._process.returncode

    def processes(self) -> list[psutil.Process]:
        """The command itself, Ray's processes and the engines."""
        whole = psutil.Process(self._process.pid)
        return [whole, *whole.children(recursive=True)]

    def engines(self) -> list[psutil.Process]:
        """Those that draw."""
        among = psutil.process_iter() if self._everywhere else self.processes()
        return [process for process in among if _ENGINE in _title(process)]

    def ready(self) -> list[psutil.Process]:
        """Those that can draw by now."""
        return [engine for engine in self.engines() if "initialize" not in _title(engine)]

    def metric(self, name: str, label: str = "") -> float:
        """The sum of a figure over its labels, or those with this one, as Prometheus sees it."""
        port = re.search(r"Prometheus: http://127.0.0.1:(\d+)", self.told)
        address = f"http://127.0.0.1:{port[1] if port else os.environ['EDGEGAN_WIDGET_TEST_METRICS']}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            text = answer.read().decode()
        lines = [line for line in text.splitlines() if line.startswith(f"ray_{name}{{") and label in line]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        for line in self._process.stdout or []:
            self.told += line
            if line.startswith("Ctrl-C") or time.monotonic() > deadline:
                break
        if "Ctrl-C" not in self.told:
            self._process.kill()
            if _NO_RAY in self.told:  # its own parts did not find each other in time, three times, before it had ours
                raise DependencyError(self.told.strip().splitlines()[-1])
            raise RuntimeError(f"the server did not start: {self.told[-2000:]}")


def sketch_of(number: int = 0) -> np.ndarray:
    """Some lines; others for another number."""
    sketch = np.full((64, 64), 255, np.uint8)
    sketch[18:46, 10 + number % 9 : 54 : 6] = 0
    return sketch


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

"""Starts the server: on a Ray of its own, or in a cluster that is there; and ends it without losing an answer."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from edgegan_widget.base.errors import ConfigError, ServerError
from edgegan_widget.serving.settings import APPLICATION, Serving

__all__ = ["own_metrics_port", "serving", "until_interrupted"]

log = logging.getLogger(__name__)

_STORE_BYTES = 100_000_000  # Ray's shared memory; frames on their way are all that lies there
_DRAIN_SECONDS, _DOOR_SECONDS = 30.0, 5.0
_ATTEMPTS, _TOLD = 3, "start.log"  # of starting Ray
_START_SECONDS, _END_SECONDS = 120.0, 40.0  # of Ray; it takes up to 30 seconds to take leave of itself
_RAY = {  # its settings: soon told, patient with a busy machine, and nothing started that nobody asked for
    "metrics_report_interval_ms": 2000,
    "worker_register_timeout_seconds": 300,
    "agent_register_timeout_ms": 120_000,
    "prestart_worker_first_driver": False,
}


@contextmanager
def serving(
    settings: Serving, host: str = "127.0.0.1", port: int = 8000, address: str = "", metrics_port: int = 0
) -> Iterator[str]:
    """The server, for as long as the block lasts; its address is given.

    Parameters
    ----------
    settings
        What is served.
    host, port
        Where it listens; port 0 takes one that is free.
    address
        Of a Ray cluster, such as ``auto`` or ``ray://host:10001``; empty starts a Ray for this server alone, which
        other machines do not reach.
    metrics_port
        Where Prometheus asks a Ray of our own; 0 takes one that is free.

    Raises
    ------
    ConfigError
        The port is in use.
    ServerError
        The cluster is not there, or the engines cannot draw.
    """
    if not (address and port):  # in a cluster Serve may hold the port already
        port = _free_port(host, port)
    _prepare(own=not address)
    with _ray(settings, address, metrics_port):
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.config import HTTPOptions

        from edgegan_widget.serving.application import application

        try:
            serve.start(http_options=HTTPOptions(host=host, port=port))
            door = serve.run(application(settings), name=APPLICATION, route_prefix="/")
        except (RayError, RuntimeError, TimeoutError) as error:
            told = str(error).split("\n")[0].rstrip(".")
            raise ServerError(f"the engines could not be started: {told}; try again, or with fewer.") from error
        try:
            if not address.startswith("ray://"):  # then this machine is none of the cluster
                _check_door(host, port)
            yield f"http://{_spoken(host)}:{port}"
        finally:
            _drain(door, settings.ingresses)
            serve.delete(APPLICATION) if address else serve.shutdown()


def own_metrics_port(port: int = 0) -> int:
    """The port itself, or for 0 one that is free; ConfigError where it is not to be had."""
    return _free_port("127.0.0.1", port)


def until_interrupted() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not asked.wait(1.0):
            pass
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _prepare(own: bool) -> None:
    """Ray reads these when it is loaded, so that it is not before; its processes inherit them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if own:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "50")  # 5 are too few on a busy machine
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own is 15: behind everything else here
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # else it leaves loopback, on Linux too


def _check_door(host: str, port: int) -> None:
    """Serve opens its door once; where it runs already, that may be elsewhere."""
    try:
        socket.create_connection((host, port), _DOOR_SECONDS).close()
    except OSError as error:
        told = f"Ray Serve runs in this cluster already, and not at {host}:{port}"
        raise ServerError(f"{told}; give its own --host and --port, or end it: serve shutdown") from error


def _drain(door: object, ingresses: int) -> None:
    """Have every ingress answer what it took; each call reaches one of them."""
    for _ in range(4 * ingresses if ingresses > 1 else 1):
        with suppress(Exception):  # one that ended has nothing to answer any more
            door.stop.remote().result(timeout_s=_DRAIN_SECONDS)  # type: ignore[attr-defined]


@contextmanager
def _ray(settings: Serving, address: str, metrics_port: int) -> Iterator[None]:
    import ray

    if address:
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ServerError(
                f"no Ray cluster answers at {address!r} ({error}); start one: ray start --head"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()
        return
    with _own_ray(settings, metrics_port) as own:
        try:
            ray.init(address=own, log_to_driver=False, configure_logging=False)
            yield
        finally:
            ray.shutdown()


@contextmanager
def _own_ray(settings: Serving, metrics_port: int) -> Iterator[str]:
    """A Ray of this machine alone, on loopback, with a token and a folder of its own; its address."""
    for attempt in range(1, _ATTEMPTS + 1):
        folder = Path(tempfile.mkdtemp(prefix="eg-"))  # a short name: sockets lie in it, whose paths are limited
        address, process = _begin_ray(settings, metrics_port, folder)
        try:
            wrong = _wait_for(process, folder / _TOLD)
            if not wrong:
                yield address
                return
        finally:
            _end_ray(process)
            shutil.rmtree(folder, ignore_errors=True)
        log.warning("Ray did not start (attempt %d of %d): %s", attempt, _ATTEMPTS, wrong)
    raise ServerError(f"Ray did not start: {wrong}; end what keeps this machine busy, and try again.")


def _begin_ray(settings: Serving, metrics_port: int, folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Its address, and the process that ends it when it is told to.

    All ports that can be are given: Ray waits for those that its helpers choose, and not long on a busy machine.
    """
    engines = settings.replicas or settings.most_replicas
    host = "127.0.0.1"
    port, agent, listening, environments, clients = (_free_port(host, 0) for _ in range(5))
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--include-dashboard=false",
        "--no-monitor", "--include-log-monitor=false", f"--ray-client-server-port={clients}", "--disable-usage-stats",
        f"--node-ip-address={host}", f"--port={port}", f"--temp-dir={folder}",
        f"--num-cpus={max(engines, os.cpu_count() or 1)}", f"--object-store-memory={_STORE_BYTES}",
        f"--dashboard-agent-grpc-port={agent}", f"--dashboard-agent-listen-port={listening}",
        f"--runtime-env-agent-port={environments}", f"--metrics-export-port={own_metrics_port(metrics_port)}",
        f"--system-config={json.dumps(_RAY)}",
    ]  # fmt: skip
    with (folder / _TOLD).open("w") as told:
        # Ctrl-C is for this process, which lets Ray go when all is answered.
        return f"{host}:{port}", subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True)


def _end_ray(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end whatever of it does not."""
    with suppress(psutil.NoSuchProcess):
        whole = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        for left in whole:
            with suppress(psutil.NoSuchProcess):
                left.kill()
        process.kill()


def _wait_for(process: subprocess.Popen[bytes], told: Path) -> str:
    """Until Ray is there; what it says where it does not come, in a line."""
    deadline = time.monotonic() + _START_SECONDS
    while "Ray runtime started" not in told.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            return (told.read_text().strip().splitlines() or ["it says nothing"])[-1].strip(" .")
        time.sleep(0.1)
    return ""


def _free_port(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            told = error.strerror or str(error)
            raise ConfigError(f"{host}:{port} is not to be had ({told}); choose another --port, or --host.") from error
        found: int = probe.getsockname()[1]
        return found


def _spoken(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""The command that serves models to many: ``serve``."""

from __future__ import annotations

import argparse
import secrets
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.needs import check_ray
from edgegan_widget.networks.runners import AUTO, names

if TYPE_CHECKING:
    from edgegan_widget.serving.settings import Serving

__all__ = ["add_serve"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_serve(command: argparse.ArgumentParser) -> None:
    """Models for many people."""
    from edgegan_widget.training.config import DEVICES

    command.set_defaults(run=_serve)
    text = "name of a shipped model, a model or run folder, or NAME=FOLDER; may be given several times"
    command.add_argument("--model", action="append", metavar="M", help=f"{text} (default: default)")
    text = "engines that draw: a number, or auto for two and as many as are busy, one a GPU or core (default: auto)"
    command.add_argument("--replicas", default="auto", metavar="N|auto", help=text)
    text = "a Ray cluster to join, such as auto or HOST:6379 (default: a Ray of its own)"
    command.add_argument("--address", default="", metavar="RAY", help=text)
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    command.add_argument("--port", type=int, default=8000, help="port; 0 takes a free one (default: 8000)")
    text = "secret that clients must send (default: a fresh one where other machines can listen, none otherwise)"
    command.add_argument("--token", help=text)
    text = "requests a second over one connection, in the long run (default: 120)"
    command.add_argument("--rate", type=float, default=120.0, metavar="N", help=text)
    text = "where Prometheus asks (default: a free port, which is told)"
    command.add_argument("--metrics-port", type=int, default=0, metavar="PORT", help=text)
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    command.add_argument("--runner", choices=names(), default=AUTO, help="how networks are run (default: as fits)")


def _serve(options: argparse.Namespace) -> None:
    check_ray("serving to many")
    if not 0 <= options.port <= 65_535:
        raise ConfigError(f"the port is {options.port}; give one from 0 (any that is free) to 65535.")
    token = options.token
    if token is None:
        token = "" if options.host in _LOOPBACK else secrets.token_urlsafe(24)
    settings = _settings(options, token)
    from edgegan_widget.serving.starting import own_metrics_port, serving, until_interrupted

    metrics = own_metrics_port(options.metrics_port)
    print(f"Starting {', '.join(settings.models)} on Ray ...", flush=True)
    with serving(settings, options.host, options.port, options.address, metrics) as url:
        told = f" with the token {token}" if token and options.token is None else ""
        print(f"Serving {', '.join(settings.models)} at {url}{told}", flush=True)
        if not options.address:
            print(f"Prometheus: http://127.0.0.1:{metrics}/metrics", flush=True)
        print("Ctrl-C ends it; what was asked for by then is drawn.", flush=True)
        until_interrupted()
        print("Answering what was asked for ...", flush=True)


def _settings(options: argparse.Namespace, token: str) -> Serving:
    import os

    from edgegan_widget.base.needs import device_of
    from edgegan_widget.serving.settings import Serving, digest_of, named_models

    elsewhere = options.address and options.device != "auto"  # what this machine has does not matter then
    device = options.device if elsewhere else device_of(options.device)
    return Serving(
        named_models(options.model or ["default"]),
        token_digest=digest_of(token) if token else "",
        replicas=_replicas(options.replicas),
        most_replicas=64 if options.address else _gpus() if device == "cuda" else os.cpu_count() or 1,
        device=device,
        runner=options.runner,
        rate_per_second=options.rate,
    )


def _replicas(text: str) -> int:
    if text == "auto":
        return 0
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"--replicas is {text!r}; give a number from 1, or auto.")
    return int(text)


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()

"""Starts Voilà on the packaged dashboard notebook."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.app.dashboard.sharing import Sharing
from edgegan_widget.base.errors import ConfigError, DependencyError
from edgegan_widget.networks.find import find_model, packaged
from edgegan_widget.networks.runners import AUTO

if TYPE_CHECKING:
    from traitlets.config import Config

__all__ = ["serve"]

UPLOAD_BYTES = 100 * 1024 * 1024  # the default of 10 MB silently drops photos
EVERYWHERE = ""  # all addresses of this machine, as Tornado takes them
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    model: str = "default",
    device: str = "auto",
    host: str | None = None,
    port: int = 8866,
    token: str | None = None,
    open_browser: bool = True,
    preheat: bool = True,
    runs: str | os.PathLike[str] = "runs",
    runner: str = AUTO,
    base_url: str = "/",
    sharing: Sharing | None = None,
    engine: str = "",
    engine_token: str = "",
) -> None:
    """Serve the dashboard until interrupted.

    Parameters
    ----------
    model
        Name or folder of the model.
    device
        ``auto``, ``cpu`` or ``cuda``.
    host
        Address to listen on; anything but loopback lets others in, who may run code in the kernel. None is this machine
        only, or all addresses where ``sharing`` says public.
    port
        Port to listen on; the next free one is taken where it is in use.
    token
        Secret that the address must carry; a fresh one if None, none at all if empty (loopback only).
    open_browser
        Open the page in the default browser.
    preheat
        Keep one kernel with a loaded model waiting, so that a page opens at once; costs its memory.
    runs
        Folder of the training runs.
    runner
        How the networks are run, see :mod:`edgegan_widget.networks.runners`.
    base_url
        Path below which the page lies, as a reverse proxy hands it on: ``/`` or ``/draw/``.
    sharing
        How many pages at a time, what each may take, and TLS; usually for one person on this machine.
    engine, engine_token
        Address and token of a server that draws (``edgegan-widget serve``), for ``model`` as it is called there; empty
        to draw in each page's kernel.

    Raises
    ------
    ModelError
        There is no such model.
    ServerError
        The engine does not answer, or refuses its token.
    ConfigError
        A server that others can reach would have no token; or port or path are none.
    """
    _leave_out_iris()
    try:
        from edgegan_widget.app.dashboard.voila_app import SharedVoila
    except ImportError as error:
        raise DependencyError("Voilà is not installed; run: pip install voila") from error
    sharing = sharing or Sharing()
    address = host if host is not None else EVERYWHERE if sharing.public else LOOPBACK[0]
    _check_address(address, port, token)
    below = _checked_path(base_url)
    if engine:
        _check_engine(engine, model, engine_token)
    place = model if engine else str(find_model(model).resolve())
    whole_runs = str(Path(runs).expanduser().resolve())
    Handed(place, device, runner, whole_runs, os.getcwd(), engine, engine_token).hand_on()
    templates = str(Path(__file__).parent / "jupyter")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [templates, os.environ.get("JUPYTER_PATH", "")]))
    logging.getLogger("tornado.general").addFilter(_is_news)
    settings = _settings(token, preheat, sharing)
    settings.Voila.base_url = below
    settings.Voila.ip, settings.Voila.port, settings.Voila.open_browser = address, port, open_browser
    SharedVoila.launch_instance(argv=[str(_notebook())], config=settings)


def _leave_out_iris() -> None:
    """Keep jsonschema from loading its check of IRIs, which no schema of Jupyter asks for.

    It compiles 35 grammars as it is imported: 2 to 9 seconds of each start on a slow core. Without that module
    jsonschema does without the check, as it does where it is not installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _check_engine(url: str, model: str, token: str) -> None:
    """Refuse to begin without the engine: later it may be gone for a while, but now its address may be wrong."""
    from edgegan_widget.networks.remote.client import RemoteEngine

    RemoteEngine(url, model, token or None).close()


def _check_address(host: str, port: int, token: str | None) -> None:
    if token == "" and host not in LOOPBACK:
        where = host or "this machine"
        raise ConfigError(f"without a token anybody who reaches {where} could run code; give a token or use 127.0.0.1.")
    if not 0 <= port <= 65_535:
        raise ConfigError(f"the port is {port}; give one from 0 (any that is free) to 65535.")


def _checked_path(base_url: str) -> str:
    """A path with a slash at both ends."""
    below = f"/{base_url.strip('/')}/".replace("//", "/")
    if not re.fullmatch(r"/([\w.~-]+/)*", below):
        raise ConfigError(f"base_url is {base_url!r}; give a path such as /draw/, of letters, digits and . _ ~ -")
    return below


def _settings(token: str | None, preheat: bool, sharing: Sharing) -> Config:
    """Voilà's settings: nothing served but the page, no tracebacks, prompt websockets, idle kernels ended."""
    from traitlets.config import Config

    from edgegan_widget.app.dashboard.admission import Admission
    from edgegan_widget.app.dashboard.websocket import PromptWebsocket

    settings = Config()
    settings.Voila.identity_provider_class = Admission
    if token is None:
        settings.Voila.auto_token = True  # a fresh one, which Voilà prints with the address
    else:
        settings.Voila.token = token
    settings.Voila.kernel_websocket_connection_class = PromptWebsocket
    settings.Voila.tornado_settings = {"websocket_max_message_size": UPLOAD_BYTES}
    settings.VoilaConfiguration.template = "edgegan"
    settings.VoilaConfiguration.file_allowlist = []
    settings.VoilaConfiguration.show_tracebacks = False
    settings.VoilaConfiguration.preheat_kernel = preheat
    settings.NotebookNotary.store_factory = _Ours
    if os.name != "nt":
        settings.KernelManager.transport = "ipc"  # sockets that only this user can open, not ports of the machine
    settings.MappingKernelManager.cull_interval = min(60, sharing.idle_seconds)
    settings.MappingKernelManager.cull_idle_timeout = sharing.idle_seconds
    settings.SharedVoila.sharing = sharing
    return settings


def _is_news(record: logging.LogRecord) -> bool:
    """Not what Tornado says of each page: it takes Jupyter's milliseconds between pings for seconds."""
    return "websocket_ping_timeout" not in record.getMessage()


class _Ours:
    """What Jupyter's contents manager asks whether a notebook is trusted; the one that is served is this package's."""

    def check_signature(self, _digest: str, _algorithm: str) -> bool:
        return True

    def store_signature(self, _digest: str, _algorithm: str) -> None:
        """Nothing is written down."""

    def remove_signature(self, _digest: str, _algorithm: str) -> None:
        """Nothing is written down."""

    def close(self) -> None:
        """Nothing is open."""


def _notebook() -> Path:
    for place in packaged("notebooks"):
        if (place / "dashboard.ipynb").is_file():
            return place / "dashboard.ipynb"
    raise ConfigError("the dashboard notebook is missing from this installation; install edgegan-widget anew.")

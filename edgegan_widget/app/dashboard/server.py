"""Starts Voilà on the packaged dashboard notebook."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.app.dashboard.address import Address
from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.app.dashboard.sharing import Sharing
from edgegan_widget.base.errors import ConfigError, DependencyError
from edgegan_widget.networks.find import find_model, packaged

if TYPE_CHECKING:
    from traitlets.config import Config

__all__ = ["serve"]

UPLOAD_BYTES = 100 * 1024 * 1024  # the default of 10 MB silently drops photos


def serve(
    page: Handed = Handed(),  # noqa: B008 - it cannot be changed
    address: Address = Address(),  # noqa: B008
    sharing: Sharing = Sharing(),  # noqa: B008
    open_browser: bool = True,
    preheat: bool = True,
) -> None:
    """Serve the dashboard until interrupted.

    Parameters
    ----------
    page
        What its pages are made with; its folder is the one in which this is called.
    address
        Where it is reached.
    sharing
        How many pages at a time, what each may take, and TLS; usually for one person on this machine.
    open_browser
        Open the page in the default browser.
    preheat
        Keep one kernel with a loaded model waiting, so that a page opens at once; costs its memory.

    Raises
    ------
    ModelError
        There is no such model.
    ServerError
        The engine does not answer, or refuses its token.
    """
    _leave_out_iris()
    try:
        from edgegan_widget.app.dashboard.voila_app import SharedVoila
    except ImportError as error:
        raise DependencyError("Voilà is not installed; run: pip install voila") from error
    _checked(page).hand_on()
    templates = str(Path(__file__).parent / "jupyter")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [templates, os.environ.get("JUPYTER_PATH", "")]))
    logging.getLogger("tornado.general").addFilter(_is_news)
    settings = _settings(preheat, sharing)
    _put_at(settings, address)
    settings.Voila.open_browser = open_browser
    SharedVoila.launch_instance(argv=[str(_notebook())], config=settings)


def _leave_out_iris() -> None:
    """Keep jsonschema from loading its check of IRIs, which no schema of Jupyter asks for.

    It compiles 35 grammars as it is imported: 2 to 9 seconds of each start on a slow core. Without that module
    jsonschema does without the check, as it does where it is not installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _checked(page: Handed) -> Handed:
    """The same with whole paths, wherever the kernels will be; refused without its model, here or at the engine."""
    runs = str(Path(page.runs).expanduser().resolve())
    if not page.engine:
        return replace(page, model=str(find_model(page.model).resolve()), runs=runs, folder=os.getcwd())
    from edgegan_widget.networks.remote.client import RemoteEngine

    # Later the engine may be gone for a while, but now its address may be wrong.
    RemoteEngine(page.engine, page.model, page.engine_token or None).close()
    return replace(page, runs=runs, folder=os.getcwd())


def _settings(preheat: bool, sharing: Sharing) -> Config:
    """Voilà's settings: nothing served but the page, no tracebacks, prompt websockets, idle kernels ended."""
    from traitlets.config import Config

    from edgegan_widget.app.dashboard.admission import Admission
    from edgegan_widget.app.dashboard.websocket import PromptWebsocket

    settings = Config()
    settings.Voila.identity_provider_class = Admission
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


def _put_at(settings: Config, address: Address) -> None:
    settings.Voila.ip, settings.Voila.port, settings.Voila.base_url = address.host, address.port, address.base_url
    if address.token is None:
        settings.Voila.auto_token = True  # a fresh one, which Voilà prints with the page's address
    else:
        settings.Voila.token = address.token


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

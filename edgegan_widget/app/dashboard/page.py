"""What a page shows, in its kernel: all that the server was started with arrives here through the environment."""

from __future__ import annotations

import os
import sys

from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.app.workbench import Workbench
from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import ServerError
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.widgets import refill

__all__ = ["LatePage", "page"]

PATIENCE_SECONDS = 5.0  # then the pad says that the engine does not answer, and asks again
AGAIN_SECONDS = 2.0


def page() -> Workbench | LatePage:
    """The dashboard's content, for the model and the runs that the server was started with."""
    sys.setswitchinterval(0.001)  # the drawing thread need not wait 5 ms for the one that takes the pen's events
    handed = Handed.take()
    if handed.folder:
        os.chdir(handed.folder)  # Voilà starts the page in the notebook's folder, which lies in the installed package
    try:
        return _workbench(handed)
    except ServerError as error:
        return LatePage(handed, error)


def _workbench(handed: Handed) -> Workbench:
    if not handed.engine:
        return Workbench(handed.model, device=handed.device, runs=handed.runs, runner=handed.runner)
    from edgegan_widget.networks.remote.client import RemoteEngine  # and neither torch nor onnxruntime

    engine = RemoteEngine(handed.engine, handed.model, handed.engine_token or None, PATIENCE_SECONDS)
    return Workbench(engine, device=handed.device, runs=handed.runs)


class LatePage(Panel):
    """In the place of a page whose engine is gone: says so, and becomes the page once it is back."""

    def __init__(self, handed: Handed, error: ServerError) -> None:
        super().__init__()
        self._handed = handed
        self.children = [self.error_line]
        self._tell(error)
        self._ticker = Ticker(self._try_again)

    def close(self) -> None:
        """Stop waiting."""
        self._ticker.close()
        super().close()

    def _tell(self, error: ServerError) -> None:
        what = str(error).partition(";")[0].rstrip(".")
        self.complain(ServerError(f"{what}; the page opens by itself once it answers."))

    def _try_again(self) -> float:
        try:
            refill(self, [_workbench(self._handed)])
            self._ticker.close()
        except ServerError as error:
            self._tell(error)
        return AGAIN_SECONDS

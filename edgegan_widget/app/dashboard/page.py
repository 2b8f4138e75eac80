"""What a page shows, in its kernel: all that the server was started with arrives here through the environment."""

from __future__ import annotations

import os
import sys

from edgegan_widget.app.workbench import Workbench
from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import ServerError
from edgegan_widget.networks.runners import AUTO
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.widgets import refill

__all__ = ["LatePage", "page"]

MODEL_VARIABLE = "EDGEGAN_WIDGET_MODEL"
DEVICE_VARIABLE = "EDGEGAN_WIDGET_DEVICE"
RUNNER_VARIABLE = "EDGEGAN_WIDGET_RUNNER"
RUNS_VARIABLE = "EDGEGAN_WIDGET_RUNS"
FOLDER_VARIABLE = "EDGEGAN_WIDGET_FOLDER"  # where the command was given: paths typed on the page start there
ENGINE_VARIABLE = "EDGEGAN_WIDGET_ENGINE"
TOKEN_VARIABLE = "EDGEGAN_WIDGET_ENGINE_TOKEN"  # the environment of a process is its user's alone to see
PATIENCE_SECONDS = 5.0  # then the pad says that the engine does not answer, and asks again
AGAIN_SECONDS = 2.0


def page() -> Workbench | LatePage:
    """The dashboard's content, for the model and the runs that the server was started with."""
    sys.setswitchinterval(0.001)  # the drawing thread need not wait 5 ms for the one that takes the pen's events
    if folder := os.environ.get(FOLDER_VARIABLE):
        os.chdir(folder)  # Voilà starts the page in the notebook's folder, which lies inside the installed package
    try:
        return _workbench()
    except ServerError as error:
        return LatePage(error)


def _workbench() -> Workbench:
    model, runs = os.environ.get(MODEL_VARIABLE) or "default", os.environ.get(RUNS_VARIABLE) or "runs"
    device, url = os.environ.get(DEVICE_VARIABLE) or "auto", os.environ.get(ENGINE_VARIABLE)
    if url:
        from edgegan_widget.networks.remote.client import RemoteEngine  # and neither torch nor onnxruntime

        engine = RemoteEngine(url, model, os.environ.get(TOKEN_VARIABLE) or None, PATIENCE_SECONDS)
        return Workbench(engine, device=device, runs=runs)
    return Workbench(model, device=device, runs=runs, runner=os.environ.get(RUNNER_VARIABLE) or AUTO)


class LatePage(Panel):
    """In the place of a page whose engine is gone: says so, and becomes the page once it is back."""

    def __init__(self, error: ServerError) -> None:
        super().__init__()
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
            refill(self, [_workbench()])
            self._ticker.close()
        except ServerError as error:
            self._tell(error)
        return AGAIN_SECONDS

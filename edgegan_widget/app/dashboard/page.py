"""What a page shows, in its kernel: all that the server was started with arrives here through the environment."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from edgegan_widget.networks.runners import AUTO

if TYPE_CHECKING:
    from edgegan_widget.app.workbench import Workbench

__all__ = ["DEVICE_VARIABLE", "FOLDER_VARIABLE", "MODEL_VARIABLE", "RUNNER_VARIABLE", "RUNS_VARIABLE", "page"]

MODEL_VARIABLE = "EDGEGAN_WIDGET_MODEL"
DEVICE_VARIABLE = "EDGEGAN_WIDGET_DEVICE"
RUNNER_VARIABLE = "EDGEGAN_WIDGET_RUNNER"
RUNS_VARIABLE = "EDGEGAN_WIDGET_RUNS"
FOLDER_VARIABLE = "EDGEGAN_WIDGET_FOLDER"  # where the command was given: paths typed on the page start there


def page() -> Workbench:
    """The dashboard's content, for the model and the runs that the server was started with."""
    from edgegan_widget.app.workbench import Workbench

    sys.setswitchinterval(0.001)  # the drawing thread need not wait 5 ms for the one that takes the pen's events
    if folder := os.environ.get(FOLDER_VARIABLE):
        os.chdir(folder)  # Voilà starts the page in the notebook's folder, which lies inside the installed package
    return Workbench(
        os.environ.get(MODEL_VARIABLE) or "default",
        device=os.environ.get(DEVICE_VARIABLE) or "auto",
        runs=os.environ.get(RUNS_VARIABLE) or "runs",
        runner=os.environ.get(RUNNER_VARIABLE) or AUTO,
    )

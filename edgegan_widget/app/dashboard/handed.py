"""What the server hands to its pages' kernels, through their environment; neither widgets nor networks."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields

from edgegan_widget.networks.runners import AUTO

__all__ = ["ENGINE_TOKEN", "Handed"]

_BEGIN = "EDGEGAN_WIDGET_"
ENGINE_TOKEN = f"{_BEGIN}ENGINE_TOKEN"


@dataclass(frozen=True)
class Handed:
    """What a page is made with; each field is a variable of the environment, which its user alone can see.

    Attributes
    ----------
    model, device, runner, runs
        As for :class:`~edgegan_widget.app.workbench.Workbench`.
    folder
        Where the command was given: paths typed on the page start there.
    engine, engine_token
        Address and token of the server that draws; empty where the kernel does.
    """

    model: str = "default"
    device: str = "auto"
    runner: str = AUTO
    runs: str = "runs"
    folder: str = ""
    engine: str = ""
    engine_token: str = ""

    def hand_on(self) -> None:
        """Put it into the environment, which processes that are begun from now on inherit."""
        os.environ.update({_BEGIN + name.upper(): value for name, value in asdict(self).items()})

    @staticmethod
    def take() -> Handed:
        """What was handed to this process; what is usual where nothing was."""
        given = {field.name: os.environ.get(_BEGIN + field.name.upper(), "") for field in fields(Handed)}
        return Handed(**{name: value for name, value in given.items() if value})

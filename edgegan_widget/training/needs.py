"""What a run needs before it may begin: its data, the packages of its recipe, a start model that the recipe made.

Told before anything is written or read, in one sentence each.
"""

from __future__ import annotations

from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.kinds import kind_of, that_fit

__all__ = ["check_needs"]


def check_needs(config: TrainConfig, resume: bool = False) -> None:
    """Refuse settings that cannot be trained with; a run that goes on needs its start model no more.

    Raises
    ------
    ConfigError
        ``data`` (or ``drawings``), ``out`` or a folder of sketches is missing, or recipe and start model do not fit.
    DependencyError
        A package that the recipe needs is not installed.
    ModelError
        There is no such start model.
    """
    _check_places(config)
    kind_of(config.preset).check_package()
    if config.start_from and not resume:
        _check_start(config)


def _check_places(config: TrainConfig) -> None:
    """Refuse settings that name no data, no run folder, or sketches that are not there."""
    if not config.out:
        raise ConfigError("out is empty; name a new folder for the run, such as 'runs/first'.")
    word = kind_of(config.preset).learns_from
    source = getattr(config, word)
    if not source:
        raise ConfigError(f"{word} is empty; name the folder with the pictures to train on.")
    if not Path(source).exists():
        raise ConfigError(f"{word} is {source!r}, which does not exist; name a folder of pictures or a packed file.")
    if config.sketches and not config.reads("sketches"):
        raise ConfigError(
            f"sketches are learnt from by the recipe 'projected' alone; leave them out, or choose it instead of "
            f"{config.preset!r}."
        )
    for folder in config.sketches:
        if not Path(folder).exists():
            raise ConfigError(f"sketches names {folder!r}, which does not exist; name folders of people's drawings.")


def _check_start(config: TrainConfig) -> None:
    architecture = read_config(find_model(config.start_from)).architecture
    fitting = that_fit(architecture)
    if config.preset not in fitting:
        raise ConfigError(
            f"the model {config.start_from!r} is of architecture {architecture!r}, which the recipe {config.preset!r} "
            f"cannot go on from; presets that fit are {', '.join(fitting)}."
        )

"""The commands of training: ``train``, ``study`` and ``export``, with an option for each field of the settings."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.options import add_options, given
from edgegan_widget.training.config import DEFAULT_PRESET, TrainConfig
from edgegan_widget.training.finetuning import finetune_config, moving_config
from edgegan_widget.training.kinds import kinds, presets, read_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgegan_widget.training.loop import Progress

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["add_export", "add_study", "add_train", "train_config"]


def add_train(commands: Commands) -> None:
    """Train a model."""
    command = commands.add_parser("train", help="train a model on a folder of cut-outs or pairs")
    command.add_argument("data", nargs="?", metavar="DATA", help="folder <split>/<class>/*.png, or a packed file")
    _add_settings(command, {"data"})
    command.add_argument("--resume", action="store_true", help="go on where the run in RUN stopped")
    command.add_argument("--config", type=Path, metavar="FILE", help="all settings, as a run's config.json has them")
    command.add_argument("--quiet", action="store_true", help="no progress bar; the run folder tells")
    command.set_defaults(run=_train)


def _add_settings(command: argparse.ArgumentParser, without: set[str]) -> None:
    """An option for each field of the settings, described by the field itself."""
    command.add_argument("--lr", type=float, help="learning rate of encoder and generators; others keep their ratio")
    add_options(
        command, TrainConfig, without,
        default=lambda field: DEFAULT_PRESET if field.name == "preset" else "the preset's",
        note=lambda field: _readers(field.name),
        choices={"preset": sorted(presets())},
    )  # fmt: skip


def _readers(name: str) -> str:
    """Which recipes read a setting, where not all do."""
    readers = read_by(name)
    return "" if len(readers) == len(kinds()) else f"{', '.join(readers)} only"


def _train(options: argparse.Namespace) -> None:
    from edgegan_widget.networks.distributed import process_group
    from edgegan_widget.training.loop import train

    with process_group():
        config = train_config(options)
        if options.quiet:
            for _ in train(config, resume=options.resume):
                pass
        else:
            _show_progress(train(config, resume=options.resume))
            print(f"Draw with it: edgegan-widget dashboard --model {config.out}")


def _show_progress(reports: Iterator[Progress]) -> None:
    from tqdm import tqdm

    with tqdm(unit="step", dynamic_ncols=True) as bar:
        for progress in reports:
            if not bar.n:  # a resumed run begins where it stopped
                bar.initial = bar.n = bar.last_print_n = progress.step
            bar.total = progress.steps
            bar.set_postfix_str(
                " ".join(f"{name} {value:.2f}" for name, value in progress.losses.items()), refresh=False
            )
            bar.update(progress.step - bar.n)


def train_config(options: argparse.Namespace) -> TrainConfig:
    """The preset (or a file of settings) with what the command line changes; fine-tuning has its own defaults."""
    changes = given(options, TrainConfig)
    changes.pop("preset", None)
    if options.config is not None:
        base = _read_settings(options.config)
    elif options.preset is not None and not presets()[options.preset][0].from_scratch:
        base = moving_config(options.preset, changes.pop("start_from", "default"))
    elif "start_from" in changes:
        base = finetune_config(changes.pop("start_from"), "", "")
        if options.preset not in (None, base.preset):
            base = TrainConfig.from_preset(options.preset, start_from=base.start_from)
    else:
        base = TrainConfig.from_preset(options.preset or DEFAULT_PRESET)
    if options.lr is not None:
        changes["lr_generator"] = options.lr
        changes["lr_discriminator"] = options.lr * base.lr_discriminator / base.lr_generator
    return dataclasses.replace(base, **changes)


def _read_settings(path: Path) -> TrainConfig:
    try:
        return TrainConfig.from_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path} holds no settings to train with: {error}") from error


def add_study(commands: Commands) -> None:
    """Train a grid of settings."""
    command = commands.add_parser("study", help="train a grid of settings; one table and one figure")
    command.add_argument("--data", required=True, metavar="DATA", help="folder <split>/<class>/*.png, or a packed file")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the study; it is resumed")
    command.add_argument("--grid", nargs="+", metavar="FIELD=VALUE,...", help="values to try, such as lr=1e-3,2e-4 "
                         "width=32,48 (default: the reference grid)")  # fmt: skip
    _add_settings(command, {"data", "out"})
    command.set_defaults(run=_study, config=None)


def _study(options: argparse.Namespace) -> None:
    from edgegan_widget.training.study import grid, reference_grid, study

    base, start_from = _study_base(options), options.start_from
    if options.grid:
        varied = dict(each.partition("=")[::2] for each in options.grid)
        runs = grid(base, {name: values.split(",") for name, values in varied.items()})
    else:
        runs = reference_grid(base, start_from)
    for name, progress in study(runs, options.out):
        score = "" if progress.score is None else f", score {progress.score:.1f}"
        print(f"{name}: epoch {progress.epoch:.2f} of {progress.steps / progress.step * progress.epoch:.0f}{score}")
    print(f"{options.out / 'study.csv'}, {options.out / 'study.png'}")


def _study_base(options: argparse.Namespace) -> TrainConfig:
    """Settings that all runs share: of a fine-tuning where a grid starts from a model, of the preset otherwise."""
    start_from = options.start_from
    if not options.grid:
        options.start_from = None  # the reference grid has one run from it, and three from scratch
        options.preset = options.preset or "paper"
    options.out, kept = None, options.out
    base = train_config(options)
    options.out, options.start_from = kept, start_from
    return base


def add_export(commands: Commands) -> None:
    """Write a checkpoint as a model folder."""
    command = commands.add_parser("export", help="write a run's checkpoint as a model folder, to keep or to share")
    command.add_argument("model", metavar="RUN", help="run folder (its best checkpoint), checkpoint file or model")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="model folder to write")
    command.add_argument("--critics", action="store_true", help="with the discriminators, for fine-tuning later")
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    from edgegan_widget.networks.store import load_critics, load_model, save_model

    networks = load_model(options.model)
    critics = load_critics(options.model) if options.critics else None
    save_model(options.out, networks, critics=critics)
    print(f"{options.out}: {len(networks.config.classes)} classes, {networks.config.size_px} pixels")

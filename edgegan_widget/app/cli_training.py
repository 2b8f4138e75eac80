"""The commands of training, and of what goes into it and comes out of it: files to carry, and model folders."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegan_widget.app.progress import bar
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import check_place
from edgegan_widget.base.options import add_options, given, path
from edgegan_widget.networks.config import SIZES_PX
from edgegan_widget.networks.find import GUESSER, find_model, read_config
from edgegan_widget.training.config import DEFAULT_PRESET, TrainConfig, finetune_config, moving_config
from edgegan_widget.training.data_folder import PACKED_SUFFIX
from edgegan_widget.training.kinds import PLAIN_EDGES, kinds, presets, read_by
from edgegan_widget.training.runs.resuming import recalled, with_folders_found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgegan_widget.training.loop import Progress

__all__ = [
    "add_export", "add_import", "add_pack", "add_study", "add_train", "add_train_guess", "train_config",
]  # fmt: skip


def add_train(command: argparse.ArgumentParser) -> None:
    """Train a model."""
    command.set_defaults(run=_train)
    command.add_argument("data", nargs="?", metavar="DATA", help="folder <split>/<class>/*.png, or a packed file")
    _add_settings(command, {"data"})
    command.add_argument("--resume", action="store_true", help="go on where the run in RUN stopped")
    command.add_argument("--config", type=path, metavar="FILE", help="all settings, as a run's config.json has them")
    command.add_argument("--quiet", action="store_true", help="no progress bar; the run folder tells")


def _add_settings(command: argparse.ArgumentParser, without: set[str]) -> None:
    """An option for each field of the settings, described by the field itself."""
    command.add_argument("--lr", type=float, help="learning rate of encoder and generators; others keep their ratio")
    add_options(
        command, TrainConfig, without,
        default=lambda field: DEFAULT_PRESET if field.name == "preset" else "the preset's",
        note=lambda field: ", ".join(sorted(presets())) if field.name == "preset" else _readers(field.name),
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
    first = next(reports, None)
    if first is None:
        return
    with bar(unit="step", initial=first.step, total=first.steps) as shown:  # a resumed run begins where it stopped
        for progress in itertools.chain([first], reports):
            told = " ".join(f"{name} {value:.2f}" for name, value in progress.losses.items())
            shown.set_postfix_str(told, refresh=False)
            shown.update(progress.step - shown.n)


def train_config(options: argparse.Namespace) -> TrainConfig:
    """The preset (or a file of settings) with what the command line changes; fine-tuning has its own defaults."""
    changes = given(options, TrainConfig)
    if getattr(options, "resume", False) and options.config is None:
        return _resumed(options, changes)
    changes.pop("preset", None)
    if options.preset is not None:
        TrainConfig.from_preset(options.preset)  # says what became of one that is gone
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
    config = dataclasses.replace(base, **changes)
    return with_folders_found(config) if getattr(options, "resume", False) else config


def _resumed(options: argparse.Namespace, changes: dict[str, Any]) -> TrainConfig:
    """A run's own settings with what the command line changes."""
    if not options.out:
        raise ConfigError("out is empty; name the folder of the run to go on with: --out RUN --resume.")
    base = recalled(Path(options.out).expanduser())
    if options.lr is not None:
        changes["lr_generator"] = options.lr
        changes["lr_discriminator"] = options.lr * base.lr_discriminator / base.lr_generator
    return dataclasses.replace(base, **changes)


def _read_settings(path: Path) -> TrainConfig:
    try:
        return TrainConfig.from_json(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path} holds no settings to train with: {error}") from error


def add_study(command: argparse.ArgumentParser) -> None:
    """Train a grid of settings."""
    command.add_argument("--data", required=True, metavar="DATA", help="folder <split>/<class>/*.png, or a packed file")
    command.add_argument("--out", type=path, required=True, metavar="DIR", help="folder of the study; it is resumed")
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


def add_train_guess(command: argparse.ArgumentParser) -> None:
    """Train the classifier that names what is drawn."""
    command.set_defaults(run=_train_guess)
    command.add_argument("data", metavar="DATA", help="folder <split>/<class>/*.png with the model's classes")
    command.add_argument("--model", type=path, required=True, metavar="MODEL_DIR", help="model folder that gets it")
    command.add_argument("--sketches", nargs="+", default=(), metavar="DIR", help="people's drawings in class folders")
    command.add_argument("--steps", type=int, default=4000, help="of 64 drawings each (default: 4000)")
    command.add_argument("--seed", type=int, default=0, help="of the training (default: 0)")


def _train_guess(options: argparse.Namespace) -> None:
    import torch

    from edgegan_widget.networks.guesser import Guesser, load_guesser, save_guesser
    from edgegan_widget.networks.onnx.export import write_guess
    from edgegan_widget.training.guess import read, score, train_guesser

    folder = find_model(options.model)
    if not folder.is_dir():
        raise ConfigError(f"{options.model} is a checkpoint; make a model folder of it first: edgegan-widget export.")
    check_place(folder / GUESSER)
    classes = read_config(folder).classes
    pictures, people = read(options.data, classes, options.sketches)
    torch.manual_seed(options.seed)
    guesser = Guesser(len(classes))
    with bar(total=options.steps, unit="step") as shown:
        for step in train_guesser(guesser, pictures, people, options.steps, options.seed):
            shown.set_postfix_str(f"loss {step.loss:.2f}", refresh=False)
            shown.update(step.step - shown.n)
    file = save_guesser(folder, guesser)
    write_guess(folder, load_guesser(folder, len(classes)) or guesser)  # as it is read back
    print(f"{file}: {file.stat().st_size // 1000} kB")
    if options.sketches:
        found = score(guesser, classes, options.sketches)
        print(f"right on {found.right:.1%} of {found.count} people's drawings that were not trained on "
              f"({found.mean_of_classes:.1%} in the mean of {len(found.by_class)} classes)")  # fmt: skip
        print(", ".join(f"{name} {share:.0%}" for name, share in found.by_class.items()))


_FORCE = "replace a model that is there already"


def _check_free(out: Path, force: bool) -> None:
    """Refuse to replace a model without being asked to; what else is in its folder stays."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; name a folder.")
    if (out / "config.json").is_file() and not force:
        raise ConfigError(f"{out} holds a model already; add --force to replace it, or name a new folder.")


def add_export(command: argparse.ArgumentParser) -> None:
    """Write a checkpoint as a model folder."""
    command.set_defaults(run=_export)
    command.add_argument("model", metavar="RUN", help="run folder (its best checkpoint), checkpoint file or model")
    command.add_argument("--out", type=path, required=True, metavar="MODEL_DIR", help="model folder to write")
    command.add_argument("--critics", action="store_true", help="with the discriminators, for fine-tuning later")
    command.add_argument("--force", action="store_true", help=_FORCE)


def _export(options: argparse.Namespace) -> None:
    from edgegan_widget.networks.store import load_critics, load_model, save_model

    if find_model(options.model).resolve() == options.out.resolve():  # it is a model folder already
        _export_onnx(options.out)
        return
    _check_free(options.out, options.force)
    check_place(options.out)
    networks = load_model(options.model)
    critics = load_critics(options.model) if options.critics else None
    save_model(options.out, networks, critics=critics)
    print(f"{options.out}: {len(networks.config.classes)} classes, {networks.config.size_px} pixels")
    _export_onnx(options.out)


def _export_onnx(folder: Path) -> None:
    from edgegan_widget.networks.onnx.export import export_onnx

    for file in export_onnx(folder):
        print(f"{file}: {file.stat().st_size // 1000} kB, to draw on a CPU without PyTorch")


def add_pack(command: argparse.ArgumentParser) -> None:
    """Pictures and drawings in one file."""
    from edgegan_widget.sketch.sources import told

    command.set_defaults(run=_pack)
    command.add_argument("data", type=path, metavar="DATA", help="folder <split>/<class>/*.png")
    command.add_argument("--out", type=path, required=True, metavar="FILE.npz", help="file to write")
    text = "with the sizes and edge maps that this preset trains on; options beside it change them"
    command.add_argument("--for", dest="preset", choices=sorted(presets()), help=text)
    command.add_argument("--size", type=int, choices=SIZES_PX, help="side in pixels (default: the preset's, or 64)")
    text = "side of the edge maps (default: what the preset takes, or 64)"
    command.add_argument("--sketch-size", type=int, choices=SIZES_PX, help=text)
    command.add_argument("--edges", default="", metavar="SOURCES", help=f"beside those always drawn: {told()}")
    text = "folders of people's drawings to take along; train takes FILE.npz as --sketches then"
    command.add_argument("--sketches", nargs="+", default=[], metavar="DIR", help=text)


def _pack(options: argparse.Namespace) -> None:
    from edgegan_widget.sketch.edges import parse_sources
    from edgegan_widget.sketch.sources import always_drawn
    from edgegan_widget.training.dataset import pack

    plain = {"size_px": SIZES_PX[0], **PLAIN_EDGES}
    wanted = TrainConfig.from_preset(options.preset) if options.preset else TrainConfig(**plain)
    wanted = dataclasses.replace(wanted, size_px=options.size or wanted.size_px)
    more: tuple[str, ...] = wanted.edge_sources
    if options.edges:
        more = tuple(source for source in parse_sources(options.edges) if source not in always_drawn())
    sketch_px = options.sketch_size or wanted.sketch_px
    if options.out.suffix.lower() != PACKED_SUFFIX:
        raise ConfigError(f"{options.out} is no name of a packed file; name it with {PACKED_SUFFIX}.")
    check_place(options.out)
    counts = pack(options.data, options.out, wanted.size_px, more, sketch_px, options.sketches)
    print(f"{options.out}: {', '.join(f'{count} {split}' for split, count in counts.items())}")


def add_import(command: argparse.ArgumentParser) -> None:
    """A checkpoint of the original as a model folder."""
    command.set_defaults(run=_import)
    command.add_argument("checkpoint", metavar="CHECKPOINT_PREFIX", help="path without .index or .data-...")
    command.add_argument("--out", type=path, required=True, metavar="MODEL_DIR", help="model folder to write")
    command.add_argument("--classes", nargs="+", metavar="NAME", help="class names in the model's order")
    command.add_argument("--force", action="store_true", help=_FORCE)


def _import(options: argparse.Namespace) -> None:
    from edgegan_widget.networks.store import save_model
    from edgegan_widget.networks.tensorflow.convert import import_tensorflow

    _check_free(options.out, options.force)
    check_place(options.out)
    networks, critics = import_tensorflow(options.checkpoint, options.classes)
    save_model(options.out, networks, half=False, critics=None if critics is None else critics.state_dict())
    held = "with" if critics is not None else "without"
    print(f"{options.out}: {len(networks.config.classes)} classes, {held} discriminators")
    _export_onnx(options.out)

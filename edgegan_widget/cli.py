"""The command line: ``edgegan-widget COMMAND``."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path

from edgegan_widget.config import DEVICES, PRESETS, TrainConfig
from edgegan_widget.errors import EdgeGANError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 after an error that is the user's to mend, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO if options.verbose else logging.WARNING)
    try:
        options.run(options)
    except EdgeGANError as error:
        print(f"edgegan-widget: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edgegan-widget", description="Draw a few lines and see the object appear.")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more about what is done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    return parser


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("train", help="train a model on a folder of cut-outs or pairs")
    command.add_argument("data", type=Path, metavar="DATA", help="folder <split>/<class>/*.png")
    command.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder to write")
    command.add_argument("--preset", choices=sorted(PRESETS), default="compact", help="recipe (default: compact)")
    command.add_argument("--epochs", type=int, help="how often to go through the data (default: the preset's)")
    command.add_argument("--batch-size", type=int, help="pictures in a step (default: the preset's)")
    command.add_argument("--lr", type=float, help="learning rate of encoder and generators; the others keep their ratio")
    command.add_argument("--width", type=int, help="channels of the generators at full size (default: the preset's)")
    command.add_argument("--seed", type=int, default=0, help="seed of weights, order and chance (default: 0)")
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    command.add_argument("--resume", action="store_true", help="go on where the run in RUN stopped")
    command.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from edgegan_widget.training import train

    config = train_config(options)
    with tqdm(unit="step", dynamic_ncols=True) as bar:
        for progress in train(options.data, options.out, config, resume=options.resume):
            bar.total = progress.steps
            bar.set_postfix_str(" ".join(f"{name} {value:.2f}" for name, value in progress.losses.items()), refresh=False)
            bar.update(progress.step - bar.n)
    print(f"The model is in {options.out / 'model'}; draw with it: edgegan-widget dashboard --model {options.out}")


def train_config(options: argparse.Namespace) -> TrainConfig:
    """The preset with what the command line changes."""
    preset = PRESETS[options.preset]
    changes = {name: getattr(options, name) for name in ("epochs", "batch_size", "width", "seed", "device")}
    if options.lr is not None:
        changes["lr_generator"] = options.lr
        changes["lr_discriminator"] = options.lr * preset.lr_discriminator / preset.lr_generator
    return dataclasses.replace(preset, **{name: value for name, value in changes.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())

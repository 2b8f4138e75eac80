"""The commands for photos: ``cut-out``, ``train-cutout`` for its network, ``erase``, ``replace`` and ``compose``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.app.progress import bar
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.options import add_options, chosen, path
from edgegan_widget.base.pictures import check_form, save_picture

if TYPE_CHECKING:
    from edgegan_widget.training.cutout.loop import Progress

__all__ = ["add_compose", "add_cut_out", "add_erase", "add_replace", "add_train_cutout"]


def add_cut_out(command: argparse.ArgumentParser) -> None:
    """Cut the object that stands out of each photo."""
    command.set_defaults(run=_cut_out)
    command.add_argument("photos", nargs="+", type=path, metavar="PHOTO", help="picture files; turned as EXIF says")
    command.add_argument("--out", type=path, required=True, metavar="FOLDER", help="gets NAME.png for each NAME.jpg")
    text = "another model: a folder of train-cutout, a TorchScript or an ONNX file (default: the shipped one)"
    command.add_argument("--cutout", type=path, metavar="FILE", help=text)


def _cut_out(options: argparse.Namespace) -> None:
    from edgegan_widget.photo.finders import load_finder

    load_finder(options.cutout)  # what is wrong with it is said once
    refused = 0
    made: set[Path] = set()
    for photo in options.photos:
        out = options.out / f"{photo.stem}.png"
        try:
            print(_cut_one(photo, out, options.cutout, made))
            made.add(out)
        except DataError as error:
            refused += 1
            print(f"left out: {error}")
    if refused:
        raise DataError(f"{refused} of {len(options.photos)} photos were not cut out; the reasons are above.")


def _cut_one(photo: Path, out: Path, model: Path | None, made: set[Path]) -> str:
    """Write one cut-out; what to say of it."""
    from PIL import Image

    from edgegan_widget.photo.cut import cut_out, objection, with_alpha
    from edgegan_widget.photo.pixels import as_photo

    if out in made:
        raise DataError(f"{photo}: {out} is of another photo of that name; cut it out into another folder.")
    if out.exists() and photo.exists() and out.samefile(photo):
        raise DataError(f"{photo} would be replaced by its own cut-out; give another folder.")
    photo_u8 = as_photo(photo)
    alpha = cut_out(photo_u8, model=model)
    reason = objection(alpha)
    if reason and not (alpha >= 0.5).any():
        raise DataError(f"{photo}: {reason}; cut it out by hand, or try another model with --cutout.")
    save_picture(Image.fromarray(with_alpha(photo_u8, alpha)), out)
    return f"{out}: {photo_u8.shape[1]}x{photo_u8.shape[0]}{f', {reason}' if reason else ''}"


def add_train_cutout(command: argparse.ArgumentParser) -> None:
    """Train the network that finds the object."""
    from edgegan_widget.training.cutout.config import CutoutConfig  # which needs torch, as no other command here does

    command.set_defaults(run=_train_cutout)
    add_options(command, CutoutConfig)
    command.add_argument("--resume", action="store_true", help="go on where the run in RUN stopped")


def _train_cutout(options: argparse.Namespace) -> None:
    from edgegan_widget.training.cutout.config import CutoutConfig
    from edgegan_widget.training.cutout.loop import train_cutout

    config = chosen(options, CutoutConfig())
    score = _show_progress(train_cutout(config, options.resume))
    print(f"{config.out}: {score}")
    print(f"Cut out with it: edgegan-widget cut-out PHOTO --out FOLDER --cutout {config.out}")


def _show_progress(reports: Iterator[Progress]) -> str:
    score = None
    with bar(delay=0.5) as shown:
        for progress in reports:
            shown.total = progress.steps
            shown.set_description_str(progress.doing, refresh=False)
            score = progress.score or score
            shown.set_postfix_str(f"loss {progress.loss:.3f} {score or ''}", refresh=False)
            shown.update(progress.step - shown.n)
    return str(score)


def add_erase(command: argparse.ArgumentParser) -> None:
    """Take away what a mask marks."""
    command.set_defaults(run=_erase)
    _add_photo_and_mask(command)


def _add_photo_and_mask(command: argparse.ArgumentParser) -> None:
    from edgegan_widget.photo.erase import METHOD
    from edgegan_widget.photo.inpainting import told

    command.add_argument("photo", type=path, metavar="PHOTO", help="picture file; turned as EXIF says")
    text = "picture of the photo's size, white where something goes"
    command.add_argument("--mask", type=path, required=True, metavar="MASK.png", help=text)
    command.add_argument("--out", type=path, required=True, metavar="OUT.png", help="where the picture goes, as PNG")
    command.add_argument("--method", default=METHOD, metavar="M", help=f"{told()} (default: {METHOD})")


def _erase(options: argparse.Namespace) -> None:
    from PIL import Image

    from edgegan_widget.photo.erase import erase

    check_form(options.out)
    result_u8 = erase(options.photo, options.mask, options.method)
    save_picture(Image.fromarray(result_u8), options.out)
    print(f"{options.out}: {result_u8.shape[1]}x{result_u8.shape[0]}")


def add_replace(command: argparse.ArgumentParser) -> None:
    """Take away what a mask marks and put a drawn object there."""
    from edgegan_widget.photo.fitting import Fit

    command.set_defaults(run=_replace)
    _add_photo_and_mask(command)
    text = "sketch of any size, or a .json or .svg drawing"
    command.add_argument("--sketch", type=path, required=True, metavar="SKETCH", help=text)
    command.add_argument("--class", dest="label", required=True, metavar="NAME", help="what it shows")
    text = "where it goes, in pixels (default: around what the mask marks)"
    command.add_argument("--box", type=int, nargs=4, metavar=("X", "Y", "W", "H"), help=text)
    command.add_argument("--seed", type=int, help="another look of the same sketch (default: the most likely one)")
    command.add_argument("--model", default="default", help="name of a shipped model, or a model or run folder")
    add_options(command.add_argument_group("fitting in"), Fit)


def _replace(options: argparse.Namespace) -> None:
    from PIL import Image

    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.photo.erase import as_mask, what_goes
    from edgegan_widget.photo.fitting import Fit
    from edgegan_widget.photo.pixels import as_photo, turned_by
    from edgegan_widget.photo.place import replace
    from edgegan_widget.sketch.trace import read_sketch

    check_form(options.out)
    fit, photo_u8 = dataclasses.asdict(chosen(options, Fit())), as_photo(options.photo)
    marked = as_mask(options.mask, photo_u8, orientation=turned_by(options.photo))
    what_goes(marked, photo_u8)  # before the model is loaded
    model = EdgeGAN.from_pretrained(options.model)
    sketch = read_sketch(options.sketch, model.sketch_px)
    result_u8 = replace(
        photo_u8, marked, sketch, options.label, model=model, box=options.box, seed=options.seed,
        method=options.method, **fit,
    )  # fmt: skip
    save_picture(Image.fromarray(result_u8), options.out)
    print(f"{options.out}: {result_u8.shape[1]}x{result_u8.shape[0]}")


def add_compose(command: argparse.ArgumentParser) -> None:
    """Draw a saved scene."""
    command.set_defaults(run=_compose)
    command.add_argument("scene", type=path, metavar="SCENE.json", help="its photo's path begins at its folder")
    command.add_argument("--out", type=path, required=True, metavar="OUT.png", help="where the picture goes, as PNG")


def _compose(options: argparse.Namespace) -> None:
    from PIL import Image

    from edgegan_widget.base.files import telling
    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.photo.scene import Scene, compose

    check_form(options.out)
    with telling(options.scene, "read", "give the path of a saved scene"):
        scene = Scene.from_json(options.scene.read_bytes())
    models = {name: EdgeGAN.from_pretrained(name) for name in dict.fromkeys(each.model for each in scene.placed)}
    result_u8 = compose(scene, models, folder=options.scene.parent)
    save_picture(Image.fromarray(result_u8), options.out)
    print(f"{options.out}: {result_u8.shape[1]}x{result_u8.shape[0]}")

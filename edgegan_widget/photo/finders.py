"""What finds the object: the shipped network, one trained here, or somebody else's as TorchScript or ONNX.

Others' models are read as U-2-Net's and rembg's are made: one photo [1, 3, S, S] in, normalised by ImageNet's mean and
deviation, and the first output is the mask, in 0..1 or as logits. Where one differs, a file beside it, named as it with
``.json`` after, says so (:class:`Foreign`).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.errors import ConfigError, DependencyError, ModelError
from edgegan_widget.base.settings import check_settings, from_json, setting
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.find import packaged

__all__ = ["Finder", "Foreign", "describe_finder", "load_finder"]

Finder = Callable[[U8], F32]  # photo uint8 [H, W, 3] -> how likely each place is object, float32 [h, w] in 0..1

SHIPPED = "cutout"
SCRIPT_SUFFIXES, ONNX_SUFFIX = (".pt", ".pth", ".torchscript", ".ts"), ".onnx"


@dataclass(frozen=True)
class Foreign:
    """What has to be known of somebody else's model; the defaults are U-2-Net's.

    Parameters
    ----------
    size_px
        Side of the square that it is given; an ONNX file with a fixed size says so itself.
    mean, deviation
        Of its photos in 0..1, for red, green and blue.
    output
        Which of its outputs is the mask; -1 is the last.
    """

    size_px: int = setting(320, "side of the square that it is given", least=16, most=4096)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    deviation: tuple[float, ...] = (0.229, 0.224, 0.225)
    output: int = setting(0, "which of its outputs is the mask")

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ("mean", "deviation"):
            values = getattr(self, name)
            if len(values) != 3 or not all(isinstance(each, (int, float)) for each in values):
                raise ConfigError(f"{name} is {values}; give three numbers, for red, green and blue.")
        if min(self.deviation) <= 0:
            raise ConfigError(f"deviation is {self.deviation}; its numbers must be above 0.")

    def prepared(self, photo_u8: U8) -> F32:
        """The photo as such a model takes it, float32 [1, 3, S, S]."""
        small = cv2.resize(photo_u8, (self.size_px, self.size_px), interpolation=cv2.INTER_AREA) / np.float32(255)
        normal = (small - np.array(self.mean)) / np.array(self.deviation)
        return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def load_finder(model: str | os.PathLike[str] | None = None) -> Finder:
    """A model that finds the object, read once until its files change.

    Parameters
    ----------
    model
        None for the shipped one; a folder that ``train-cutout`` filled; a TorchScript file (which can run code: take
        it only from whom you trust) or an ONNX file.

    Raises
    ------
    ModelError
        There is none, or it cannot be read.
    DependencyError
        It is an ONNX file and onnxruntime is not installed.
    """
    path = _shipped() if model is None else Path(model).expanduser()
    if not path.exists():
        raise ModelError(f"{path} does not exist; give a folder of train-cutout, a TorchScript or an ONNX file.")
    return _read(path, describe_finder(path))


@functools.lru_cache(maxsize=2)
def _read(path: Path, _as_it_is_now: str) -> Finder:
    suffix = path.suffix.lower()
    if path.is_dir():
        return _own(path)
    if suffix == ONNX_SUFFIX:
        return _onnx(path)
    if suffix in SCRIPT_SUFFIXES:
        return _script(path)
    raise ModelError(
        f"{path} ends in {suffix!r}; a model is a folder of train-cutout, or a file *{ONNX_SUFFIX} or "
        f"{', '.join('*' + each for each in SCRIPT_SUFFIXES)}."
    )


def describe_finder(model: str | os.PathLike[str] | None = None) -> str:
    """What tells one model from another, so that masks of another one are made anew; nothing is loaded."""
    path = _shipped() if model is None else Path(model).expanduser()
    files = sorted(path.glob("cutout.*")) if path.is_dir() else [path]
    facts = [file.stat() for file in files if file.is_file()]
    return f"{path.name} " + " ".join(f"{each.st_size}-{each.st_mtime_ns}" for each in facts)


def _shipped() -> Path:
    found = [place / SHIPPED for place in packaged("models") if (place / SHIPPED).is_dir()]
    if not found:
        raise ModelError("the shipped network that cuts out is missing; install the package anew, or name a model.")
    return found[0]


def _own(folder: Path) -> Finder:
    from edgegan_widget.networks.architectures.salience import find_salient, load_salience

    return functools.partial(find_salient, load_salience(folder))


def _about(path: Path) -> Foreign:
    beside = path.with_name(f"{path.name}.json")
    try:
        return from_json(Foreign, beside.read_text("utf-8")) if beside.is_file() else Foreign()
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise ModelError(f"{beside}, which says how {path.name} is used, cannot be read: {error}") from error


def _script(path: Path) -> Finder:
    import torch

    about = _about(path)
    try:
        network: Any = torch.jit.load(str(path), map_location="cpu").eval()
    except Exception as error:  # torch raises many kinds for what is no such file
        raise ModelError(
            f"{path} cannot be read as TorchScript ({_first_line(error)}); save it by torch.jit."
        ) from error

    def find(photo_u8: U8) -> F32:
        with torch.inference_mode(), _telling(path):
            found = network(torch.from_numpy(about.prepared(photo_u8)))
            outputs = found if isinstance(found, (tuple, list)) else [found]
            return _mask(np.asarray(outputs[about.output].float()))

    return find


def _onnx(path: Path) -> Finder:
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            f"{path.name} is an ONNX file, which needs onnxruntime; install it: pip install onnxruntime"
        ) from error
    about = _about(path)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        asked = session.get_inputs()[0]
    except Exception as error:  # onnxruntime has kinds of its own
        raise ModelError(f"{path} cannot be read as ONNX ({_first_line(error)}); export it anew.") from error
    if isinstance(asked.shape[-1], int):  # its own word on the size is the last
        about = Foreign(asked.shape[-1], about.mean, about.deviation, about.output)

    def find(photo_u8: U8) -> F32:
        with _telling(path):
            return _mask(np.asarray(session.run(None, {asked.name: about.prepared(photo_u8)})[about.output]))

    return find


class _telling:
    """What goes wrong inside somebody else's model, as one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ModelError):
            raise ModelError(
                f"{self._path} does not take a photo [1, 3, S, S] or gives no mask ({_first_line(error)}); "
                f"say how it is used in {self._path.name}.json, see docs/photo.md."
            ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _mask(found: np.ndarray) -> F32:
    """[h, w] in 0..1 of an output [1, 1, h, w], [1, h, w] or [h, w]; what goes beyond 0..1 are logits."""
    while found.ndim > 2:
        found = found[0]
    if found.ndim < 2 or not np.isfinite(found).all():
        raise ValueError(f"its output is {list(found.shape)}")
    values = np.asarray(found, np.float32)
    if values.min() < -1e-3 or values.max() > 1 + 1e-3:
        values = np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32)
    return np.clip(values, 0, 1)

"""Naming what is drawn with a model's classifier: on onnxruntime where its folder has the file, on torch otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgegan_widget.base.needs import has_torch
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.find import GUESSER
from edgegan_widget.networks.onnx.session import GUESS, has_onnxruntime, open_session

__all__ = ["Guess", "load_guess"]

Guess = Callable[[U8], F32]  # sketch [64, 64] -> how likely each class is [K]

log = logging.getLogger(__name__)


def load_guess(folder: Path, classes: int) -> Guess | None:
    """What names drawings for a model of so many classes; None where its folder has no classifier.

    Raises
    ------
    ModelError
        Its file is damaged, or is of another number of classes.
    """
    weights = folder / GUESSER
    if not weights.is_file():
        return None
    if (folder / GUESS).is_file() and has_onnxruntime():
        return _on_onnx(folder / GUESS, weights)
    if has_torch():
        return _on_torch(folder, classes)
    log.warning("%s names no drawings without PyTorch: it holds no %s", folder, GUESS)
    return None


def _on_onnx(path: Path, weights: Path) -> Guess:
    session = open_session(path, [weights])

    def guess(sketch: U8) -> F32:
        return np.asarray(session.run(None, {"sketch": sketch})[0], np.float32)

    return guess


def _on_torch(folder: Path, classes: int) -> Guess | None:
    import torch

    from edgegan_widget.networks.guesser import load_guesser, shares

    guesser = load_guesser(folder, classes)
    if guesser is None:
        return None
    return lambda sketch: shares(guesser, torch.from_numpy(np.ascontiguousarray(sketch))).numpy()

"""onnxruntime's sessions, as small and as quick as drawing one picture at a time has them."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["GUESS", "INPUTS", "MADE_OF", "MODEL", "digest", "give_back", "has_onnxruntime", "open_session"]

MODEL, GUESS = "model.onnx", "guess.onnx"  # in a model's folder
MADE_OF = "made_of"  # the weights that a file was made of, in its properties
INPUTS = ("sketches", "conditions", "noises", "latents", "decode")  # of model.onnx
_QUIET = 3  # errors alone


def has_onnxruntime() -> bool:
    """Whether ONNX files can be run."""
    return importlib.util.find_spec("onnxruntime") is not None


def digest(weights: list[Path]) -> str:
    """What tells whether files of weights are those that an ONNX file was made of."""
    summed = hashlib.blake2b(digest_size=16)
    for path in sorted(weights):
        summed.update(path.read_bytes())
    return summed.hexdigest()


def give_back() -> None:
    """Hand back to the system what loading took and no longer needs: 20 MB that glibc keeps otherwise."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other systems have no such call
        ctypes.CDLL(None).malloc_trim(0)


def open_session(path: Path, weights: list[Path], threads: int = 1) -> InferenceSession:
    """A session on the CPU.

    Parameters
    ----------
    path
        The ONNX file.
    weights
        The files that it was made of.
    threads
        Threads of one call.

    Raises
    ------
    ModelError
        The file is damaged, or was made of other weights.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = _QUIET
    again = f"make it anew: edgegan-widget export {path.parent} --out {path.parent}"
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many kinds of its own
        raise ModelError(f"{path} cannot be read; {again}") from error
    if session.get_modelmeta().custom_metadata_map.get(MADE_OF) != digest(weights):
        raise ModelError(f"{path} was made of other weights than those beside it; {again}")
    return session

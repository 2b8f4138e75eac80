"""FID's own features, from the user's own copy of the Inception weights.

Heusel et al. 2017 measured with TensorFlow's classifier of 5 December 2015; mseitzer/pytorch-fid carried its weights
over to PyTorch, and its numbers are what people compare with. Pictures are brought to 299 x 299 bilinearly without
anti-aliasing, as there; features are the 2,048 means of the last block.
"""

from __future__ import annotations

import hashlib
import pickle
import urllib.request
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.evaluation.metrics.cache import content_digest
from edgegan_widget.evaluation.metrics.extractor import in_chunks
from edgegan_widget.evaluation.metrics.inception_net import SIDE_PX, Inception

__all__ = ["InceptionFeatures", "download_weights", "find_weights"]

WEIGHTS_NAME = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{WEIGHTS_NAME}"
WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_CHUNK = 4  # pictures of 299 x 299 at once
# torch-fidelity publishes the same file under another name.
_NAMES = (WEIGHTS_NAME, "weights-inception-2015-12-05-6726825d.pth")


class InceptionFeatures:
    """FID's own features: with these weights the Frechet distance is the FID of pytorch-fid.

    Parameters
    ----------
    weights
        ``pt_inception-2015-12-05-6726825d.pth``.
    checked
        False takes any weights of the right names and shapes; then the features are not FID's, and the name says so.

    Raises
    ------
    ModelError
        The file is missing, is not that file, or does not fit.
    """

    dimension = 2048
    resize = f"bilinear to {SIDE_PX} x {SIDE_PX}, not anti-aliased (as pytorch-fid)"

    def __init__(self, weights: Path | str, checked: bool = True) -> None:
        path = Path(weights)
        found = _sha256(path)
        if checked and found != WEIGHTS_SHA256:
            raise ModelError(
                f"{path} has SHA-256 {found[:12]}..., {WEIGHTS_SHA256[:12]}... is needed; fetch {WEIGHTS_URL} anew."
            )
        self.name = "Inception, TensorFlow 2015-12-05" if checked else f"Inception with unknown weights ({path.name})"
        self.digest = content_digest("inception", found)
        self._network = Inception()
        self._network.load_state_dict(_read(path))
        self._network.eval().requires_grad_(False)

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return in_chunks(self._network, pictures_u8.float() / 255, _CHUNK)


def find_weights(folders: tuple[Path, ...] | None = None) -> Path | None:
    """The weights file in torch's cache (or in ``folders``), or None."""
    places = (Path(torch.hub.get_dir()) / "checkpoints",) if folders is None else folders
    return next((place / name for place in places for name in _NAMES if (place / name).is_file()), None)


def download_weights(folder: Path | None = None, timeout_seconds: float = 60.0) -> Path:
    """Fetch the weights (91 MB) into torch's cache; what does not have the right checksum is not kept.

    Raises
    ------
    ModelError
        They cannot be had, or are not the right ones.
    """
    target = (folder or Path(torch.hub.get_dir()) / "checkpoints") / WEIGHTS_NAME
    by_hand = f"fetch {WEIGHTS_URL} by hand and name the file with --inception"
    try:
        with urllib.request.urlopen(WEIGHTS_URL, timeout=timeout_seconds) as answer:
            content = answer.read()
    except (URLError, OSError) as error:
        raise ModelError(f"the Inception weights cannot be downloaded ({error}); {by_hand}.") from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise ModelError(f"what came as Inception weights has another checksum; {by_hand}.")
    write_bytes(target, content)
    return target


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); name the weights file {WEIGHTS_NAME}.") from error


def _read(path: Path) -> dict[str, Tensor]:
    """The convolutions' weights; the classes' verdict (fc) is not needed."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        kept = {name: tensor for name, tensor in state.items() if not name.startswith(("fc.", "AuxLogits."))}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError) as error:
        raise ModelError(f"{path} holds no weights ({error}); name the weights file {WEIGHTS_NAME}.") from error
    wanted = Inception().state_dict()
    # Batch counters came into PyTorch after the file was made; nothing here reads them.
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            kept.setdefault(name, wanted[name])
    if kept.keys() != wanted.keys() or any(kept[name].shape != tensor.shape for name, tensor in wanted.items()):
        raise ModelError(f"{path} holds the weights of another network; name the weights file {WEIGHTS_NAME}.")
    return kept

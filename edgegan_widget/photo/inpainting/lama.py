"""``lama=FILE``: a network in TorchScript, as that of LaMa (Suvorov et al., "Resolution-robust large mask inpainting
with Fourier convolutions", WACV 2022): photo [1, 3, H, W] in 0..1 and mask [1, 1, H, W], 1 in the hole, in; the filled
photo [1, 3, H, W] in 0..1 out; sides are multiples of 8. A TorchScript file can run code.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.inpainting import Bools, Hole, Method, register
from edgegan_widget.photo.pixels import as_networks_take, resized, within

_MOST_PX = 1024  # longest side that it is given; larger holes are filled reduced
_MULTIPLE = 8


def _fill(hole: Hole) -> U8:
    path = Path(hole.given).expanduser()
    if not path.is_file():
        raise ModelError(f"{path} does not exist; give the TorchScript file of LaMa, as lama=FILE.")
    photo_u8, inside = as_networks_take(hole.photo_u8, hole.inside, _MOST_PX, _MULTIPLE)
    hole.told(0.1)
    try:
        filled = _run(_read(path, path.stat().st_mtime_ns), photo_u8, inside)
    except Exception as error:  # torch raises many kinds for what is no such file
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{path} does not fill holes as LaMa's TorchScript does ({why}); give that file.") from error
    width, height = within(hole.photo_u8, _MOST_PX)
    filled_u8 = np.round(filled[:height, :width] * 255).clip(0, 255).astype(np.uint8)
    return np.asarray(resized(filled_u8, hole.inside.shape[1::-1]), np.uint8)


@functools.lru_cache(maxsize=1)
def _read(path: Path, _as_it_is_now: int) -> Any:
    import torch

    from edgegan_widget.networks.devices import choose_device

    return torch.jit.load(str(path), map_location=choose_device()).eval()


def _run(network: Any, photo_u8: U8, inside: Bools) -> F32:
    """The filled photo, float32 [h, w, 3] in 0..1."""
    import torch

    from edgegan_widget.networks.devices import choose_device

    photo, mask = (
        torch.from_numpy(np.ascontiguousarray(each, np.float32))[None].to(choose_device())
        for each in (photo_u8.transpose(2, 0, 1) / np.float32(255), inside[None])
    )
    with torch.inference_mode():
        found = network(photo, mask)  # [1, 3, h, w]
    filled = np.asarray(found[0].float().cpu()).transpose(1, 2, 0)
    if filled.shape != photo_u8.shape or not np.isfinite(filled).all():
        raise ValueError(f"its output is {list(found.shape)}")
    return np.asarray(filled, np.float32)


register(Method("lama", "a network in TorchScript", _fill, takes="FILE", around=1.0, around_px=64))

"""``diffusers=FOLDER``: a model of Stable Diffusion for inpainting (Rombach et al., "High-resolution image synthesis
with latent diffusion models", CVPR 2022, section 4.5) by the library of that name, from a folder; nothing is fetched.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgegan_widget.base.errors import DependencyError, ModelError, StoppedError
from edgegan_widget.base.units import U8
from edgegan_widget.photo.inpainting import Hole, Method, register
from edgegan_widget.photo.pixels import as_networks_take, resized, within

_MOST_PX = 512  # that such models were trained with
_MULTIPLE = 8
_PROMPT = "background, empty scene"
_NOT = "object, animal, person, text"
_STEPS = 30


def _fill(hole: Hole) -> U8:
    folder = Path(hole.given).expanduser()
    if not (folder / "model_index.json").is_file():
        raise ModelError(f"{folder} holds no model of diffusers; give a folder with its model_index.json.")
    photo_u8, inside = as_networks_take(hole.photo_u8, hole.inside, _MOST_PX, _MULTIPLE)
    try:
        filled_u8 = _run(_read(folder), photo_u8, inside, hole)
    except (DependencyError, StoppedError):
        raise
    except Exception as error:  # the library has many kinds
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{folder} does not fill holes ({why}); give one for inpainting.") from error
    width, height = within(hole.photo_u8, _MOST_PX)
    return np.asarray(resized(filled_u8[:height, :width], hole.inside.shape[1::-1]), np.uint8)


@functools.lru_cache(maxsize=1)
def _read(folder: Path) -> Any:
    try:
        from diffusers import AutoPipelineForInpainting
    except ImportError as error:
        raise DependencyError(
            "diffusers=FOLDER needs that library; install it: pip install diffusers transformers accelerate"
        ) from error
    from edgegan_widget.networks.devices import choose_device

    pipeline = AutoPipelineForInpainting.from_pretrained(str(folder), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(choose_device())


def _run(pipeline: Any, photo_u8: U8, inside: np.ndarray, hole: Hole) -> U8:
    import torch

    def ended(_pipeline: Any, step: int, _time: Any, kept: dict[str, Any]) -> dict[str, Any]:
        hole.told((step + 1) / (_STEPS + 1))
        return kept

    found = pipeline(
        prompt=_PROMPT, negative_prompt=_NOT, image=Image.fromarray(photo_u8), mask_image=Image.fromarray(inside),
        height=photo_u8.shape[0], width=photo_u8.shape[1], num_inference_steps=_STEPS,
        generator=torch.Generator().manual_seed(0), callback_on_step_end=ended,
    )  # fmt: skip
    return np.asarray(found.images[0].convert("RGB"))


register(Method("diffusers", "a model of that library", _fill, takes="FOLDER", around=1.0, around_px=64))

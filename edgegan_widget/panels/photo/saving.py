"""The picture and the scene as files to keep."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
from PIL import Image

from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.looks.exports import File
from edgegan_widget.panels.widgets import Say, button, guard, heading, row
from edgegan_widget.photo.scene import Scene

__all__ = ["SCENE_SUFFIX", "SaveRow", "picture_file", "scene_file"]

SCENE_SUFFIX = ".scene.json"
FORMS = (("PNG", "png"), ("JPEG", "jpeg"), ("Scene, to go on with later", "scene"))
JPEG_QUALITY = 95
_ORIENTATION = 0x0112


class SaveRow(widgets.VBox):  # type: ignore[misc]
    """What to save.

    Parameters
    ----------
    on_save
        Called with the form (``png``, ``jpeg`` or ``scene``) and whether the photo's metadata are kept.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_save: Callable[[str, bool], None], say: Say) -> None:
        self._form = widgets.Dropdown(options=list(FORMS), layout={"width": "132px"}, tooltip="What to save")
        self._metadata = widgets.Checkbox(
            False, description="Keep the photo's metadata", indent=False,
            tooltip="Camera, date, place and what else the photo's file tells (EXIF)",
        )  # fmt: skip
        self.save = button(
            "Save", guard(lambda: on_save(str(self._form.value), bool(self._metadata.value)), say),
            "Save it as a file, at the photo's full size", "eg-photo-save",
        )  # fmt: skip
        super().__init__([heading("Save"), row([self._form, self.save]), self._metadata])
        self.add_class("eg-photo-saving")


def picture_file(picture_u8: U8, scene: Scene, form: str, metadata: bool) -> File:
    """The composed picture, uint8 [H, W, 3] or [H, W, 4], as PNG or JPEG; JPEG has white where nothing is.

    With ``metadata`` the photo's EXIF data go along, but for its orientation, which the picture has no more. How its
    colours are meant (its ICC profile) always does.
    """
    picture = Image.fromarray(picture_u8)
    if form == "jpeg" and picture.mode == "RGBA":
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture).convert("RGB")
    told = _told_by_photo(scene, metadata)
    stream = io.BytesIO()
    if form == "jpeg":
        picture.save(stream, "JPEG", quality=JPEG_QUALITY, **told)
    else:
        picture.save(stream, "PNG", compress_level=3, **told)
    suffix = "jpg" if form == "jpeg" else "png"
    return File(f"{_stem(scene)}_changed.{suffix}", f"image/{form}", stream.getvalue())


def scene_file(scene: Scene) -> File:
    """The scene with its photo as one file."""
    return File(f"{_stem(scene)}{SCENE_SUFFIX}", "application/json", scene.to_json().encode())


def _stem(scene: Scene) -> str:
    return Path(scene.photo).stem or "photo"


def _told_by_photo(scene: Scene, metadata: bool) -> dict[str, bytes]:
    """EXIF data and colour profile of the photo's file, as Pillow saves them."""
    with Image.open(io.BytesIO(scene.photo_file)) as photo:
        profile = photo.info.get("icc_profile") if photo.mode == "RGB" else None
        told = {"icc_profile": bytes(profile)} if profile else {}
        exif = photo.getexif()
    if metadata and len(exif):
        exif[_ORIENTATION] = 1
        told["exif"] = exif.tobytes()
    return told

"""A scene: a photo, what was erased from it, and the objects drawn in their places; kept as JSON, composed to pixels.

All is immutable: each edit is another :class:`Scene`, so that undo is to keep the one before.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageColor

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.result import Engine
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.erase import METHOD, Told, erase, grown_mask
from edgegan_widget.photo.fitting import Fit, lit_as
from edgegan_widget.photo.pixels import as_photo, resized, within
from edgegan_widget.photo.place import place
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, strokes_from, strokes_to

__all__ = ["NOTHING", "PHOTO", "Erased", "Part", "Placed", "Scene", "compose", "fill", "lay", "on_ground", "turned"]

FORMAT = "edgegan-widget scene"
PHOTO, NOTHING = "photo", "none"  # grounds; a third kind is a colour, #rrggbb
_REACH = 0.5  # of the box: how far around it a placed object changes or looks at the photo
_LEAST_REACH_PX = 16
_ROUGH_PX = 48  # longest side at which the surroundings are looked at roughly
_MOST_TURNED_PX = 2048  # side of a picture that is turned; a larger one is turned at this size


Part = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True)
class Erased:
    """What was taken away.

    Attributes
    ----------
    mask_png
        A PNG of the photo's size, white where it was.
    method
        By which method, see :mod:`edgegan_widget.photo.inpainting`.
    feather_px
        Over how many of the photo's pixels beyond the mask what was filled goes over into the photo, 0 to 100.
    """

    mask_png: bytes
    method: str = METHOD
    feather_px: int = 0

    @classmethod
    def make(cls, mask: np.ndarray, method: str = METHOD, feather_px: int = 0) -> Erased:
        """From a mask, bool [H, W]."""
        stream = io.BytesIO()
        Image.fromarray(np.asarray(mask, bool)).save(stream, "PNG")
        return cls(stream.getvalue(), method, feather_px)

    def mask(self) -> np.ndarray:
        """The mask, bool [H, W]; a :class:`DataError` where it is no picture."""
        return np.asarray(open_picture(io.BytesIO(self.mask_png), "a mask of the scene").convert("L")) > 127


@dataclass(frozen=True)
class Placed:
    """An object: its strokes, what they show, and where it goes.

    Attributes
    ----------
    drawing, label, seed, style, model, closeness
        What is drawn with which class, seed, style and model, and how close it keeps to the lines (0 to 1).
    box
        x, y, width and height in the photo's pixels, before it is turned.
    turned_degrees, mirrored
        Clockwise around the middle of the box; left and right swapped before.
    name, hidden
        What a person calls it; whether it is left out of the picture.
    fit
        How it is fitted in.
    """

    drawing: Drawing
    label: str
    box: tuple[int, int, int, int]
    seed: int | None = None
    style: int | str | None = None
    model: str = "default"
    closeness: float = 0.0
    turned_degrees: float = 0.0
    mirrored: bool = False
    name: str = ""
    hidden: bool = False
    fit: Fit = field(default_factory=Fit)


@dataclass(frozen=True)
class Scene:
    """A photo, what was erased, and what was placed, in order.

    Attributes
    ----------
    photo
        Its path; a relative one begins at the scene's folder. Where the file itself is kept, only its name.
    erased, placed
        One after the other, the last in front.
    ground
        What lies behind the objects: ``photo``, a colour ``#rrggbb``, or ``none``.
    photo_file
        The photo's file as it was opened; empty where it is to be found at its path.
    """

    photo: str
    erased: tuple[Erased, ...] = ()
    placed: tuple[Placed, ...] = ()
    ground: str = PHOTO
    photo_file: bytes = field(default=b"", repr=False)

    def without(self, erased: Erased) -> Scene:
        """The scene with something more erased."""
        return replace(self, erased=(*self.erased, erased))

    def having(self, placed: Placed) -> Scene:
        """The scene with one more object, in front of the others."""
        return replace(self, placed=(*self.placed, placed))

    def with_placed(self, number: int, placed: Placed | None) -> Scene:
        """The scene with another object in the place of one, or with None without it."""
        others = () if placed is None else (placed,)
        return replace(self, placed=(*self.placed[:number], *others, *self.placed[number + 1 :]))

    def to_json(self, *, with_photo: bool = True) -> str:
        """The scene as text; :meth:`from_json` reads the same scene again."""
        erased = [_erased_record(each) for each in self.erased]
        content = {
            "format": FORMAT, "version": 1, "photo": self.photo, "ground": self.ground, "erased": erased,
            "placed": [_placed_record(each) for each in self.placed],
        }  # fmt: skip
        if self.photo_file and with_photo:
            content["photo_file"] = base64.b64encode(self.photo_file).decode()
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str | bytes) -> Scene:
        """Read a saved scene; a :class:`DataError` where it is none."""
        try:
            content = json.loads(text)
            if (content["format"], content["version"]) != (FORMAT, 1):
                raise ValueError("another format or version")
            erased, placed = tuple(map(_erased, content["erased"])), tuple(map(_placed, content["placed"]))
            photo_file = base64.b64decode(content.get("photo_file", ""))
            ground = _checked_ground(str(content.get("ground", PHOTO)))
            return cls(str(content["photo"]), erased, placed, ground, photo_file)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"this is not a saved scene ({type(error).__name__}); open one that was saved.") from error

    def open_photo(self, folder: Path | None = None) -> U8:
        """The photo, uint8 [H, W, 3]; a :class:`DataError` where it cannot be read."""
        if self.photo_file:
            return np.asarray(open_picture(io.BytesIO(self.photo_file), self.photo), np.uint8)
        return as_photo(Path(folder or ".", self.photo))


def _checked_ground(ground: str) -> str:
    if ground not in (PHOTO, NOTHING):
        ImageColor.getrgb(ground)  # raises where it is no colour
    return ground


def _erased_record(each: Erased) -> dict[str, Any]:
    mask = base64.b64encode(each.mask_png).decode()
    return {"mask": mask, "method": each.method, "feather_px": each.feather_px}


def _erased(item: Mapping[str, Any]) -> Erased:
    return Erased(base64.b64decode(item["mask"]), str(item["method"]), int(item.get("feather_px", 0)))


_AS_THEY_ARE = ("seed", "style", "model", "closeness", "turned_degrees", "mirrored", "name", "hidden")


def _placed_record(each: Placed) -> dict[str, Any]:
    record = {"strokes": strokes_to(each.drawing.strokes), "class": each.label, "box": list(each.box)}
    plain = {name: getattr(each, name) for name in _AS_THEY_ARE}
    return {**record, **plain, "fit": dataclasses.asdict(each.fit)}


def _placed(item: Mapping[str, Any]) -> Placed:
    x, y, width, height = (int(each) for each in item["box"])
    drawing = Drawing(strokes_from(item["strokes"]))
    made = Placed(drawing, str(item["class"]), (x, y, width, height), model=str(item["model"]))
    known = {each.name: each for each in dataclasses.fields(Fit)}
    fit = Fit(**{name: value for name, value in item.get("fit", {}).items() if name in known})
    return replace(made, fit=fit, **{name: item[name] for name in _AS_THEY_ARE if name in item})


def fill(picture_u8: U8, gone: Erased, on_progress: Told | None = None) -> U8:
    """Take away what one mask marks; its feather goes beyond the mask. As :func:`~edgegan_widget.photo.erase`."""
    mask = gone.mask()
    if not gone.feather_px:
        return erase(picture_u8, mask, gone.method, on_progress=on_progress)
    wider = grown_mask(mask, gone.feather_px)
    if wider.all():
        return erase(picture_u8, mask, gone.method, on_progress=on_progress)
    filled_u8 = erase(picture_u8, wider, gone.method, on_progress=on_progress)
    soft = cv2.GaussianBlur(wider.astype(np.float32), (0, 0), gone.feather_px / 2)
    share = np.where(mask, np.float32(1), np.clip(2 * soft - 1, 0, 1) * wider)[..., None]
    mixed = np.round(picture_u8 + share * (filled_u8.astype(np.float32) - picture_u8))
    return np.asarray(mixed, np.uint8)


def turned(rgba: U8, placed: Placed) -> tuple[U8, tuple[int, int, int, int]]:
    """An object's picture uint8 [h, w, 4] mirrored and turned, and the box that it needs then."""
    x, y, width, height = placed.box
    picture = np.ascontiguousarray(rgba[:, ::-1]) if placed.mirrored else rgba
    if not placed.turned_degrees % 360:
        return picture, placed.box
    scale = min(1.0, _MOST_TURNED_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    plain = cv2.resize(_premultiplied(picture), size, interpolation=cv2.INTER_CUBIC)
    radians = np.deg2rad(placed.turned_degrees)
    cos, sin = abs(np.cos(radians)), abs(np.sin(radians))
    wide, high = (round(size[0] * a + size[1] * b) for a, b in ((cos, sin), (sin, cos)))
    matrix = cv2.getRotationMatrix2D(((size[0] - 1) / 2, (size[1] - 1) / 2), -placed.turned_degrees, 1.0)
    matrix[:, 2] += (wide - size[0]) / 2, (high - size[1]) / 2
    shown = _separated(cv2.warpAffine(plain, matrix, (wide, high), flags=cv2.INTER_CUBIC))
    new_width, new_height = round(wide / scale), round(high / scale)
    return shown, (x + (width - new_width) // 2, y + (height - new_height) // 2, new_width, new_height)


def _premultiplied(rgba: U8) -> F32:
    plain = rgba.astype(np.float32)
    plain[..., :3] *= plain[..., 3:] / 255
    return plain


def _separated(plain: F32) -> U8:
    alpha = plain[..., 3:].clip(0, 255)
    colours = plain[..., :3] * 255 / np.maximum(alpha, 1)
    return np.asarray(np.concatenate([colours.clip(0, 255), alpha], axis=2).round(), np.uint8)


def lay(picture_u8: U8, rgba: U8, placed: Placed, scale: float = 1.0, *, quick: bool = False) -> Part | None:
    """Put an object into a picture, in place.

    Parameters
    ----------
    picture_u8
        uint8 [H, W, 3], the photo or a smaller one.
    rgba
        The object's picture, uint8 [h, w, 4].
    placed
        Where it goes, in the photo's pixels.
    scale
        By how much ``picture_u8`` is larger than the photo.
    quick
        Whether it may be fitted in roughly: its light by a reduced look at what is around it, its sharpness and the
        colours at its outline not at all.

    Returns
    -------
    The rows and columns that may have changed; None where it lies outside.
    """
    shown, (x, y, width, height) = turned(rgba, placed)
    x, y = round(x * scale), round(y * scale)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    if x >= picture_u8.shape[1] or y >= picture_u8.shape[0] or x + width <= 0 or y + height <= 0:
        return None
    far_x, far_y = (max(_LEAST_REACH_PX, round(_REACH * side)) for side in (width, height))
    left, top = max(0, x - far_x), max(0, y - far_y)
    rows, columns = slice(top, max(0, y + height + far_y)), slice(left, max(0, x + width + far_x))
    part = picture_u8[rows, columns]
    options = dataclasses.asdict(placed.fit)
    options["feather_px"] *= scale
    if quick:
        shown = _roughly_lit(shown, part, placed.fit.match_light)
        options |= {"match_light": 0.0, "match_sharpness": False, "seamless": False}
    part[:] = place(part, shown[..., :3], shown[..., 3], (x - left, y - top, width, height), **options)
    return rows, columns


def _roughly_lit(rgba: U8, around_u8: U8, strength: float) -> U8:
    """An object's picture in the light of its surroundings, by a reduced look at them."""
    small_u8 = resized(around_u8, within(around_u8, _ROUGH_PX))
    cover = np.asarray(rgba[..., 3] / np.float32(255), np.float32)
    colours = lit_as(rgba[..., :3].astype(np.float32), cover, small_u8, strength)
    return np.dstack([colours.round().clip(0, 255).astype(np.uint8), rgba[..., 3]])


def on_ground(scene: Scene, picture_u8: U8, objects: Iterable[tuple[Placed, U8]], scale: float = 1.0) -> U8:
    """The objects before the scene's ground.

    Parameters
    ----------
    scene
        Says what the ground is.
    picture_u8
        The photo without what was erased, uint8 [H, W, 3]; only its size counts where another ground is wanted.
    objects
        Those that are to be seen with their pictures, uint8 [h, w, 4].
    scale
        As for :func:`lay`.

    Returns
    -------
    uint8 [H, W, 3]; [H, W, 4] where the ground is ``none``.
    """
    if scene.ground == PHOTO:
        return _laid(picture_u8.copy(), objects, scale)
    if scene.ground != NOTHING:
        plain = np.empty_like(picture_u8)
        plain[:] = ImageColor.getrgb(scene.ground)[:3]
        return _laid(plain, objects, scale)
    alone = [(replace(each, fit=Fit(each.fit.feather_px, match_light=0.0)), rgba) for each, rgba in objects]
    white = [(each, np.dstack([np.full_like(rgba[..., :3], 255), rgba[..., 3]])) for each, rgba in alone]
    alpha = _laid(np.zeros_like(picture_u8), white, scale)[..., 0]
    over_black = _laid(np.zeros_like(picture_u8), alone, scale)
    return _separated(np.dstack([over_black, alpha]).astype(np.float32))


def _laid(picture_u8: U8, objects: Iterable[tuple[Placed, U8]], scale: float) -> U8:
    for each, rgba in objects:
        lay(picture_u8, rgba, each, scale)
    return picture_u8


def compose(
    scene: Scene, models: Mapping[str, Engine], *, folder: Path | None = None, on_progress: Told | None = None
) -> U8:
    """The scene's picture at the photo's own size.

    Parameters
    ----------
    scene
        What is to be seen.
    models
        What draws, by the names that the scene's objects have.
    folder
        Where a relative photo's path begins; None is the working folder.
    on_progress
        As for :func:`~edgegan_widget.photo.erase`, for each part that is erased.

    Returns
    -------
    uint8 [H, W, 3]; [H, W, 4] where the scene's ground is ``none``.

    Raises
    ------
    DataError, ConfigError, StoppedError
        Photo, mask, box, class, style or model cannot be used, or it was stopped.
    """
    picture_u8 = scene.open_photo(folder)
    if scene.ground == PHOTO:
        for gone in scene.erased:
            picture_u8 = fill(picture_u8, gone, on_progress)
    return on_ground(scene, picture_u8, [(each, _drawn(each, models)) for each in scene.placed if not each.hidden])


def _drawn(each: Placed, models: Mapping[str, Engine]) -> U8:
    """An object's picture, uint8 [h, w, 4]."""
    if each.model not in models:
        raise DataError(f"the scene's model is {each.model!r}; given are {', '.join(models) or 'none'}.")
    model = models[each.model]
    sketch = rasterize(each.drawing, model.sketch_px, fit=True)
    result = model.generate(sketch, each.label, seed=each.seed, style=each.style)
    if each.closeness:
        *_, result = model.approach(sketch, each.label, result, each.closeness)
    return np.asarray(result.rgba[0], np.uint8)

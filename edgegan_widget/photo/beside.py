"""Which mask is whose: found by name, in the photos' own folder or in one of masks."""

from __future__ import annotations

import re
from pathlib import Path

from edgegan_widget.base.layout import pictures_in
from edgegan_widget.base.pictures import is_picture

__all__ = ["MASK_FOLDERS", "folders_of_pairs", "is_named_mask", "masks_in", "photos_with_masks"]

MASK_FOLDERS = ("masks", "mask")
_MASK_NAME = re.compile(r"[-_. ](mask|matte|seg|gt|label|alpha|trimap)$", re.IGNORECASE)
_OF_MASKS = re.compile(
    r"(^|[-_. ])(masks?|gt|ground[-_ ]?truth|labels?|mattes?|alphas?|segmentations?)$", re.IGNORECASE
)
_MASK_SUFFIX = ".png"  # beside a photo of another kind


def is_named_mask(path: Path) -> bool:
    """Whether a file says by its name that it is a mask, as ``horse_mask.png`` does."""
    return bool(_MASK_NAME.search(path.stem))


def masks_in(folder: Path) -> dict[str, Path]:
    """Masks by their photos' names: called the same whatever the suffix, or with that of a mask behind."""
    pictures = pictures_in(folder)[0] if folder.is_dir() else []
    called = {_MASK_NAME.sub("", each.stem): each for each in pictures}
    whole = {Path(each.stem).stem: each for each in pictures if is_picture(Path(each.stem))}  # photo.jpg.png
    return called | whole | {each.stem: each for each in pictures}


def folders_of_pairs(folder: Path) -> tuple[Path, Path]:
    """Where the photos and where their masks are: the folder itself for both, or two folders in it.

    Of two the one called after masks (``masks``, ``gt``, ``DUTS-TR-Mask``) holds them, the other the photos.
    """
    inside = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    masks = [each for each in inside if _OF_MASKS.search(each.name)]
    photos = [each for each in inside if each not in masks]
    if len(masks) != 1 or len(photos) > 1:
        return folder, folder
    return (photos[0] if photos else folder), masks[0]


def photos_with_masks(folder: Path) -> tuple[dict[Path, Path], list[Path]]:
    """Photos of a folder by name, each with its mask, and the pictures that have no partner."""
    photos, masks = folders_of_pairs(folder)
    pictures = pictures_in(photos)[0]
    if photos == masks:
        named = {_MASK_NAME.sub("", each.stem): each for each in pictures if is_named_mask(each)}
        plain = [each for each in pictures if not is_named_mask(each)]
        like = {each.stem: each for each in plain if each.suffix.lower() == _MASK_SUFFIX}
        others = [each for each in plain if each.suffix.lower() != _MASK_SUFFIX]
        pairs = {each: named[each.stem] for each in plain if each.stem in named}
        pairs |= {each: like[each.stem] for each in others if each.stem in like and each not in pairs}
    else:
        known = masks_in(masks)
        pairs = {each: known[each.stem] for each in pictures if each.stem in known}
        pictures = pictures + pictures_in(masks)[0]
    used = {*pairs, *pairs.values()}
    return dict(sorted(pairs.items())), [each for each in pictures if each not in used]

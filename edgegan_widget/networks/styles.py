"""Styles to draw in: the bank of training pictures' styles that a model keeps of each class, and how one is asked for.

A style's first numbers are the object's mean colour (red, green and blue from -1 to 1) and its contrast; the others
are learnt. Nothing here imports torch.
"""

from __future__ import annotations

import re

import cv2
import numpy as np

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.result import Style
from edgegan_widget.base.units import F32

__all__ = ["COLOUR_NUMBERS", "named_styles", "style_of"]

COLOUR_NUMBERS = 4  # red, green, blue, contrast
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def named_styles(bank: F32) -> tuple[Style, ...]:
    """The styles of a class's bank [styles, style_size]."""
    colours = np.round((bank[:, :3].clip(-1, 1) + 1) * 127.5).astype(int)
    return tuple(
        Style(index, "#{:02x}{:02x}{:02x}".format(*colour), float(numbers[3]), tuple(map(float, numbers)))
        for index, (colour, numbers) in enumerate(zip(colours, bank))
    )


def style_of(bank: F32, style: int | str | None, seed: int | None) -> F32:
    """The numbers of a style, float32 [style_size].

    Parameters
    ----------
    bank
        float32 [styles, style_size] of the class, the most usual one first.
    style
        None: the most usual one, or with a seed another one. A number: that one. A colour ``#rrggbb``: the nearest one
        (in CIE Lab), in that colour. With a seed the colour numbers of what was asked for stay, and the learnt ones
        come from others.
    seed
        What chooses those others: the same ones for the same seed, and others for seeds that follow each other.

    Raises
    ------
    ConfigError
        There is no such style, or the colour is no colour.
    """
    if style is None:
        colour, learnt = (0, 0) if seed is None else _others(len(bank), 0, seed)
        return _joined(bank[colour], bank[learnt])
    wanted = _colour(style) if isinstance(style, str) else None
    entry = _number(style, len(bank)) if wanted is None else _nearest(bank, wanted)
    learnt = entry if seed is None else _others(len(bank), entry, seed)[1]
    made = _joined(bank[entry], bank[learnt])
    if wanted is not None:
        made[:3] = wanted
    return made


def _others(count: int, but: int, seed: int) -> tuple[int, int]:
    """Two entries, not ``but``, for colour and for the rest: each in turn with its own, then with another's."""
    order = np.random.Generator(np.random.PCG64(np.random.SeedSequence([but]))).permutation(count)
    order = order[order != but]
    turn, place = divmod(seed, len(order))
    return int(order[place]), int(order[(place + turn) % len(order)])


def _joined(colour: F32, learnt: F32) -> F32:
    return np.concatenate([colour[:COLOUR_NUMBERS], learnt[COLOUR_NUMBERS:]]).astype(np.float32)


def _number(style: object, count: int) -> int:
    if isinstance(style, (int, np.integer)) and not isinstance(style, bool) and 0 <= style < count:
        return int(style)
    raise ConfigError(f"the style is {style!r}; give a number from 0 to {count - 1}, or a colour such as '#2060c0'.")


def _colour(text: str) -> F32:
    """``#rrggbb`` -> red, green and blue in [-1, 1]."""
    if not _HEX.fullmatch(text):
        raise ConfigError(f"the colour is {text!r}; write it as # and six hexadecimal digits, such as '#2060c0'.")
    colour: F32 = np.array(list(bytes.fromhex(text[1:])), np.float32) / np.float32(127.5) - 1
    return colour


def _nearest(bank: F32, wanted: F32) -> int:
    """The entry whose colour looks most like the wanted one: least distance in CIE Lab."""
    away = _lab(bank[:, :3]) - _lab(wanted[None])
    return int(np.square(away).sum(axis=1).argmin())


def _lab(colours: F32) -> F32:
    """Colours [N, 3] in [-1, 1], as sRGB -> CIE Lab [N, 3]."""
    shares = ((colours.clip(-1, 1) + 1) / 2).astype(np.float32)
    return np.asarray(cv2.cvtColor(shares[None], cv2.COLOR_RGB2Lab)[0], np.float32)

"""What buttons and keys do with the selected object: from one moment to the next, without anything on screen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace

from edgegan_widget.panels.photo.states import State
from edgegan_widget.panels.photo.strokes import moved
from edgegan_widget.photo.erase import box_of
from edgegan_widget.photo.scene import Erased, Placed

__all__ = ["EDITS", "guide_box"]

STEP_PX = 4  # of the shown photo, by a key
TURN_DEGREES = 15
GROWTH = 1.08
BESIDE = 0.15  # of its size: where a copy stands
MIDDLE = 0.5  # of the photo's shorter side: where a new object goes on a photo from which nothing was taken

Box = tuple[int, int, int, int]


def guide_box(state: State, size: tuple[int, int], scale: float) -> Box:
    """Where a new object would go, in the photo's pixels: over what is chosen, else what is gone, else the middle.

    Parameters
    ----------
    state
        The moment.
    size
        The photo's width and height.
    scale
        How large it is shown.
    """
    if state.chosen is not None:
        return _square(tuple(round(each / scale) for each in state.chosen.box))
    if state.scene.erased:
        return _square(_hole(state.scene.erased[-1]))
    side = round(MIDDLE * min(size))
    return (size[0] - side) // 2, (size[1] - side) // 2, max(1, side), max(1, side)


@functools.lru_cache(maxsize=64)
def _hole(erased: Erased) -> Box:
    mask = erased.mask()
    if not mask.any():
        return 0, 0, mask.shape[1], mask.shape[0]
    top, bottom, left, right = box_of(mask)
    return left, top, right - left, bottom - top


def _square(box: tuple[int, ...]) -> Box:
    x, y, width, height = box
    side = max(width, height, 1)
    return x + (width - side) // 2, y + (height - side) // 2, side, side


Edit = Callable[
    [State, Placed, float], State
]  # moment, its selected object, shown pixels in one of the photo -> moment


def _changing(change: Callable[[Placed, float], Placed], kind: str = "") -> Edit:
    """An edit that changes the object; with a kind, those that follow each other are one step back."""

    def edit(state: State, placed: Placed, scale: float) -> State:
        return state.having(change(placed, scale), f"{kind} {state.selected}" if kind else "")

    return edit


def _nudge(right: int, down: int) -> Edit:
    def change(placed: Placed, scale: float) -> Placed:
        step = max(1, round(STEP_PX / scale))
        x, y, width, height = placed.box
        return replace(placed, box=(x + right * step, y + down * step, width, height))

    return _changing(change, "move")


def _resize(factor: float) -> Edit:
    def change(placed: Placed, _scale: float) -> Placed:
        x, y, width, height = placed.box
        side = max(max(width, height) * factor, max(width, height) + (1 if factor > 1 else -1))
        corner = x + (width - side) / 2, y + (height - side) / 2
        return moved(placed, (*corner, side, side), placed.turned_degrees, placed.mirrored)

    return _changing(change, "size")


def _turn(degrees: float) -> Edit:
    def change(placed: Placed, _scale: float) -> Placed:
        return replace(placed, turned_degrees=(placed.turned_degrees + degrees) % 360)

    return _changing(change, "turn")


def _duplicate(state: State, placed: Placed, _scale: float) -> State:
    x, y, width, height = placed.box
    copy = replace(placed, box=(x + round(BESIDE * width), y + round(BESIDE * height), width, height))
    return replace(state, scene=state.scene.having(copy), selected=len(state.scene.placed), kind="")


def _delete(state: State, _placed: Placed, _scale: float) -> State:
    return replace(state, scene=state.scene.with_placed(state.selected or 0, None), selected=None, kind="")


def _order(step: int) -> Edit:
    def edit(state: State, placed: Placed, _scale: float) -> State:
        others = list(state.scene.with_placed(state.selected or 0, None).placed)
        place = min(max(0, (state.selected or 0) + step), len(others))
        others.insert(place, placed)
        return replace(state, scene=replace(state.scene, placed=tuple(others)), selected=place, kind="")

    return edit


EDITS: Mapping[str, Edit] = {
    "left": _nudge(-1, 0), "right": _nudge(1, 0), "higher": _nudge(0, -1), "lower": _nudge(0, 1),
    "bigger": _resize(GROWTH), "smaller": _resize(1 / GROWTH), "turn": _turn(TURN_DEGREES),
    "turn-back": _turn(-TURN_DEGREES), "mirror": _changing(lambda each, _: replace(each, mirrored=not each.mirrored)),
    "hide": _changing(lambda each, _: replace(each, hidden=not each.hidden)),
    "duplicate": _duplicate, "delete": _delete, "up": _order(1), "down": _order(-1),
}  # fmt: skip

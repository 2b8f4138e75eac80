"""Where pictures can come from, and what each way has to be told; forms are made from this."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WAYS", "Answer", "Question", "Way"]

Answer = str | int | bool


@dataclass(frozen=True)
class Question:
    """One thing that a way of preparing has to be told; its default tells its kind."""

    label: str
    meaning: str
    default: Answer = ""
    needed: bool = False
    is_path: bool = False


@dataclass(frozen=True)
class Way:
    """A kind of source: its name for people, the part of the data folder it fills, and what it asks."""

    title: str
    part: str
    questions: dict[str, Question]


_CLASSES = Question("Classes", "names with commas between; empty takes all")

WAYS = {
    "coco": Way("COCO photos", "coco", {
        "images": Question("Photos", "folder of COCO's photos", needed=True, is_path=True),
        "annotations": Question("Annotations", "the file instances_….json", needed=True, is_path=True),
        "classes": _CLASSES,
    }),
    "folder": Way("Folder of photos", "folder", {
        "folder": Question("Photos", "<folder>/<class>/*: transparent, on white, or with masks", "", True, True),
        "label": Question("Class", "where the folder has no sub-folders: what all photos show"),
        "masks": Question("Masks", "folder of masks; empty: a sub-folder masks, if there is one", is_path=True),
        "licence": Question("Licence", "of all photos, for the manifest", "unknown"),
    }),
    "sketchycoco": Way("SketchyCOCO", "sketchycoco", {
        "folder": Question("Folder", "the one with GT, Edge and Sketch", needed=True, is_path=True),
        "classes": _CLASSES,
        "own_edges": Question("Its own edge maps", "make pairs with SketchyCOCO's edge maps", False),
    }),
    "pairs": Way("Pairs [edge | image]", "pairs", {
        "folder": Question("Folder", "with train/*.png or train/<class number>/*.png", needed=True, is_path=True),
        "classes": Question("Classes", "names by number, with commas between; empty: the original's 14"),
    }),
    "synthetic": Way("Synthetic sample", "synthetic", {
        "count": Question("Pictures", "of each of the five classes, drawn by code", 60),
        "seed": Question("Seed", "another number draws other pictures", 0),
    }),
}  # fmt: skip

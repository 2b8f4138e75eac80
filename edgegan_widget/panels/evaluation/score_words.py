"""What each column of the table says, in a sentence, and which pictures show it."""

from __future__ import annotations

from edgegan_widget.evaluation.table import TOLD

__all__ = ["KINDS", "MEANINGS"]

Path = tuple[str, ...]

MEANINGS: dict[Path, str] = {
    ("realism", "fid"): "Distance between drawn and held-out pictures, seen with Inception; 0 would be alike.",
    ("realism", "frechet_distance"): (
        "Distance between drawn and held-out pictures in the features of a classifier trained on this data; to be "
        "compared within this table only."
    ),
    ("realism", "kid"): "Distance between drawn and held-out pictures that small sets do not distort; 0 is alike.",
    ("realism", "precision"): "Share of drawn pictures that lie among real ones: they look real.",
    ("realism", "recall"): "Share of real pictures that lie among drawn ones: nothing real is left out.",
    ("realism", "density"): "How closely real pictures surround the drawn ones; about 1 for real pictures.",
    ("realism", "coverage"): "Share of real pictures that have a drawn one near by.",
    ("right_class", "accuracy"): "Share of pictures in which a classifier sees the class that was asked for.",
    ("faithful", "f_score"): "How well the picture's edges and the drawn lines meet, both ways; 1 is on every line.",
    ("faithful", "chamfer"): "Mean distance between drawn lines and the picture's edges, both ways, over its side.",
    ("diversity", "ratio"): "How much pictures of a class differ, against how much real ones do.",
    ("diversity", "same_share"): "Share of drawings whose picture is nearly that of another drawing.",
    ("memorisation", "pixels", "copied_share"): (
        "Share of pictures closer to a training picture than 95 % of held-out ones are."
    ),
} | {told.column[2]: told.meaning for told in TOLD}

KINDS: dict[str, str] = {  # by the first part of a column's place: what is said of the pictures below a number
    "realism": "This number is of the set as a whole: no picture has one of its own. A sample, spread evenly:",
    "right_class": "Sorted by whether the class is seen, then by how well the lines meet.",
    "faithful": "Sorted by this number.",
    "diversity": "This number compares pictures of a class with each other: whole classes are sorted by it.",
    "memorisation": "Sorted by the distance to the nearest training picture, over what held-out ones have.",
} | {told.column[2][0]: told.pictures for told in TOLD if told.pictures}

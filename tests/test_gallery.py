from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image

from edgegan_widget.evaluation.metrics import Metric, metrics, question_of
from edgegan_widget.evaluation.report.pictures import Group, groups, macro, strip
from edgegan_widget.panels.evaluation.score_table import MOST_SIDE_PX, Gallery
from tests.fake_evaluations import CLASSES, fake_pictures, fake_report
from tests.screen import find


def column(heading: str) -> Metric:
    return next(each for each in metrics() if each.heading.startswith(heading))


def chosen(heading: str, drawings: int = 24) -> list[Group]:
    return groups(fake_pictures(drawings), fake_report()["models"][0]["sets"][0], column(heading), CLASSES)


def sprite_of(shown: str) -> np.ndarray:
    found = re.search(r"base64,([^)]+)\)", shown)
    assert found is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_every_column_has_a_meaning_and_a_way_to_show_pictures() -> None:
    for metric in metrics():
        assert metric.meaning.endswith(".")
        assert question_of(metric).behind
        assert any(group.pictures for group in chosen(metric.heading)), metric.heading


def test_best_and_worst_follow_the_number() -> None:
    by_score = {group.title: group.pictures for group in chosen("F-score")}
    assert by_score["best"] == (23, 22, 21, 20, 19, 18)
    assert by_score["worst"] == (0, 1, 2, 3, 4, 5)
    assert by_score["in the middle"] == (9, 10, 11, 12, 13, 14)
    by_distance = {group.title: group.pictures for group in chosen("chamfer")}
    assert by_distance["best"][0] == 0, "a small distance is good"
    by_class = {group.title: group.pictures for group in chosen("right class")}
    assert by_class["worst"][:3] == (1, 2, 4), "the wrong class is worse than any line"
    assert by_class["best"][0] == 21
    worst_class = [number for group in chosen("worst class") for number in group.pictures]
    assert worst_class == [21, 15, 9, 3, 23, 19, 17, 13, 11, 7, 5, 1], "boxes alone"
    assert chosen("near copies")[0] == Group("nearest to a training picture", (0, 1, 2, 3, 4, 5))


def test_few_pictures_are_shown_once() -> None:
    assert [group.pictures for group in chosen("F-score", 4)] == [(3, 2, 1, 0)]
    assert [group.pictures for group in chosen("near copies", 4)] == [(0, 1, 2, 3)]


def test_variety_shows_whole_classes() -> None:
    titles = {group.title: group.pictures for group in chosen("variety")}
    assert list(titles) == ["box: 0.70", "ball: 0.30"]
    assert all(number % 2 == 1 for number in titles["box: 0.70"]), "pictures of boxes"
    assert [group.title for group in chosen("swapped labels")] == ["ball: 60.0%", "box: 20.0%"]
    assert [group.title for group in chosen("spread of colours")] == ["ball: 0.80", "box: 0.20"]
    assert [group.title for group in chosen("nearly the same")] == ["ball: 0.0%", "box: 10.0%"]


def test_a_gallery_is_one_picture_and_is_gone_when_closed() -> None:
    closed: list[bool] = []
    gallery = Gallery(lambda: closed.append(True), lambda error: None)
    gallery.show(fake_report(), 0, 0, column("F-score"), fake_pictures(24))
    shown = gallery.children[-1].value
    assert shown.count("base64,") == 1
    assert shown.count("<figure") == 18
    assert sprite_of(shown).shape == (18 * 64, 3 * 64, 3)
    assert sprite_of(shown)[0, -1, 0] == 23, "the best one's picture is on top"
    assert "first, F-score of lines ↑: 0.800" in shown
    assert "ball, seen as box · F 0.92" in shown
    find(gallery, "Close").click()
    assert gallery.children[-1].value == ""
    assert closed == [True]


def test_copies_stand_beside_their_training_picture() -> None:
    gallery = Gallery(lambda: None, lambda error: None)
    gallery.show(fake_report(), 0, 0, column("near copies"), fake_pictures(24))
    assert "nearest training picture" in gallery.children[-1].value
    assert sprite_of(gallery.children[-1].value)[0, -1, 0] == 200


def test_the_class_shows_its_matrix_and_what_the_number_rests_on() -> None:
    gallery = Gallery(lambda: None, lambda error: None)
    gallery.show(fake_report(), 0, 0, column("right class"), fake_pictures(24))
    cells = re.findall(r"<td[^>]*>(\d*)</td>", gallery.children[-1].value)
    assert cells == ["", "6", "6", "6", "6"]
    assert "extractor &lt;ours&gt;" in gallery.children[-1].value


def test_unreliable_numbers_and_missing_pictures_are_told() -> None:
    gallery = Gallery(lambda: None, lambda error: None)
    gallery.show(fake_report(), 0, 0, column("Fréchet"), None)
    assert "Unreliable: 24 pictures" in gallery.children[-1].value
    assert "The pictures of this report are not on this machine" in gallery.children[-1].value


def test_large_pictures_are_made_small() -> None:
    large: Any = np.zeros((256, 256), np.uint8)
    assert strip([large, np.zeros((256, 256, 3), np.uint8)], MOST_SIDE_PX).shape == (MOST_SIDE_PX, 2 * MOST_SIDE_PX, 3)
    assert strip([large[:64, :64], large], MOST_SIDE_PX).shape == (MOST_SIDE_PX, 2 * MOST_SIDE_PX, 3), (
        "and small ones as large"
    )


def test_tiles_show_their_own_part_of_the_sprite() -> None:
    assert "background-position:0 50.0000%" in macro("screen.html", "tile", 1, 3, 3, "a")
    assert "background-position:0 0.0000%" in macro("screen.html", "tile", 0, 1, 3, "a")
    assert 'aria-label="&lt;b&gt;"' in macro("screen.html", "tile", 0, 1, 3, "<b>")

"""Where one is in a data folder, whatever keys are pressed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgegan_widget.data.audit.decisions import read_decisions
from edgegan_widget.data.catalog import Catalog, Wanted
from edgegan_widget.panels.data.leafing import Leafing
from tests.prepare.test_catalog import write_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leafing")
    write_manifest(folder, [{"blurred": 0.6} if number % 3 == 0 else {} for number in range(11)])
    return folder


def test_pages_and_focus(folder: Path) -> None:
    leafing = Leafing(Catalog(folder), 4)
    assert leafing.pages == 3
    leafing.turn(1)
    assert [each.id for each in leafing.shown] == ["p4", "p5", "p6", "p7"]
    leafing.move(-1)
    assert (leafing.page, leafing.slot) == (0, 3), "keys go over the page's edge"
    leafing.turn(9)
    assert [each.id for each in leafing.shown] == ["p8", "p9", "p10"]
    leafing.move(99)
    assert leafing.targets == [10]
    leafing.want(Wanted("blurred"))
    assert (leafing.at, len(leafing.numbers)) == (0, 4)
    leafing.want(Wanted("dark"))
    assert (leafing.pages, leafing.shown, leafing.targets) == (1, [], [])
    leafing.decide("accept")
    assert not leafing.catalog.can_undo


def test_a_decision_goes_on_to_the_next_and_undo_comes_back(folder: Path) -> None:
    leafing = Leafing(Catalog(folder), 4)
    leafing.want(Wanted("refused"))
    leafing.decide("accept")
    leafing.decide("refuse")
    assert leafing.at == 2
    assert leafing.numbers.tolist() == [0, 3, 6, 9], "what was decided stays in sight"
    leafing.turn(0)
    leafing.undo()
    assert leafing.targets == [3]
    leafing.undo()
    assert leafing.targets == [0]
    assert read_decisions(folder / "audit.csv") == {}


def test_chosen_pictures_are_decided_together(folder: Path) -> None:
    leafing = Leafing(Catalog(folder), 4)
    for slot in (1, 3, 2, 2):
        leafing.toggle(slot)
    assert leafing.targets == [1, 3]
    leafing.decide("refuse")
    assert read_decisions(folder / "audit.csv") == {"p1": "refuse", "p3": "refuse"}
    assert leafing.targets == [2], "nothing is chosen any more"
    leafing.undo()
    assert read_decisions(folder / "audit.csv") == {}


MOVES = st.one_of(
    st.tuples(st.just("move"), st.integers(-5, 5)),
    st.tuples(st.just("turn"), st.integers(-2, 2)),
    st.tuples(st.just("focus"), st.integers(0, 3)),
    st.tuples(st.just("toggle"), st.integers(0, 3)),
    st.tuples(st.just("decide"), st.sampled_from(["accept", "refuse", ""])),
    st.tuples(st.just("want"), st.builds(Wanted, st.sampled_from(["all", "refused", "open", "refuse", "dark"]))),
    st.tuples(st.just("undo")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MOVES, max_size=15))
def test_whatever_is_pressed_the_focus_is_on_the_shown_page(folder: Path, moves: list[tuple[object, ...]]) -> None:
    (folder / "audit.csv").unlink(missing_ok=True)
    leafing = Leafing(Catalog(folder), 4)
    for name, *arguments in moves:
        getattr(leafing, str(name))(*arguments)
        shown = [each.number for each in leafing.shown]
        assert 0 <= leafing.page < leafing.pages
        assert leafing.chosen <= set(leafing.numbers.tolist())
        if shown:
            assert leafing.numbers[leafing.at] == shown[leafing.slot]
        else:
            assert not leafing.targets
    while leafing.catalog.can_undo:
        leafing.undo()
    assert read_decisions(folder / "audit.csv") == {}

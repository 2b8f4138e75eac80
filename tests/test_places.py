"""Who gets a place on a shared dashboard, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgegan_widget.app.dashboard.places import GONE_SECONDS, RELOAD_SECONDS, Places
from edgegan_widget.app.dashboard.sharing import Sharing, free_mb, pages_that_fit
from edgegan_widget.base.errors import ConfigError
from tests.certificate import certificate


class House:
    """Places, a clock that is moved by hand, and the kernels that run."""

    def __init__(self, most: int) -> None:
        self.now, self.kernels = 0.0, set[str]()
        self.places = Places(most, self.kernels.__contains__, lambda: self.now)

    def open(self, visitor: str, kernel: str = "") -> bool:
        if not self.places.enter(visitor).free:
            return False
        self.kernels.add(kernel or visitor)
        self.places.opened(visitor, kernel or visitor)
        return True

    def close(self, kernel: str) -> None:
        self.kernels.remove(kernel)

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_as_many_as_there_are_places_and_the_others_in_their_order() -> None:
    house = House(2)
    assert house.open("a")
    assert house.open("b")
    assert [house.places.enter(name).place for name in "cde"] == [1, 2, 3]
    house.wait(2)
    assert [house.places.ask(name).place for name in "edc"] == [3, 2, 1], "asking changes nothing"
    house.close("a")
    house.places.ask("c")
    house.wait(RELOAD_SECONDS)
    assert not house.open("e"), "others were here before"
    assert not house.places.ask("d").free
    assert house.places.ask("c").free
    assert house.open("c")
    assert [house.places.ask(name).place for name in "de"] == [1, 2]


def test_a_page_that_is_loaded_anew_keeps_its_place() -> None:
    house = House(1)
    assert house.open("a", "first")
    assert not house.open("b")
    house.close("first")
    assert not house.places.ask("b").free, "a may be loading the page anew"
    assert house.open("a", "second")
    assert not house.places.ask("b").free


def test_a_page_that_is_loaded_anew_before_its_kernel_has_ended_keeps_its_place() -> None:
    house = House(1)
    assert house.open("a", "first")
    assert not house.open("b")
    assert house.places.enter("a").place == 2, "the kernel of before still runs"
    house.close("first")
    assert not house.places.ask("b").free
    house.wait(RELOAD_SECONDS + 1)
    assert not house.places.ask("b").free, "a is slow to ask, and asks"
    assert house.open("a", "second")
    assert house.places.ask("b").place == 1


def test_one_who_sleeps_holds_nobody_up_and_one_who_went_is_forgotten() -> None:
    house = House(1)
    assert house.open("a")
    assert not house.open("asleep")
    for _ in range(5):
        house.wait(2)
        assert house.places.ask("awake").place == 2
    house.close("a")
    house.places.ask("awake")
    house.wait(RELOAD_SECONDS)
    assert house.open("awake")
    assert house.places.ask("asleep").place == 1, "and kept the place in the queue"
    house.wait(GONE_SECONDS)
    assert house.places.waiting == 0


def test_a_page_that_fails_gives_its_place_back() -> None:
    house = House(1)
    assert house.places.enter("a").free
    assert not house.places.enter("b").free, "a's kernel is on its way"
    house.places.failed("a")
    assert house.places.ask("b").free


def test_many_who_wait_ask_more_seldom() -> None:
    house = House(1)
    assert house.open("a")
    asked = [house.places.ask(str(number)).again_seconds for number in range(1000)]
    assert asked[0] == 2
    assert asked[-1] == 20


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(["enter", "ask", "close", "wait"]), st.integers(0, 7)), max_size=80),
)
def test_whatever_happens_there_are_never_more_pages_than_places(most: int, steps: list[tuple[str, int]]) -> None:
    house, opened = House(most), 0
    for step, who in steps:
        if step == "enter":
            opened += 1
            house.open(str(who), f"kernel {opened}")
        elif step == "close" and house.kernels:
            house.close(sorted(house.kernels)[who % len(house.kernels)])
        elif step == "ask":
            house.places.ask(str(who))
        else:
            house.wait(who)
        assert len(house.kernels) <= most
    house.kernels.clear()
    assert house.places.pages == []
    house.wait(GONE_SECONDS)
    assert house.open("last"), "and in the end there is one"


def test_pages_follow_from_the_memory_that_is_free() -> None:
    assert pages_that_fit(16_000, 160) == 80
    assert pages_that_fit(1) == 1
    assert Sharing().places() == pytest.approx(pages_that_fit(free_mb()), rel=0.5)
    assert Sharing().places(with_engine=True) > Sharing().places()
    assert Sharing(most_pages=3).places(with_engine=True) == 3


@pytest.mark.parametrize(
    ("given_settings", "told"),
    [
        ({"most_pages": -1}, "most_pages is -1; it must be at least 0"),
        ({"page_mb": 10}, "page_mb is 10; it must be at least 300"),
        ({"public": True}, "give --certfile and --keyfile"),
        ({"certfile": "a.pem"}, "give both"),
        ({"certfile": "none.pem", "keyfile": "none.pem"}, "cannot be used"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(given_settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Sharing(**given_settings)  # type: ignore[arg-type]


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        certificate(tmp_path / name)
    Sharing(public=True, certfile=str(tmp_path / "one.cert"), keyfile=str(tmp_path / "one.key"))
    with pytest.raises(ConfigError, match="PEM files that belong together"):
        Sharing(certfile=str(tmp_path / "one.cert"), keyfile=str(tmp_path / "other.key"))

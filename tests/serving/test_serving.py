"""A real server on a real Ray of its own, and clients as pages have them."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from websockets.sync.client import ClientConnection, connect

from edgegan_widget.base.errors import ConfigError, DependencyError, MessageError, ModelError, ServerError, StoppedError
from edgegan_widget.base.result import Asked, Result
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.remote.wire import PATH, Kind, Message, decode, encode
from tests.fake_evaluations import write_model
from tests.serving.malformed import drawn, malformed
from tests.serving.server import TOKEN, RunningServer, sketch_of

pytestmark = pytest.mark.timeout(900)
CLIENTS = 16


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    try:
        started = RunningServer()
    except DependencyError as error:
        pytest.skip(f"no tests of a server: {error}")
    with started as running:
        yield running


@pytest.fixture(scope="module")
def local() -> EdgeGAN:
    return EdgeGAN.from_pretrained("default", "cpu")


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """A model of two classes that has learned nothing."""
    return write_model(tmp_path / "small", 1)


def nearly(one: Result, other: Result) -> bool:
    """The same pictures up to the rounding of the last digit."""
    names = [name for name in ("images", "edges", "alpha") if getattr(other, name) is not None]
    return one.images.shape == other.images.shape and all(
        np.abs(getattr(one, name).astype(int) - getattr(other, name)).max() <= 1 for name in names
    )


def raw(server: RunningServer) -> ClientConnection:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return connect(server.url.replace("http", "ws") + PATH, additional_headers=headers, compression=None)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What so many threads find; an error is found too."""
    found: list[object] = [None] * count

    def one(number: int) -> None:
        try:
            found[number] = work(number)
        except Exception as error:  # told to the test
            found[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_several_models_more_than_an_engine_keeps(local: EdgeGAN, small_folder: Path) -> None:
    """Each draws by its name, also when it was let go for others and is asked for again; two engines are kept."""
    named = [f"{name}={small_folder}" for name in ("second", "third", "fourth")]
    options = [option for model in ("default", *named) for option in ("--model", model)]
    small = EdgeGAN.from_pretrained(small_folder, "cpu")
    with RunningServer(*options, replicas="auto") as server:
        assert len(server.ready()) == 2
        first = server.connect()
        assert first.models == ("default", "second", "third", "fourth")
        for _ in range(2):
            assert nearly(first.generate(sketch_of(3), 1), local.generate(sketch_of(3), 1))
            for name in first.models[1:]:
                other = first.other(name)
                assert other.classes == small.classes
                assert nearly(other.generate(sketch_of(3), 1), small.generate(sketch_of(3), 1))
        with pytest.raises(ModelError, match=r"no model called 'none'; it has default, second, third, fourth\."):
            first.other("none")
        first.close()


def test_it_is_the_local_model_elsewhere(server: RunningServer, local: EdgeGAN) -> None:
    engine = server.connect()
    assert (engine.classes, engine.size_px, engine.sketch_px) == (local.classes, local.size_px, local.sketch_px)
    assert (engine.alpha, engine.can_guess, engine.advice) == (local.alpha, local.can_guess, local.advice)
    assert engine.styles("sneaker") == local.styles("sneaker")
    assert engine.device_name == f"CPU at 127.0.0.1:{server.port}"
    assert (engine.mode, engine.models) == ("onnxruntime, 1 thread", ("default",))
    sketch = sketch_of()
    for options in ({}, {"seed": 3}, {"seed": 2, "style": "#2060c0"}, {"style": 4, "variations": 3}):
        assert nearly(engine.generate(sketch, "heel", **options), local.generate(sketch, "heel", **options))
    assert engine.guess(sketch) == local.guess(sketch)
    ends = Asked(sketch, "heel"), Asked(sketch_of(4), "sock", seed=1)
    assert nearly(engine.interpolate(*ends, frames=5), local.interpolate(*ends, frames=5))
    engine.close()


def test_engines_load_no_torch(server: RunningServer) -> None:
    for engine in server.engines():
        assert "libtorch" not in Path(f"/proc/{engine.pid}/maps").read_text()


def test_what_cannot_be_asked_is_told_as_by_a_local_model(server: RunningServer, local: EdgeGAN) -> None:
    engine = server.connect()
    for options in ({"style": 99}, {"style": "blue"}, {"seed": -1}, {"variations": 0}, {"closeness": 2.0}):
        with pytest.raises(ConfigError) as here:
            local.generate(sketch_of(), 0, **options)
        with pytest.raises(ConfigError) as there:
            engine.generate(sketch_of(), 0, **options)
        assert str(there.value) == str(here.value)
    with pytest.raises(ConfigError, match="this model knows backpack"):
        engine.generate(sketch_of(), "cow")
    with pytest.raises(ModelError, match="the server has no model called 'other'; it has default"):
        server.connect(model="other")


def test_only_the_token_opens(server: RunningServer) -> None:
    for token in ("", "wrong", TOKEN + "x"):
        with pytest.raises(ServerError, match="refuses this token"):
            EdgeGAN.connect(server.url, token=token)
    assert EdgeGAN.connect(f"{server.url}/?token={TOKEN}").classes
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/models")
    assert refused.value.code == 401
    refused.value.close()
    with urllib.request.urlopen(f"{server.url}/models?token={TOKEN}") as answer:
        assert b'"default"' in answer.read()
    with urllib.request.urlopen(f"{server.url}/health") as answer:
        assert answer.status == 200


def test_many_are_drawn_together(server: RunningServer, local: EdgeGAN) -> None:
    engines = [server.connect() for _ in range(CLIENTS)]
    draws, batches = ("edgegan_seconds_count", 'kind="draw"'), ("edgegan_batch_pictures_count", "")
    time.sleep(5.0)  # figures come every two seconds
    before = server.metric(*draws), server.metric(*batches)
    found = at_once(CLIENTS, lambda n: [engines[n].generate(sketch_of(n), n % 18, seed=seed) for seed in range(3)])
    for number, results in enumerate(found):
        assert isinstance(results, list), results
        assert nearly(results[2], local.generate(sketch_of(number), number % 18, seed=2))
    deadline = time.monotonic() + 60
    pictures = 0.0
    while pictures < 3 * CLIENTS and time.monotonic() < deadline:
        time.sleep(0.5)
        pictures = server.metric(*draws) - before[0]
    assert pictures == 3 * CLIENTS
    assert server.metric(*batches) - before[1] < pictures


def test_the_newest_wins(server: RunningServer, local: EdgeGAN) -> None:
    engine = server.connect()
    coming = [engine.begin(sketch_of(), 3, seed=seed, variations=2) for seed in range(20)]
    overtaken = 0
    for one in coming[:-1]:
        try:
            one.result()
        except StoppedError:
            overtaken += 1
    assert nearly(coming[-1].result(), local.generate(sketch_of(), 3, seed=19, variations=2))
    assert overtaken >= 10, "an engine has two batches at most; what waits is replaced"


# websockets keeps its connections alive with pings, which take their numbers from the same module, in threads
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
def test_what_is_malformed_is_answered_and_the_server_lives(server: RunningServer) -> None:
    with raw(server) as socket:

        @settings(max_examples=100, deadline=None)
        @given(malformed)
        def is_answered(frame: bytes) -> None:
            try:
                decode(frame)
            except MessageError:
                socket.send(frame)
                answer = decode(socket.recv(timeout=60))
                assert answer.kind == Kind.ERROR
                assert answer.body["error"] in ("MessageError", "ServerError"), "or there were too many in a second"

        is_answered()
        socket.send(encode(Message(Kind.DRAW, 9, drawn(patience_ms=60_000))))
        assert decode(socket.recv(timeout=60)).kind == Kind.PICTURES, "the same connection goes on"


def test_size_and_rate_are_limited(server: RunningServer) -> None:
    with raw(server) as socket:
        socket.send(bytes(5_000_000))
        assert "at most 4,000,000 are allowed" in decode(socket.recv(timeout=60)).body["text"]
        socket.send("text")
        assert "send binary frames" in decode(socket.recv(timeout=60)).body["text"]
        for number in range(1000):
            socket.send(encode(Message(Kind.CANCEL, number, {})))
        assert "more than 120 requests a second" in decode(socket.recv(timeout=60)).body["text"]


def test_an_engine_that_is_killed_loses_nothing(server: RunningServer, local: EdgeGAN) -> None:
    engines, stop = [server.connect() for _ in range(8)], threading.Event()
    before = {engine.pid for engine in server.engines()}
    assert len(before) == 2

    def draw(number: int) -> int:
        count = 0
        while not stop.is_set():
            result = engines[number].generate(sketch_of(number), number, seed=count)
            count += 1
        assert nearly(result, local.generate(sketch_of(number), number, seed=count - 1))
        return count

    def kill() -> None:
        time.sleep(2.0)
        server.engines()[0].kill()
        time.sleep(6.0)
        stop.set()

    found = at_once(9, lambda number: kill() if number == 8 else draw(number))
    assert all(isinstance(count, int) and count > 0 for count in found[:8]), found
    deadline = time.monotonic() + 120
    while len({engine.pid for engine in server.engines()}) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    after = {engine.pid for engine in server.engines()}
    assert len(after) == 2
    assert len(after - before) == 1, "another one takes its place"


def test_a_drain_answers_what_was_taken(server: RunningServer, local: EdgeGAN) -> None:
    """The last one: the server is gone then. How one that comes back is found is a test of ``test_page_engine.py``."""
    engines = [server.connect() for _ in range(4)]
    late = server.connect(patience_seconds=5.0)
    coming = [engine.begin(sketch_of(), number, seed=1, variations=8) for number, engine in enumerate(engines)]
    for engine in engines:
        assert engine.guess(sketch_of()), "what came before over the same connection was taken too"
    server.ask_to_end()
    for number, one in enumerate(coming):
        assert nearly(one.result(), local.generate(sketch_of(), number, seed=1, variations=8))
    assert server.end() == 0
    with pytest.raises(ServerError, match=r"^the server http://127\.0\.0\.1:\d+ cannot be reached \(.*\); check the"):
        late.generate(sketch_of(), 0)
    with pytest.raises(ServerError, match="cannot be reached"):
        EdgeGAN.connect(server.url, token=TOKEN)

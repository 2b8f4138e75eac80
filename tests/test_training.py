from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from edgegan_widget.base.errors import ConfigError, DataError, TrainingError
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.store import load_critics, load_model, load_state
from edgegan_widget.training import loop as training
from edgegan_widget.training import trainer as trainers
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.kinds import kind_of
from edgegan_widget.training.loop import train
from edgegan_widget.training.recipes.common import TensorFlowRMSProp, adam, load_optimizer
from edgegan_widget.training.runs.jobs import Run, start_run
from edgegan_widget.training.stepping import Stepper
from edgegan_widget.training.trainer import Trainer
from tests.parity.original import golden
from tests.small import pictures_of
from tests.small import small_run as small

CPU = torch.device("cpu")
BFLOAT16 = pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="no such instructions here: they would be imitated for minutes"
)


def flat(state: object, prefix: str = "") -> dict[str, object]:
    """Every leaf of a nested state by its path."""
    if isinstance(state, dict):
        items = state.items()
    elif isinstance(state, (list, tuple)):
        items = enumerate(state)
    else:
        return {prefix: state}
    found: dict[str, object] = {}
    for name, value in items:
        found |= flat(value, f"{prefix}/{name}")
    return found


def assert_same(ours: object, theirs: object, tolerance: float = 0.0) -> None:
    mine, others = flat(ours), flat(theirs)
    assert mine.keys() == others.keys()
    for name, value in mine.items():
        if isinstance(value, torch.Tensor) and tolerance and value.is_floating_point():
            assert torch.allclose(value, others[name], atol=tolerance, rtol=tolerance), name
        else:
            same = torch.equal(value, others[name]) if isinstance(value, torch.Tensor) else value == others[name]
            assert same, name


def last_state(run: Path) -> dict[str, object]:
    return load_state(run / "checkpoints" / "last.pt", CPU)


@pytest.mark.parametrize(
    ("preset", "precision"),
    [("paper", "float32"), ("projected", "float32"), pytest.param("projected", "bfloat16", marks=BFLOAT16)],
)
def test_resuming_equals_never_having_stopped(preset: str, precision: str, shapes: Path, tmp_path: Path) -> None:
    def config(out: str) -> TrainConfig:
        return small(preset, shapes, tmp_path / out, precision=precision, ema_decay=0.9)

    for _ in train(config("straight")):
        pass
    broken = Trainer(pictures_of(config("broken")), config("broken"), CPU)
    broken.stop_requested = lambda: broken.step == 3
    assert [progress.step for progress in broken] == [1, 2, 3], "the first steps are told one by one"
    training.Recorder(config("broken"), CPU).save(broken.state_dict(), broken.recipe, {}, 3, None)
    assert [progress.step for progress in train(config("broken"), resume=True)] == [4, 5, 6, 7, 8]
    assert_same(last_state(tmp_path / "straight"), last_state(tmp_path / "broken"))


@pytest.mark.parametrize("preset", ["paper", "projected"])
def test_a_run_leaves_models_samples_and_records(preset: str, shapes: Path, tmp_path: Path) -> None:
    reports = list(train(small(preset, shapes, tmp_path)))
    last = reports[-1]
    assert (last.step, last.steps, last.epoch) == (8, 8, 2)
    assert all(value == value for value in last.losses.values())
    assert last.losses.keys() == kind_of(preset).losses.keys(), "of each is told what it says"
    assert last.memory_mb > 50
    assert last.score is not None
    run = Run(tmp_path)
    assert run.new_metrics()[-1]["losses"] == last.losses
    shown = list(run.samples("sketches"))
    assert (shown[0], shown[-1]) == (1, 8), "between them as often as the clock says"
    assert list(run.samples("latents" if preset == "paper" else "styles")) == shown
    assert list(run.checkpoints()) == ["best", "last"]
    status = run.status()
    assert (status.state, status.step, status.active) == ("finished", 8, False)
    assert "saved at step 8" in run.log()
    assert EdgeGAN.from_pretrained(tmp_path, "cpu").classes == ("ball", "box")
    assert load_critics(tmp_path) is not None
    record = json.loads((tmp_path / "config.json").read_text())
    assert record["settings"]["preset"] == preset
    assert {"edgegan_widget", "commit", "hardware", "seed", "torch"} <= record.keys()
    assert run.config() == small(preset, shapes, tmp_path)


def test_tensorboard_events_are_written_where_it_is_installed(shapes: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    list(train(small("projected", shapes, tmp_path, epochs=1)))
    assert [path.name[:19] for path in (tmp_path / "tensorboard").iterdir()] == ["events.out.tfevents"]


def test_a_run_is_not_overwritten_and_can_be_resumed(shapes: Path, tmp_path: Path) -> None:
    config = small("projected", shapes, tmp_path)
    first = train(config)
    next(iter(first))
    first.close()
    with pytest.raises(TrainingError, match="already holds a run; add --resume"):
        train(config)
    longer = small("projected", shapes, tmp_path, epochs=3)
    assert list(train(longer, resume=True))[-1].step == 12
    assert [line["step"] for line in Run(tmp_path).new_metrics()] == list(range(1, 13))


def test_stopping_the_iteration_saves(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for progress in train(small("projected", shapes, tmp_path)):
        if progress.step == 3:
            break
    del progress
    assert last_state(tmp_path)["step"] == 3
    assert Run(tmp_path).status().state == "stopped"


def test_reports_after_the_saved_state_are_taken_back(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small("projected", shapes, tmp_path)
    for progress in train(config):
        if progress.step == 2:
            break
    del progress
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text(metrics.read_text() + '{"step": 3, "losses": {}}\n{"step"')  # as a killed process leaves it
    list(train(config, resume=True))
    assert [line["step"] for line in Run(tmp_path).new_metrics()] == list(range(1, 9))


@pytest.mark.parametrize(
    ("made_by", "message"),
    [
        ("compact", "'compact', a recipe that 'projected' took the place of"),
        ("paper", "was made by the recipe 'paper' and cannot go on with 'projected'; resume it"),
    ],
)
def test_a_run_of_another_recipe_cannot_be_resumed(made_by: str, message: str, shapes: Path, tmp_path: Path) -> None:
    config = small("projected", shapes, tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.pt").touch()
    (tmp_path / "config.json").write_text(json.dumps({"settings": {"preset": made_by}}))
    for begin in (train, start_run):
        with pytest.raises(ConfigError, match=message):
            begin(config, resume=True)
    assert not (tmp_path / "launch.json").exists()


def test_other_classes_cannot_be_resumed(shapes: Path, tmp_path: Path) -> None:
    config = small("projected", shapes, tmp_path, epochs=1)
    list(train(config))
    with pytest.raises(TrainingError, match="trained on ball, box, the data has box, ball"):
        Trainer(pictures_of(config).only(["box", "ball"]), config, CPU, last_state(tmp_path))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"batch_size": 32}, TrainingError, "16 training pictures, fewer than one batch of 32"),
        ({"data": ""}, ConfigError, "data is empty"),
        ({"out": ""}, ConfigError, "out is empty"),
        ({"data": "nowhere"}, ConfigError, "'nowhere', which does not exist"),
        ({"classes": ("cat",)}, DataError, "no folder for cat; it holds ball, box"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    changes: dict[str, object], kind: type[Exception], message: str, shapes: Path, tmp_path: Path
) -> None:
    given = {"data": str(shapes), "out": str(tmp_path / "run")} | changes
    with pytest.raises(kind, match=message):
        train(small("projected", **given))
    assert not (tmp_path / "run").exists()


def test_a_class_without_pictures_and_a_broken_picture(shapes: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("ball", "box"):
        (data / "train" / name).mkdir(parents=True)
    for path in (shapes / "train" / "ball").iterdir():
        (data / "train" / "ball" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="box holds no readable picture"):
        train(small("projected", data, tmp_path / "run"))
    good = next((shapes / "train" / "box").iterdir()).read_bytes()
    (data / "train" / "box" / "good.png").write_bytes(good)
    (data / "train" / "box" / "cut.png").write_bytes(good[:200])
    assert list(train(small("projected", data, tmp_path / "run", epochs=1)))[-1].step == 2


@pytest.mark.parametrize("preset", ["paper", "projected"])
def test_a_loss_that_is_not_finite_stops_the_run_within_a_step(
    preset: str, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "REPORT_EVERY_STEPS", 2)
    monkeypatch.setattr(trainers, "FIRST_STEPS", 0)
    maker = kind_of(preset).step().Recipe
    inputs = maker.inputs

    def poisoned(self: object, data: object, index: int) -> dict[str, torch.Tensor]:
        given = dict(inputs(self, data, index))
        if index == 5:
            given["images"] = torch.full_like(given["images"], float("inf"))
        return given

    monkeypatch.setattr(maker, "inputs", poisoned)
    config = small(preset, shapes, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"the loss discriminator_.* no longer finite at step 6; .*--lr"):
        list(train(config))
    monkeypatch.setattr(maker, "inputs", inputs)
    state = last_state(tmp_path / "run")
    assert state["step"] == 4, "the last state that was looked at and found finite"
    untouched = Trainer(pictures_of(config), config, CPU)
    untouched.stop_requested = lambda: untouched.step == 4
    list(untouched)
    untouched.recipe.before_saving(untouched.data)
    assert_same({name: state[name] for name in untouched.state_dict()}, untouched.state_dict())
    status = Run(tmp_path / "run").status()
    assert status.state == "failed"
    assert "no longer finite at step 6" in status.message
    assert list(train(config, resume=True))[-1].step == 8


def test_halves_of_a_batch_give_the_whole_batchs_step(shapes: Path) -> None:
    """With both halves alike, since the batch norm of the generators sees each half by itself."""
    states = []
    for parts in (1, 2):
        trainer = Trainer(pictures_of(small("paper"), shapes), small("paper"), CPU)
        given = trainer.recipe.inputs(trainer.data, 0)
        alike = {name: torch.cat([value[:2], value[:2]]) if value.dim() else value for name, value in given.items()}
        Stepper(trainer.recipe, parts)(alike, 0, 1.0)
        states.append(trainer.recipe.networks.state_dict() | trainer.recipe.critics.state_dict())
    assert_same(*states, tolerance=1e-5)


def test_memory_that_runs_out_halves_the_batch_once(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    maker = kind_of("projected").step().Recipe
    updates = maker.updates

    def short_of_memory(self: object, parts: list[object], variant: object) -> object:
        calls.append(len(parts))
        if len(parts) == 1 and len(calls) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return updates(self, parts, variant)

    monkeypatch.setattr(maker, "updates", short_of_memory)
    with caplog.at_level(logging.WARNING):
        assert list(train(small("projected", shapes, tmp_path)))[-1].step == 8
    assert calls == [1, 1, 1, 1, *[2] * 5], "back to the last kept state, that of the step before, then in halves"
    assert "two halves" in caplog.text
    assert "two halves" in Run(tmp_path).log()
    assert last_state(tmp_path)["parts"] == 2

    def never_enough(self: object, parts: list[object], variant: object) -> object:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(maker, "updates", never_enough)
    with pytest.raises(TrainingError, match="even with half of the batch at a time; give a smaller --batch-size"):
        list(train(small("projected", shapes, tmp_path / "none")))


def test_a_full_disk_is_one_sentence_and_keeps_what_was_saved(shapes: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(small("projected", shapes, run, epochs=1)))
    before = (run / "checkpoints" / "last.pt").read_bytes()
    # A limit on the size of files stands for a full disk: the system refuses to write beyond it.
    limited = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2},) * 2); "
    limited += "sys.argv = sys.argv[1:]; runpy.run_module('edgegan_widget', run_name='__main__')"
    command = ["train", "--out", str(run), "--epochs", "2", "--resume", "--quiet"]
    words = [sys.executable, "-c", limited, "edgegan_widget", *command]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "the disk is full; what was saved before is whole" in ended.stderr
    assert (run / "checkpoints" / "last.pt").read_bytes() == before
    assert not list(run.rglob("*.tmp"))
    assert "the disk is full" in Run(run).status().message
    assert list(train(small("projected", shapes, run, epochs=2), resume=True))[-1].step == 8


def test_a_deleted_run_folder_is_made_again(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from edgegan_widget.training.runs import record as records

    monkeypatch.setattr(records, "_tensorboard", lambda folder: None)  # its own thread would complain
    for progress in train(small("projected", shapes, tmp_path / "run")):
        if progress.step == 2:
            shutil.rmtree(tmp_path / "run")
    assert last_state(tmp_path / "run")["step"] == 8


def test_samples_give_way_to_the_disk_limit(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgegan_widget.training.runs import record as records

    monkeypatch.setattr(records, "MOST_SAMPLES", 4)
    list(train(small("projected", shapes, tmp_path / "run", save_every_seconds=0.0)))
    steps = list(Run(tmp_path / "run").samples("styles"))
    assert len(steps) <= 4
    assert steps[-2:] == [7, 8]
    with pytest.raises(TrainingError, match="more than disk_limit_mb = 1"):
        list(train(small("projected", shapes, tmp_path / "large", disk_limit_mb=1)))
    assert last_state(tmp_path / "large")["step"] == 8


def test_the_rate_falls_at_the_end(shapes: Path) -> None:
    config = small("projected", shapes, decay_fraction=0.5)
    trainer = Trainer(pictures_of(config), config, CPU)
    factors = []
    for trainer.step in range(8):
        factors.append(trainer._rate_factor())
    assert factors == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_rmsprop_as_tensorflow_has_it() -> None:
    micro = golden("micro")
    parameter = torch.nn.Parameter(torch.from_numpy(micro["rms_p0"]).clone())
    optimizer = TensorFlowRMSProp([parameter], lr=2e-4)
    for step, gradient in enumerate(micro["rms_grads"]):
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        assert torch.allclose(parameter, torch.from_numpy(micro["rms_p"][step]), atol=1e-7)
        mean_square = optimizer.state[parameter]["mean_square"]
        assert torch.allclose(mean_square, torch.from_numpy(micro["rms_ms"][step]), rtol=1e-6)


def test_a_state_from_a_gpu_goes_on_without_one() -> None:
    """There the rate is a tensor and Adam is capturable, which a CPU refuses."""
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = adam([parameter], 1e-3, (0.0, 0.99))
    state = optimizer.state_dict()
    state["param_groups"][0] |= {"lr": torch.tensor(2e-3), "capturable": True}
    load_optimizer(optimizer, state)
    parameter.grad = torch.ones(3)
    optimizer.step()
    assert torch.allclose(parameter.detach(), torch.full((3,), 1 - 2e-3))


def test_it_learns_to_draw_what_it_was_shown(shapes: Path) -> None:
    config = small("projected", shapes, epochs=20)
    trainer = Trainer(pictures_of(config), config, CPU)
    reports = list(trainer)
    assert reports[-1].losses["image_l1"] < 0.75 * reports[0].losses["image_l1"]
    assert reports[-1].losses["edge_l1"] < 0.75 * reports[0].losses["edge_l1"]


@pytest.mark.parametrize("size_px", [64, 128, 256])
def test_every_size_can_be_trained(size_px: int, shapes: Path, tmp_path: Path) -> None:
    config = small("projected", shapes, tmp_path, size_px=size_px, epochs=1)
    assert list(train(config))[-1].step == 4
    model = EdgeGAN.from_pretrained(tmp_path, "cpu")
    sketch = torch.full((64, 64), 255, dtype=torch.uint8).numpy()
    assert model.generate(sketch, "ball").image.shape == (size_px, size_px, 3)


def test_memory_grows_with_the_picture_and_no_faster(shapes: Path) -> None:
    """Bytes that one step keeps for its backward passes, counted, at each size."""
    kept: dict[int, int] = {}
    for size_px in (64, 128, 256):
        config = small("projected", shapes, size_px=size_px)
        trainer = Trainer(pictures_of(config), config, CPU)
        inputs = trainer.recipe.inputs(trainer.data, 0)
        total = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel() * tensor.element_size()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            trainer.stepper(inputs, 0, 1.0)
        kept[size_px] = total
    assert 1.2 < kept[128] / kept[64] < 4.4
    assert 2.5 < kept[256] / kept[128] < 4.4


def test_a_signal_ends_the_command_after_a_whole_step(shapes: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgegan_widget", "train", str(shapes), "--out", str(tmp_path / "run")]
    options = ["--epochs", "9999", "--batch-size", "4", "--width", "4", "--device", "cpu"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert last_state(tmp_path / "run")["step"] >= 1
    assert Run(tmp_path / "run").status().state == "stopped"
    load_model(tmp_path / "run")

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks import store as checkpoint
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import read_header
from edgegan_widget.networks.store import (
    build_networks,
    load_critics,
    load_model,
    load_state,
    save_checkpoint,
    save_model,
    save_state,
)


def equal(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in a.state_dict().items())


def test_a_model_there_and_back(tmp_path: Path, small_model: ModelConfig) -> None:
    networks = build_networks(small_model)
    save_model(tmp_path / "m", networks, half=False)
    loaded = load_model(tmp_path / "m")
    assert equal(networks, loaded)
    assert loaded.config == small_model
    assert not loaded.training


def test_half_precision_on_disk(tmp_path: Path, small_model: ModelConfig) -> None:
    networks = build_networks(small_model)
    save_model(tmp_path / "whole", networks, half=False)
    save_model(tmp_path / "half", networks)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    loaded = load_model(tmp_path / "half")
    weight = "generator_image.start.weight"
    assert loaded.state_dict()[weight].dtype == torch.float32
    assert torch.allclose(loaded.state_dict()[weight], networks.state_dict()[weight], atol=1e-3)


def test_large_models_are_cut_into_shards(
    tmp_path: Path, small_model: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SHARD_BYTES", 20_000)
    networks = build_networks(small_model)
    save_model(tmp_path / "m", networks, half=False, critics={"weight": torch.zeros(4, 3)})
    files = sorted((tmp_path / "m").glob("model-*.safetensors"))
    assert len(files) > 3
    assert (tmp_path / "m" / "critics.safetensors").is_file()
    assert max(path.stat().st_size for path in files) < 30_000
    assert equal(networks, load_model(tmp_path / "m"))


def test_saving_replaces_a_model_as_a_whole(tmp_path: Path, small_model: ModelConfig) -> None:
    save_model(tmp_path / "m", build_networks(small_model))
    (tmp_path / "m" / "critics.safetensors").write_text("of the one before")
    (tmp_path / "m" / "README.md").write_text("its card")
    second = build_networks(small_model)
    save_model(tmp_path / "m", second, half=False)
    assert equal(second, load_model(tmp_path / "m"))
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_a_run_folder_is_a_model_folder(tmp_path: Path, small_model: ModelConfig) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.json", "status.json"):  # the run's own
        (run / name).write_text("{}")
    with pytest.raises(ModelError, match="is a run that has saved no checkpoint yet"):
        load_model(run)
    critics = torch.nn.Linear(3, 4)
    last, best = (build_networks(small_model).half().float() for _ in range(2))
    for name, networks in (("last", last), ("best", best)):
        save_checkpoint(run / "checkpoints" / f"{name}.safetensors", networks, critics, {"step": 7})
        assert equal(load_model(run), networks), f"the {name} one so far"
    assert equal(load_model(run / "checkpoints" / "last.safetensors"), last)
    found = load_critics(run)
    assert found is not None
    assert torch.allclose(found["weight"], critics.weight, atol=1e-3)
    assert json.loads(read_header(run / "checkpoints" / "last.safetensors")["about"]) == {"step": 7}
    (run / "checkpoints" / "best.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(ModelError, match="cannot be used"):
        load_model(run)


def test_the_shipped_model_is_found_by_name() -> None:
    assert len(load_model("default").config.classes) == 18


def test_unknown_models_are_refused_with_the_names_there_are() -> None:
    with pytest.raises(ModelError, match=r"no model called 'nothing'; give a run folder.* or one of: default"):
        load_model("nothing")


def damaged(tmp_path: Path, small_model: ModelConfig) -> Path:
    save_model(tmp_path / "m", build_networks(small_model))
    return tmp_path / "m"


def test_missing_and_broken_weights(tmp_path: Path, small_model: ModelConfig) -> None:
    folder = damaged(tmp_path, small_model)
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(ModelError, match="is missing; copy the whole model folder"):
        load_model(folder)


def test_an_index_may_not_lead_out_of_its_folder(tmp_path: Path, small_model: ModelConfig) -> None:
    folder = damaged(tmp_path, small_model)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../../secret"}}))
    with pytest.raises(ModelError, match="names a file outside its folder"):
        load_model(folder)


def test_other_classes_than_the_weights_have(tmp_path: Path, small_model: ModelConfig) -> None:
    folder = damaged(tmp_path, small_model)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"classes": ["a", "b", "c"]}))
    with pytest.raises(ModelError, match=r"3 classes.*needs .*the list of classes or the weights are from another"):
        load_model(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be used: the settings are not valid JSON"):
        load_model(folder)


@pytest.mark.parametrize("harm", ["cut", "one bit", "empty", "text"])
def test_a_damaged_training_state_is_one_sentence(harm: str, tmp_path: Path) -> None:
    """One bit within its numbers too, which torch reads without a word."""
    path = tmp_path / "s.pt"
    save_state(path, {"weights": torch.arange(4096.0)})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes({"cut": content[:900], "one bit": content, "empty": b"", "text": b"hello"}[harm])
    with pytest.raises(ModelError, match=r"s\.pt is damaged or cut short, so the run cannot go on from it; put back"):
        load_state(path, torch.device("cpu"))


def test_training_states_run_no_code(tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    save_state(tmp_path / "s.pt", {"step": 3, "weights": {"a": torch.ones(2)}})
    assert load_state(tmp_path / "s.pt", cpu)["step"] == 3
    torch.save({"code": test_training_states_run_no_code}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=r"is damaged or cut short, .* put back a copy"):
        load_state(tmp_path / "evil.pt", cpu)
    with pytest.raises(ModelError, match="does not exist; nothing to resume"):
        load_state(tmp_path / "none.pt", cpu)

"""The oldest and the newest Python, the oldest libraries: ``python3 start.py soak --only versions``.

What draws and prepares data is installed as ``pip install .`` does, without PyTorch, into environments of their own:
the oldest interpreter that is here with the lowest versions that ``setup.cfg`` allows, the newest one with the newest.
Then a part of the tests runs in each. Needs the network, and ``uv``, which goes into a throwaway environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from random import Random

__all__ = ["interpreters", "old_and_new_versions_work"]

ROOT = Path(__file__).parents[2]
TOOLS = ("pytest", "pytest-timeout", "pytest-benchmark", "hypothesis", "scikit-image")
TESTS = (
    "strokes", "raster", "trace", "svg", "saved_drawings", "files", "cases", "pad", "uploads", "without_torch",
    "prepare/programs", "prepare/labels", "prepare/bad_input", "prepare/coco_layouts", "photo/scene", "photo/place",
)  # fmt: skip
# Tests of these that train or load what only PyTorch can; each says so by its own name.
NEEDS_TORCH = "not command and not replace"
_OLDEST = (3, 10)
_NAMES = [f"python3.{minor}" for minor in range(_OLDEST[1], 20)]


def interpreters() -> dict[tuple[int, int], Path]:
    """Pythons of this machine that the package allows, by version, oldest first: on the path, and pyenv's and uv's."""
    homes = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    places = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if "shims" not in each]
    places += [folder for home in homes if home.is_dir() for folder in sorted(home.glob("*/bin"))]
    found: dict[tuple[int, int], Path] = {}
    for path in (place / name for place in places for name in _NAMES):
        if path.is_file() and (version := _version(path)) is not None and version >= _OLDEST:
            found.setdefault(version, path)
    return dict(sorted(found.items()))


def _version(path: Path) -> tuple[int, int] | None:
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    told = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    numbers = told.stdout.split()
    return (int(numbers[0]), int(numbers[1])) if told.returncode == 0 and len(numbers) == 2 else None


def old_and_new_versions_work(_trials: int, _chance: Random) -> str:
    """Install and test; fails where a test does, or an installation."""
    found = interpreters()
    assert found, "no Python of 3.10 or later with venv was found on this machine"
    oldest, newest = next(iter(found)), list(found)[-1]
    with tempfile.TemporaryDirectory() as place:
        uv = _uv(Path(place, "uv"))
        told = [
            _tested(uv, Path(place, "old"), found[oldest], ("--resolution", "lowest-direct"), "lowest versions"),
            _tested(uv, Path(place, "new"), found[newest], (), "newest versions"),
        ]
    return "; ".join(told)


def _uv(place: Path) -> Path:
    venv.create(place, with_pip=True)
    _run([place / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"])
    return place / "bin" / "uv"


def _tested(uv: Path, place: Path, python: Path, way: tuple[str, ...], about: str) -> str:
    _run([uv, "venv", "--quiet", "--python", python, place])
    _run([uv, "pip", "install", "--quiet", "--python", place, *way, str(ROOT)])
    _run([uv, "pip", "install", "--quiet", "--python", place, *TOOLS])
    command = [place / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NEEDS_TORCH, *_files()]
    # Old libraries warn of newer ones beside them, which is not ours to mend.
    said = _run([*command, "-W", "ignore::DeprecationWarning"], OMP_NUM_THREADS="1")
    passed = re.search(r"\d+ passed", said)
    version = ".".join(map(str, _version(python) or ()))
    return f"Python {version}, {about}: {passed[0] if passed else 'nothing'} of the tests"


def _files() -> Iterator[str]:
    for name in TESTS:
        folder, _, stem = name.rpartition("/")
        yield str(ROOT / "tests" / folder / f"test_{stem}.py")


def _run(command: list[object], **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment = kept | {"PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command[:6]))} ...\n{(done.stdout + done.stderr)[-3000:]}"
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(old_and_new_versions_work(1, Random(0)) + "\n")

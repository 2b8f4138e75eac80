#!/usr/bin/env python3
"""Sets up everything and starts it: ``python3 start.py`` opens the page; ``test`` runs the tests, ``bench`` measures,
``soak`` holds the promises over many trials.

Needs Python 3.10 or later with pip and venv, nothing else. What is installed goes into ``.venv`` beside this file. On a
machine without an NVIDIA GPU the small CPU build of PyTorch is taken, never the one with gigabytes of CUDA.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Processes that run side by side with a pool of threads each wait for one another far longer than they compute.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# Begun first, so that none of them is what all wait for in the end.
LONGEST = (
    "tests/parity",
    "tests/test_training.py",
    "notebooks",
    "tests/test_finetuning.py",
    "tests/test_projected.py",
    "tests/test_distributed.py",
    "tests/test_evaluation.py",
    "tests/test_evaluation_folder.py",
    "tests/test_cli.py",
    "tests/prepare",
)  # begun first
FINE = (0, 5)  # 5 is pytest's word for nothing selected: what was asked for may be in the other part
TORCH = "2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever runs this has not installed anything yet
        print(f"start.py runs on Python {platform.python_version()}; Python 3.10 or later is needed.")
        return 1
    if sys.argv[1:2] == ["test"]:
        install_for_tests()
        return run_tests(sys.argv[2:])
    if sys.argv[1:2] == ["bench"]:
        install_for_tests()
        return run(["-m", "tests.benchmarks", *(sys.argv[2:] or ["draw"])])
    if sys.argv[1:2] == ["soak"]:
        install("test")
        return run(["-m", "tests.soak", *sys.argv[2:]], **ONE_THREAD)
    install("train")
    return run(["-m", "edgegan_widget", *(sys.argv[1:] or ["dashboard"])])


def run(arguments: list[str], **variables: str) -> int:
    """Run the environment's Python, with these variables of the environment; a Ctrl-C ends both."""
    try:
        return subprocess.run([str(PYTHON), *arguments], cwd=HERE, env=os.environ | variables, check=False).returncode
    except KeyboardInterrupt:
        return 130


def install_for_tests() -> None:
    """What the tests need in Python, and beside it the browser: they wait for different things."""
    browser = threading.Thread(target=install_browser)
    browser.start()
    install("test")
    browser.join()


def install(extra: str) -> None:
    """Make the environment, or bring it up to date with ``setup.cfg``."""
    done = ENVIRONMENT / f".installed{extra}"
    wanted = (HERE / "setup.cfg").read_text("utf-8")
    if PYTHON.is_file() and done.is_file() and done.read_text("utf-8") == wanted:
        return
    print("Setting up .venv (once; a few minutes) ...", flush=True)
    if not PYTHON.is_file():
        try:
            venv.create(ENVIRONMENT, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit("Python's venv is incomplete here; on Debian and Ubuntu run: apt-get install python3-venv")
    install_torch()
    install_package(extra)
    pip("rfc3987-syntax", "--yes", action="uninstall")  # jsonschema's check of IRIs: seconds of each start of Jupyter
    done.write_text(wanted, "utf-8")


def install_torch() -> None:
    """The CPU build where no NVIDIA GPU is, the usual one elsewhere; what is there already stays."""
    if subprocess.run([str(PYTHON), "-c", "import torch"], capture_output=True, check=False).returncode == 0:
        return
    plain = platform.system() != "Linux" or shutil.which("nvidia-smi") is not None
    if plain:
        pip("torch")
        return
    # A machine may hold the CPU build already, in a folder that its pip is set to look into.
    ways = ([f"torch=={TORCH}+cpu"], ["--index-url", TORCH_CPU_INDEX, "torch"])
    if not any(pip(*way, must=False) for way in ways):
        sys.exit(f"PyTorch's CPU build could not be installed; install it by hand: {PYTHON} -m pip install torch")


def install_package(extra: str) -> None:
    """By uv, in a quarter of the time; by pip where uv is not to be had, or would miss the index that pip is set to."""
    package = ("-e", f"{HERE}[{extra}]")
    if not has_own_index() and pip("uv", must=False):
        uv = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON), "--compile-bytecode"]
        if subprocess.run([*uv, *package], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
    pip(*package)


def has_own_index() -> bool:
    """Whether pip is set to take packages from elsewhere than PyPI."""
    shown = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return any(line.partition("=")[0].endswith(".index-url") for line in shown.stdout.splitlines())


def pip(*arguments: str, must: bool = True, action: str = "install") -> bool:
    command = [str(PYTHON), "-m", "pip", action, "--quiet", "--quiet", "--disable-pip-version-check", *arguments]
    quiet = None if must else subprocess.DEVNULL
    worked = subprocess.run(command, stderr=quiet, check=False).returncode == 0
    if must and not worked:
        sys.exit(f"this failed: {' '.join(command)}")
    return worked


def install_browser() -> None:
    """Chromium and nginx from Debian's packages, for the tests that look at the page, also from behind a proxy."""
    if (shutil.which("chromium") or shutil.which("google-chrome")) and shutil.which("nginx"):
        return
    can = shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0
    if can:
        print("Installing Chromium and nginx for the browser tests ...", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        subprocess.run(["apt-get", "update", "-q"], **quiet)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(
            ["apt-get", "install", "-qy", "--no-install-recommends", "chromium", "nginx-light"],
            env=environment,
            **quiet,
        )
    if shutil.which("chromium") is None:
        print("No Chromium here and no apt-get as root: the browser tests will be skipped.", flush=True)


def run_tests(options: list[str]) -> int:
    """Lint, format, types, import layers, then all tests and notebooks; every check runs, the first failure counts."""
    looks = [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    ]
    tests = [
        ["-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--nbmake", "--ignore",
         "tests/browser", "--ignore", "tests/serving", *LONGEST, "tests", *options],
        ["-m", "pytest", "-n", "2", "--dist", "loadfile", "tests/browser", *options],  # beside heavier ones they starve
    ]  # fmt: skip
    # A server takes its time to start and little of the processor; beside more than one other thing it starves.
    with beside(["-m", "pytest", "tests/serving", *options], **ONE_THREAD) as serving:
        failed = [look[1] for look in looks if not passes(look)]
    if serving.returncode not in FINE:
        failed.append("pytest tests/serving")
    failed += [test[1] for test in tests if not passes(test)]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


def passes(check: list[str]) -> bool:
    """Whether one check ends well; what it says is shown."""
    print(f"\n=== {' '.join(check[1:3])}", flush=True)
    return run(check, **ONE_THREAD) in FINE


@contextmanager
def beside(arguments: list[str], **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the environment's Python while something else is done; what it says is shown in the end."""
    with tempfile.TemporaryFile("w+") as said:
        command = [str(PYTHON), *arguments]
        process = subprocess.Popen(command, cwd=HERE, env=os.environ | variables, stdout=said, stderr=said, text=True)
        try:
            yield process
            process.wait()
        finally:
            process.kill()
        said.seek(0)
        print(f"\n=== {' '.join(arguments[1:3])}\n{said.read()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

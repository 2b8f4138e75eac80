"""Whole pages, made and closed: whatever text they show stays text, and none of them is kept."""

from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import ipywidgets as widgets
import numpy as np
import psutil
from ipywidgets.widgets.widget import _instances
from PIL import Image

from edgegan_widget.app.workbench import PANELS, Workbench
from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.panels.data.panel import DataPanel
from edgegan_widget.panels.frame import Panel
from tests.fake_evaluations import fake_report, write_evaluation
from tests.fake_runs import tell, write_run
from tests.pad_desk import Plain, draw
from tests.prepare.test_catalog import write_manifest
from tests.screen import part

__all__ = ["MARKUP", "no_text_of_a_page_becomes_markup", "pages_leak_nothing"]

MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>", "<hostile>", "]]>",
    "&lt;hostile&gt;", "</style><hostile>", "</textarea><hostile>", "<a href=javascript:alert(1)>", "{{7*7}}", "\u202e",
    "'onmouseover='alert(1)", '"onfocus="alert(1)" x="',
]  # fmt: skip
_FORBIDDEN = {"script", "hostile", "iframe", "object", "embed"}
_ADDRESSES = ("href", "src", "action", "formaction", "xlink:href")
_RUNS, _CLASSES, _PICTURES = 6, 24, 30


class _Markup(HTMLParser):
    """What a browser would run: elements of hostile text, attributes that hold code, addresses that are code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = [
            name
            for name, value in attrs
            if (name.startswith("on") and "alert" in (value or ""))  # the page has some of its own
            or (name in _ADDRESSES and (value or "").strip().startswith("javascript:"))
        ]
        if tag in _FORBIDDEN or runs:
            self.found.append(f"<{tag} {' '.join(runs)}>")


def no_text_of_a_page_becomes_markup(trials: int, chance: Random) -> str:
    """Names, messages, logs and errors that are markup, in every widget of every tab."""
    texts = pages = looked = 0
    while texts < trials:
        supply = _Supply(chance)
        with tempfile.TemporaryDirectory() as place:
            looked += _one_page(Path(place), supply)
        texts, pages = texts + supply.count, pages + 1
    return f"{texts:,} texts in {looked:,} pieces of HTML of {pages} pages, none"


class _Supply:
    """Hostile texts, each another, counted."""

    def __init__(self, chance: Random) -> None:
        self._chance, self.count = chance, 0

    def __call__(self) -> str:
        self.count += 1
        return f"{self._chance.choice(MARKUP)}{self.count}{self._chance.choice(MARKUP)}"

    def name(self) -> str:
        """One that a file can have."""
        return self().replace("/", "|").replace("\u202e", "")

    def some(self, count: int) -> list[str]:
        return [self() for _ in range(count)]


def _one_page(place: Path, text: _Supply) -> int:
    """Make everything that a page shows, look at all of it; how many pieces of HTML there were."""
    engine = Plain()
    engine.classes = tuple(text.some(_CLASSES))  # type: ignore[assignment]
    engine.device_name, engine.name = text(), text()  # type: ignore[attr-defined]
    for number in range(_RUNS):
        run = write_run(place / "runs", text.name(), "failed" if number % 2 else "finished", done=25, data=text())
        (run.folder / "log.txt").write_text("\n".join(text.some(10)))
        tell(run.folder, "failed" if number % 2 else "finished", 25, message=text())
    write_evaluation(place / "evaluations" / text.name(), _report(text), "finished")
    bench = Workbench(engine, device="cpu", runs=place / "runs")
    data = DataPanel(_data_folder(place / "data", text), preparations=place / "preparations")
    try:
        for name in PANELS:
            bench.show_tab(name)
        draw(bench.pad, (0.2, 0.2), (0.7, 0.6))
        for panel in _every(bench):
            if isinstance(panel, Panel):
                panel.complain(EdgeGANError(text()))
        return _look(bench) + _look(data)
    finally:
        data.close()
        bench.close()


def _report(text: _Supply) -> dict[str, object]:
    """An evaluation whose every word is hostile."""
    report = json.dumps(fake_report((text(), text())))
    for word in ("ball", "box", "ours", "edge maps of held-out pictures", "people's sketches: ours", "wrong class"):
        report = report.replace(json.dumps(word)[1:-1], json.dumps(text())[1:-1])
    made: dict[str, object] = json.loads(report)
    made["people"]["left_out"] = text.some(5)  # type: ignore[index]
    made["not_measured"] = [{"numbers": text.some(2), "why": text()}]
    return made


def _data_folder(folder: Path, text: _Supply) -> Path:
    """Cut-outs in hostile classes, under hostile names, with a manifest that says so."""
    write_manifest(folder, [{"blurred": 0.9}, {}] * (_PICTURES // 2))
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        label, name = text.name(), text.name()
        line |= {"id": name, "class": label, "source": text(), "licence": text(), "file": f"train/{label}/{name}.png"}
        (folder / "train" / label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (90, 20, 20)).save(folder / line["file"])
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    (folder / "problems.txt").write_text("\n".join(text.some(9)))
    return folder


def _look(root: widgets.Widget) -> int:
    """Hold every piece of HTML below a widget against what a browser would run."""
    count = 0
    for widget in _every(root):
        assert not getattr(widget, "description_allow_html", False), type(widget)
        if isinstance(widget, widgets.HTML | widgets.HTMLMath):
            markup = _Markup()
            markup.feed(widget.value)
            markup.close()
            assert not markup.found, f"{markup.found} in {widget.value[:300]}"
            count += 1
    return count


def _every(root: widgets.Widget) -> Iterator[widgets.Widget]:
    yield root
    for child in getattr(root, "children", ()):
        yield from _every(child)


def pages_leak_nothing(trials: int, _: Random) -> str:
    """Memory over pages made, drawn on, their tabs opened, and closed; a line through it with its 95 % interval."""
    process, seen = psutil.Process(), list[tuple[int, float]]()
    before = len(_instances)
    for number in range(trials):
        _page_comes_and_goes()
        gc.collect()
        if number >= trials // 5:
            seen.append((number, process.memory_info().rss / 1e3))
    kept = (len(_instances) - before) / trials
    return f"{slope_told(seen, 'page', most_kb=200)}, {kept:.0f} of 3,000 widgets a page are kept"


def _page_comes_and_goes() -> None:
    with tempfile.TemporaryDirectory() as place:
        bench = Workbench(Plain(), device="cpu", runs=Path(place, "runs"))
        for name in PANELS:
            bench.show_tab(name)
        draw(bench.pad, (0.2, 0.2), (0.7, 0.6))
        assert part(bench, widgets.Tab).selected_index
        bench.close()


def slope_told(seen: list[tuple[int, float]], what: str, most_kb: float) -> str:
    """The slope of memory in kB over how many there were, with its interval; it fails where that lies above."""
    x, y = np.array(seen, float).T
    slope, offset = np.polyfit(x, y, 1)
    error = np.sqrt(((y - slope * x - offset) ** 2).sum() / max(1, len(x) - 2) / ((x - x.mean()) ** 2).sum())
    low, high = slope - 1.96 * error, slope + 1.96 * error
    assert low < most_kb, f"{slope:.2f} kB a {what} (95 %: {low:+.3f} to {high:+.3f})"
    return f"{slope:+.3f} kB a {what} over {len(seen):,} (95 %: {low:+.3f} to {high:+.3f})"

"""The audit's page: what was refused and why, with pictures, in one file that needs nothing else."""

from __future__ import annotations

import base64
import heapq
import html
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import picture_rgb_u8, write_bytes
from edgegan_widget.data.audit.rules import REASONS, Findings, Thresholds
from edgegan_widget.data.sources import Record

__all__ = ["Report"]

_MOST_SHOWN = 48  # pictures for each reason: those nearest to the threshold, where a person's eye is needed
_THUMB_PX = 96
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left}td.n{text-align:right}
.grid{display:flex;flex-wrap:wrap;gap:.6rem}figure{margin:0;width:7.5rem;font-size:12px;overflow-wrap:anywhere}
figure img{border:1px solid #ccc;width:96px;height:96px;display:block}figure.kept img{border-color:#2a7}"""


class Report:
    """Collects findings, holding few pictures for each reason whatever the number of them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._shown: dict[str, list[tuple[float, int, Path, str, str]]] = defaultdict(list)
        self._number = 0

    def add(self, path: Path, line: Record, findings: Findings, thresholds: Thresholds) -> None:
        """Take one picture with findings."""
        self._counts.update(list(findings))
        state = "refused" if line["audit"]["refused"] else "kept"
        for reason, score in findings.items():
            self._number += 1
            limit = float(getattr(thresholds, reason, 0.0)) or 1.0
            far = abs(score - limit) / limit
            text = f"{line['class']}: {score:g}"
            heap = self._shown[reason]
            heapq.heappush(heap, (-far, -self._number, path, f"{text} {line['id']}", state))
            if len(heap) > _MOST_SHOWN:
                heapq.heappop(heap)

    def write(self, path: Path, pictures: Counter[tuple[str, str]], refused: int) -> None:
        """Write the page."""
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{split}</td><td class=n>{count:,}</td></tr>"
            for (name, split), count in sorted(pictures.items())
        )
        reasons = "".join(self._section(reason) for reason in REASONS if self._counts[reason])
        write_bytes(
            path,
            "<!doctype html><meta charset=utf-8><title>Audit</title>"
            f"<style>{_STYLE}</style><h1>Audit</h1><p>{sum(pictures.values()):,} pictures to train with, {refused:,} "
            "set aside. Nothing was deleted: to overrule the audit, write <b>accept</b> or <b>refuse</b> in the last "
            "column of audit.csv and run <code>edgegan-widget data audit</code> again.</p>"
            f"<table><tr><th>class</th><th>split</th><th>pictures</th></tr>{rows}</table>{reasons}",
        )

    def _section(self, reason: str) -> str:
        shown = sorted(self._shown[reason], reverse=True)
        figures = "".join(
            f'<figure class="{state}"><img alt="" src="{_thumbnail(path)}">{html.escape(text)}</figure>'
            for _, _, path, text, state in shown
        )
        count = self._counts[reason]
        about = f"{count:,}" if count == len(shown) else f"{count:,}; the {len(shown)} nearest to the threshold"
        return f"<h2>{html.escape(REASONS[reason].capitalize())} ({about})</h2><div class=grid>{figures}</div>"


def _thumbnail(path: Path) -> str:
    """The picture as a data address; what cannot be read is an empty picture."""
    try:
        picture = picture_rgb_u8(path)
    except DataError:
        picture = np.full((1, 1, 3), 255, np.uint8)
    scale = _THUMB_PX / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(bytes(content)).decode()

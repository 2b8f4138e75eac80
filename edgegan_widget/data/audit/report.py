"""The audit's page: what was refused and why, with pictures, in one file that needs nothing else."""

from __future__ import annotations

import base64
import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import cv2
import jinja2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.data.audit.rules import REASONS, Findings, Thresholds
from edgegan_widget.data.sources import Record

__all__ = ["Report"]

_MOST_SHOWN = 48  # pictures for each reason: those nearest to the threshold, where a person's eye is needed
_MOST_LEFT_OUT = 200  # sentences
_THUMB_PX = 96


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
            far = thresholds.beyond(reason, score)
            text = f"{line['class']}: {score:g}"
            heap = self._shown[reason]
            heapq.heappush(heap, (-far, -self._number, path, f"{text} {line['id']}", state))
            if len(heap) > _MOST_SHOWN:
                heapq.heappop(heap)

    def write(self, path: Path, pictures: Counter[tuple[str, str]], refused: int, left_out: Iterable[str] = ()) -> None:
        """Write the page; ``left_out`` has a sentence for each thing that did not become a picture."""
        sentences = iter(left_out)
        told = list(itertools.islice(sentences, _MOST_LEFT_OUT))
        count = len(told) + sum(1 for _ in sentences)
        reasons = [
            (meaning, self._counts[reason], sorted(self._shown[reason], reverse=True))
            for reason, meaning in REASONS.items()
            if self._counts[reason]
        ]
        page = jinja2.Template(Path(__file__).with_name("audit.html").read_text("utf-8"), autoescape=True)
        given = {"pictures": pictures, "refused": refused, "reasons": reasons, "left_out": told}
        write_bytes(path, page.render(**given, count_left_out=count, thumbnail=_thumbnail))


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

"""What is said about an evaluation, in words and HTML."""

from __future__ import annotations

import html
from typing import Any

from edgegan_widget.base.runs import Status
from edgegan_widget.evaluation.table import people_line
from edgegan_widget.panels.run_lines import spoken_time

__all__ = ["about_html", "headline_html"]

Json = dict[str, Any]


def headline_html(status: Status | None) -> str:
    """State, bar and message."""
    if status is None:
        return '<div class="eg-figures">Nothing measured yet. Choose models and data, and press Start.</div>'
    share = status.step / status.steps if status.steps else 0.0
    bar = ""
    if status.active:
        value = f' value="{share:.3f}"' if share else ""
        bar = f'<progress class="eg-bar" max="1"{value} aria-label="Progress of the evaluation"></progress>'
    message = "starting a process of its own" if status.state == "starting" else status.message
    left = f" · {spoken_time(status.seconds_left)} left" if status.active and status.seconds_left else ""
    if not status.active:
        message = message[:1].upper() + message[1:]
    told = f'<div class="eg-message">{html.escape(message)}{left}</div>' if message else ""
    return (
        f'<div class="eg-state"><b>Evaluation</b> <span class="eg-chip eg-{html.escape(status.state)}">'
        f'{html.escape(status.state)}</span><span class="eg-percent">{f"{share:.0%}" if status.active else ""}</span>'
        f"</div>{bar}{told}"
    )


def about_html(report: Json) -> str:
    """What was held against what."""
    counts = {split: sum(by_class.values()) for split, by_class in report["data"].items()}
    real = report["reference"]["real_accuracy"]["value"]
    sure = "" if real is None else f" It is right on {real:.1%} of held-out real pictures."
    return (
        f"<p>{len(report['classes'])} classes; {counts['train']:,} training and {counts['val']:,} held-out pictures. "
        f"The class is judged by a classifier that never saw a drawn picture.{sure} "
        f"{html.escape(people_line(report))}</p>"
    )

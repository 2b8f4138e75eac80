"""What is said about jobs, in words and HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from edgegan_widget.base.runs import Status
from edgegan_widget.training.runs.jobs import Run

__all__ = ["headline_html", "log_html", "run_figures", "run_line", "spoken_time"]

LOG_LINES = 60


def run_line(run: Run, status: Status) -> str:
    """A run in a list. Of one at work no step is told: the list would close each time it changes."""
    if status.active:
        return f"{run.name} · {status.state}"
    return f"{run.name} · {status.state} · step {status.step:,}" if status.step else f"{run.name} · {status.state}"


def headline_html(name: str, status: Status, figures: Iterable[str] = ()) -> str:
    """Any job: its name and state, how far it is, figures, and what it says or what a person should know.

    Parameters
    ----------
    name
        What it is called.
    status
        Where it stands.
    figures
        What else is told in numbers, as plain text; the time left follows by itself.
    """
    state, share = html.escape(status.state), status.step / status.steps if status.steps else 0.0
    bar, left = "", [f"{spoken_time(status.seconds_left)} left"] if status.active and status.seconds_left else []
    if status.steps or status.active:
        value = f' value="{share:.4f}"' if status.steps else ""
        bar = f'<progress class="eg-bar" max="1"{value} aria-label="Progress of {html.escape(name)}"></progress>'
    told = "".join(f"<span>{html.escape(figure)}</span>" for figure in (*figures, *left))
    message = status.message or ("Starting a process of its own…" if status.state == "starting" else "")
    message = html.escape(message[:1].upper() + message[1:])
    return (
        f'<div class="eg-state"><b>{html.escape(name)}</b> <span class="eg-chip eg-{state}">{state}</span>'
        f'<span class="eg-percent">{f"{share:.0%}" if status.steps else ""}</span></div>{bar}'
        f'<div class="eg-figures">{told}</div>' + (f'<div class="eg-message">{message}</div>' if message else "")
    )


def run_figures(status: Status) -> Iterator[str]:
    """What a training run tells in numbers."""
    if status.steps:
        yield from (f"step {status.step:,} of {status.steps:,}", f"epoch {status.epoch:.1f}")
    if status.active and status.images_per_second:
        yield f"{status.images_per_second:.3g} images/s"
    if status.memory_mb:
        yield f"{status.memory_mb:,.0f} MB"
    if status.device:
        yield status.device


def spoken_time(seconds: float) -> str:
    """A span of time in the two units that matter."""
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def log_html(text: str) -> str:
    """The end of a log."""
    lines = text.strip().splitlines()[-LOG_LINES:]
    return f'<pre class="eg-log">{html.escape(chr(10).join(lines)) or "Nothing was said so far."}</pre>'

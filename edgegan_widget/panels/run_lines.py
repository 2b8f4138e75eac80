"""What is said about a run, in words and HTML."""

from __future__ import annotations

import html

from edgegan_widget.base.runs import Status
from edgegan_widget.training.runs import Run

__all__ = ["headline_html", "log_html", "run_line", "spoken_time"]

LOG_LINES = 60


def run_line(run: Run, status: Status) -> str:
    """A run in a list. Of one at work no step is told: the list would close each time it changes."""
    if status.active:
        return f"{run.name} · {status.state}"
    return f"{run.name} · {status.state} · step {status.step:,}" if status.step else f"{run.name} · {status.state}"


def headline_html(name: str | None, status: Status) -> str:
    """State, bar and figures."""
    if name is None:
        return '<div class="eg-figures">No run yet. Choose data and press Start; it is shown here.</div>'
    share = status.step / status.steps if status.steps else 0.0
    bar = ""
    if status.steps or status.active:
        value = f' value="{share:.4f}"' if status.steps else ""
        bar = f'<progress class="eg-bar" max="1"{value} aria-label="Progress of training"></progress>'
    message = f'<div class="eg-message">{html.escape(status.message)}</div>' if status.message else ""
    state = html.escape(status.state)
    return (
        f'<div class="eg-state"><b>{html.escape(name)}</b> <span class="eg-chip eg-{state}">{state}</span>'
        f'<span class="eg-percent">{f"{share:.0%}" if status.steps else ""}</span></div>{bar}'
        f'<div class="eg-figures">{_figures(status)}</div>{message}'
    )


def _figures(status: Status) -> str:
    if status.state == "starting":
        return "Starting a process of its own and reading the data…"
    parts = []
    if status.steps:
        parts += [f"step {status.step:,} of {status.steps:,}", f"epoch {status.epoch:.1f}"]
    if status.active and status.images_per_second:
        parts += [f"{status.images_per_second:.3g} images/s", f"{spoken_time(status.seconds_left)} left"]
    if status.memory_mb:
        parts.append(f"{status.memory_mb:,.0f} MB")
    if status.device:
        parts.append(html.escape(status.device))
    return "".join(f"<span>{part}</span>" for part in parts)


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

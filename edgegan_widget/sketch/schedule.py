"""Edge schedules: which kinds of edge maps a run sees, by epoch, from careful edge maps gradually to sketches."""

from __future__ import annotations

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.sketch.sources import always_drawn, find, told

__all__ = ["Schedule", "parse_schedule", "scheduled", "sources_of"]

Schedule = tuple[tuple[float, dict[str, float]], ...]


def parse_schedule(text: str) -> Schedule:
    """Read an edge schedule: ``epoch: source [weight], ...; epoch: ...``, epochs ascending; ``hand`` is distortion.

    Between two stages the weights change linearly, so that edge maps give way to sketches gradually (the curriculum
    of Chen and Hays, "SketchyGAN", CVPR 2018, section 3.1). Empty text means: all sources evenly, ``hand`` 1.

    Raises
    ------
    ConfigError
        A source is unknown, a number is none, or epochs do not ascend.
    """
    stages: list[tuple[float, dict[str, float]]] = []
    try:
        for part in filter(None, (part.strip() for part in text.split(";"))):
            epoch, _, sources = part.partition(":")
            weights = dict.fromkeys(always_drawn(), 0.0) | {"hand": 1.0} | dict(map(_weighed, sources.split(",")))
            stages.append((float(epoch), weights))
    except ValueError as error:
        raise ConfigError(
            f"edge_schedule is {text!r}; write it as '0: full, hand 0; 30: full, outline, thin 2, hand 1'."
        ) from error
    epochs = [epoch for epoch, _ in stages]
    for _, weights in stages:
        drawn = {name: weight for name, weight in weights.items() if name != "hand"}
        if not all(map(_is_source, drawn)) or min(weights.values()) < 0 or not any(drawn.values()):
            raise ConfigError(
                f"edge_schedule is {text!r}; each stage needs one of {told()} with a weight above 0, and beside them "
                "only hand (0 to 1)."
            )
    if epochs != sorted(set(epochs)):
        raise ConfigError(f"edge_schedule is {text!r}; its epochs must ascend.")
    named = dict.fromkeys(name for _, weights in stages for name in weights)
    return tuple((epoch, {name: weights.get(name, 0.0) for name in named}) for epoch, weights in stages)


def _weighed(source: str) -> tuple[str, float]:
    """Name and weight, which is 1 unless it is given."""
    name, _, weight = source.strip().rpartition(" ")
    try:
        return name.strip(), float(weight)
    except ValueError:  # file names may have spaces
        return source.strip(), 1.0


def _is_source(name: str) -> bool:
    try:
        find(name)
    except ConfigError:
        return False
    return True


def sources_of(schedule: Schedule) -> tuple[str, ...]:
    """What a schedule draws beside the sources that are always drawn."""
    named = dict.fromkeys(name for _, weights in schedule for name in weights)
    return tuple(name for name in named if name not in (*always_drawn(), "hand"))


def scheduled(schedule: Schedule, epoch: float) -> dict[str, float]:
    """Weights of the sources and the strength of ``hand`` at an epoch, interpolated between the stages around it."""
    if not schedule:
        return dict.fromkeys(always_drawn(), 1.0) | {"hand": 1.0}
    before = [stage for stage in schedule if stage[0] <= epoch] or [schedule[0]]
    after = [stage for stage in schedule if stage[0] > epoch] or [before[-1]]
    (begin, first), (end, second) = before[-1], after[0]
    share = (epoch - begin) / (end - begin) if end > begin and epoch > begin else 0.0
    return {name: (1 - share) * first[name] + share * second[name] for name in first}

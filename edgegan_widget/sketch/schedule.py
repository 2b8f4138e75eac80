"""Edge schedules: which kinds of edge maps a run sees, by epoch, from careful edge maps gradually to sketches."""

from __future__ import annotations

from edgegan_widget.base.errors import ConfigError

__all__ = [
    "EDGES_HELP", "EDGE_SOURCES", "OTHER_SOURCES", "PHOTOSKETCH", "PERSON", "Schedule", "parse_schedule",
    "scheduled", "sources_of",
]  # fmt: skip

EDGE_SOURCES = ("full", "outline", "thin", "coarse")  # planes of a picture's edge maps, see edgegan_widget.sketch.edges
OTHER_SOURCES = ("xdog", "canny", "contour", "person")  # drawn while data is loaded, where they are named
PERSON = "person"  # another hand: person=SEED
PHOTOSKETCH = ("photosketch", "photosketch128")  # each with the file of its weights: photosketch=FILE
EDGES_HELP = (
    "how edge maps are drawn: full, outline, thin, coarse, xdog (SketchyCOCO's), canny, contour, "
    "person (as people draw; person=SEED for another hand), "
    "photosketch=WEIGHTS.pth or photosketch128=WEIGHTS.pth (faster), several with commas between"
)  # of the option --edges, here because what reads options loads nothing heavy

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
            weights = dict.fromkeys(EDGE_SOURCES, 0.0) | {"hand": 1.0} | dict(map(_weighed, sources.split(",")))
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
                f"edge_schedule is {text!r}; each stage needs one of {', '.join((*EDGE_SOURCES, *OTHER_SOURCES))} or "
                f"{PHOTOSKETCH[0]}=FILE with a weight above 0, and beside them only hand (0 to 1)."
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
    kind, _, given = name.partition("=")
    with_more = (kind in PHOTOSKETCH and given != "") or (kind == PERSON and given.isdecimal())
    return with_more or name in EDGE_SOURCES + OTHER_SOURCES


def sources_of(schedule: Schedule) -> tuple[str, ...]:
    """What a schedule draws beside :data:`EDGE_SOURCES`, which are always drawn."""
    named = dict.fromkeys(name for _, weights in schedule for name in weights)
    return tuple(name for name in named if name not in (*EDGE_SOURCES, "hand"))


def scheduled(schedule: Schedule, epoch: float) -> dict[str, float]:
    """Weights of the sources and the strength of ``hand`` at an epoch, interpolated between the stages around it."""
    if not schedule:
        return dict.fromkeys(EDGE_SOURCES, 1.0) | {"hand": 1.0}
    before = [stage for stage in schedule if stage[0] <= epoch] or [schedule[0]]
    after = [stage for stage in schedule if stage[0] > epoch] or [before[-1]]
    (begin, first), (end, second) = before[-1], after[0]
    share = (epoch - begin) / (end - begin) if end > begin and epoch > begin else 0.0
    return {name: (1 - share) * first[name] + share * second[name] for name in first}

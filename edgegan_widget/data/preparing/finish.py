"""Judge everything that was made, put each cut-out in its place, write manifest, list and report.

Layout: ``<split>/<class>/<id>.png`` is trained on; ``refused/<split>/<class>/<id>.png`` is set aside, never deleted.
The manifest is a pure function of the sources and the options: running twice writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.base.layout import SPLITS
from edgegan_widget.data.audit.advice import ClassCount, advice
from edgegan_widget.data.audit.decisions import read_decisions, write_decisions
from edgegan_widget.data.audit.measures import twins
from edgegan_widget.data.audit.report import Report
from edgegan_widget.data.audit.rules import REASONS, Findings, Judging, Survey, Thresholds, judge
from edgegan_widget.data.preparing.journal import outcomes
from edgegan_widget.data.preparing.splits import held_out
from edgegan_widget.data.sources import OWN_FOLDER, Record, class_folder

__all__ = [
    "LIST",
    "MANIFEST",
    "PROBLEMS",
    "REFUSED",
    "REPORT",
    "Summary",
    "finish",
    "keep_left_out",
    "locate",
    "places",
]

MANIFEST, LIST, REPORT, PROBLEMS = "manifest.jsonl", "audit.csv", "audit.html", "problems.txt"
REFUSED = "refused"
_LEFT_OUT = ".left_out.txt"


@dataclass
class Summary:
    """What a data folder holds: pictures to train on by (class, split), how many were set aside, how many of the
    others the audit refuses but ``--keep-refused`` leaves, findings by reason, how many sentences ``problems.txt`` has
    about what could not be used, and all classes, those without pictures too.
    """

    pictures: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: set[str] = field(default_factory=set)
    refused: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    problems: int = 0

    @property
    def outcome(self) -> str:
        """What became of the pictures, in words."""
        aside = f"{self.refused:,} set aside"
        return aside + (f", {self.kept:,} refused but kept" if self.kept else "")

    def check(self, out: Path) -> None:
        """Raise a :class:`DataError` where there is nothing to train on."""
        if self.pictures.total():
            return
        why = [f"{count:,} set aside as {REASONS.get(name, name)}" for name, count in self.reasons.most_common(3)]
        why += [f"{self.problems:,} left out, see {out / PROBLEMS}"] if self.problems else []
        raise DataError(f"no picture to train on was made in {out}: {', '.join(why) or 'nothing was found'}.")

    @property
    def warnings(self) -> list[str]:
        """What to watch out for before training on it."""
        found = self.pictures
        return advice([ClassCount(name, found[name, "train"], found[name, "val"], 0) for name in sorted(self.classes)])


def places(out: Path, record: Record) -> list[Path]:
    """Every place where the record's cut-out may be."""
    if "file" in record:
        own = record["file"]
        return [out / own, out / REFUSED / own]
    name = Path(class_folder(record["class"]), f"{record['id']}.png")
    return [Path(out, *aside, split, name) for aside in ((), (REFUSED,)) for split in SPLITS]


def locate(out: Path, record: Record) -> Path | None:
    """Where the record's cut-out is, or None: it is gone, or is not what was made."""
    found = [path for path in places(out, record) if path.is_file()]
    if "file" in record:
        return found[0] if found else None
    found = [path for path in found if path.stat().st_size == record["bytes"]]
    if len(found) > 1:  # an older one lies in another place
        found = [path for path in found if hashlib.sha256(path.read_bytes()).hexdigest() == record["sha256"]]
    return found[0] if found else None


def finish(out: Path, judging: Judging, move: bool = True) -> Summary:
    """Judge all, write ``manifest.jsonl``, ``audit.csv``, ``audit.html`` and ``problems.txt``, and move files.

    Parameters
    ----------
    out
        Data folder with the journals of what was made.
    judging
        What is refused, and the share of each class's source pictures to validate on. With ``keep_refused`` what the
        audit refuses is left where training finds it; what a person refuses is set aside all the same.
    move
        Put files where they belong; without, only write what was found.
    """
    summary, known = _survey(out, judging)
    decisions, report = read_decisions(out / LIST), Report()
    rows: list[tuple[str, str, str, str, str]] = []
    with write_atomic(out / MANIFEST) as stream:
        for number, record in enumerate(_records(out)):
            decision = decisions.pop(record["id"], "")
            line = _line(record, known.judge(number, record), decision, known.split(record))
            # A person's word is not the audit's:
            aside = line["audit"]["refused"] and (decision == "refuse" or not judging.keep_refused)
            path = _put(out, record, line["split"], aside, move)
            line["file"] = path.relative_to(out).as_posix()
            stream.write((json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n").encode(errors="replace"))
            _count(summary, line, aside)
            if line["audit"]["reasons"] or decision:
                rows.append((record["id"], record["class"], *_verdict(line["audit"]), decision))
                report.add(path, line, line["audit"]["reasons"], judging.thresholds)
    rows += [(name, "", "", "", decision) for name, decision in sorted(decisions.items())]
    write_decisions(out / LIST, rows)
    report.write(out / REPORT, summary.pictures, summary.refused, _left_out(out))
    summary.problems = _write_problems(out)
    return summary


@dataclass(frozen=True)
class _Known:
    """What must be known of all pictures before one is judged."""

    thresholds: Thresholds
    medians: dict[str, float]
    near: dict[int, tuple[int, int]]
    ids: list[str]
    held_out: set[str]  # digests of source pictures

    def split(self, record: Record) -> str:
        """The split that the record was given, or that its source picture is in."""
        return str(record["given_split"] or ("val" if record["source_sha256"] in self.held_out else "train"))

    def judge(self, number: int, record: Record) -> tuple[Findings, str]:
        """Findings of picture ``number``, and the id of the one that it is a copy of."""
        twin, bits = self.near.get(number, (None, None))
        findings = judge(record, self.thresholds, self.medians, bits)
        return findings, self.ids[twin] if "duplicate" in findings and twin is not None else ""


def _survey(out: Path, judging: Judging) -> tuple[Summary, _Known]:
    summary, survey, ids = Summary(), Survey(), []
    to_split: dict[str, set[str]] = {}  # sources without a split of their own, and their classes
    for outcome in outcomes(out):
        for record in outcome.records:
            survey.add(record)
            ids.append(record["id"])
            if not record["given_split"]:
                to_split.setdefault(record["source_sha256"], set()).add(record["class"])
    near = twins(bytes(survey.hashes), bytes(survey.fine), int(judging.thresholds.duplicate_bits))
    apart = held_out(to_split, judging.val_share)
    return summary, _Known(judging.thresholds, survey.medians(), near, ids, apart)


def _records(out: Path) -> Iterator[Record]:
    for outcome in outcomes(out):
        yield from outcome.records


def _line(record: Record, found: tuple[Findings, str], decision: str, split: str) -> Record:
    findings, twin = found
    refused = decision == "refuse" or bool(findings and decision != "accept")
    audit: Record = {"refused": refused, "reasons": findings, "measures": record["measures"]}
    audit |= {"decision": decision} if decision else {}
    audit |= {"duplicate_of": twin} if twin else {}
    kept = {name: record[name] for name in ("id", "class", "source", "source_sha256", "licence", "sha256")}
    return kept | {"split": split, "audit": audit}


def _verdict(audit: Record) -> tuple[str, str]:
    scores = "; ".join(f"{REASONS[name]} ({score:g})" for name, score in audit["reasons"].items())
    return "refused" if audit["refused"] else "accepted", scores


def _count(summary: Summary, line: Record, aside: bool) -> None:
    summary.reasons.update(list(line["audit"]["reasons"]) or (["by hand"] if aside else []))
    summary.classes.add(line["class"])
    if aside:
        summary.refused += 1
        return
    summary.pictures[line["class"], line["split"]] += 1
    summary.kept += line["audit"]["refused"]


def _put(out: Path, record: Record, split: str, aside: bool, move: bool) -> Path:
    """Move the cut-out where it belongs, and remove older ones from where it was."""
    if "file" in record:
        target = Path(out, *((REFUSED,) if aside else ()), record["file"])
    else:
        name = Path(class_folder(record["class"]), f"{record['id']}.png")
        target = Path(out, *((REFUSED,) if aside else ()), split, name)
    found = locate(out, record)
    if found is None:
        raise DataError(f"{target} has vanished since it was made; run the same command again to make it anew.")
    if not move:
        return found
    if found != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(found, target)
    if "file" not in record:
        for path in places(out, record):
            if path != target:
                path.unlink(missing_ok=True)
    return target


def keep_left_out(out: Path, part: str, sentences: Iterable[str]) -> None:
    """Keep what a reader left out of ``part``, for ``problems.txt``, until it is read again."""
    text = "".join(f"{' '.join(sentence.split())}\n" for sentence in sentences)
    write_bytes(out / OWN_FOLDER / f"{part}{_LEFT_OUT}", text.encode(errors="replace"))


def _left_out(out: Path) -> Iterator[str]:
    """What readers left out, and then what could not be made."""
    for path in sorted((out / OWN_FOLDER).glob(f"*{_LEFT_OUT}")):
        yield from path.read_text("utf-8", errors="replace").splitlines()
    for outcome in outcomes(out):
        for problem in outcome.problems:
            yield " ".join(problem.split())


def _write_problems(out: Path) -> int:
    with write_atomic(out / PROBLEMS) as stream:
        return sum(stream.write(f"{problem}\n".encode(errors="replace")) > 0 for problem in _left_out(out))

"""Judge everything that was made, put each cut-out in its place, write manifest, list and report.

Layout: ``<split>/<class>/<id>.png`` is trained on; ``refused/<split>/<class>/<id>.png`` is set aside, never deleted.
The manifest is a pure function of the sources and the options: running twice writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.data.audit.advice import ClassCount, advice
from edgegan_widget.data.audit.decisions import read_decisions, write_decisions
from edgegan_widget.data.audit.measures import twins
from edgegan_widget.data.audit.rules import REASONS, Findings, Judging, Survey, Thresholds, judge
from edgegan_widget.data.journal import outcomes
from edgegan_widget.data.making import split_of
from edgegan_widget.data.report import Report
from edgegan_widget.data.sources import SPLITS, Record, class_folder

__all__ = ["LIST", "MANIFEST", "PROBLEMS", "REFUSED", "REPORT", "Summary", "finish", "locate", "places"]

MANIFEST, LIST, REPORT, PROBLEMS = "manifest.jsonl", "audit.csv", "audit.html", "problems.txt"
REFUSED = "refused"


@dataclass
class Summary:
    """What a data folder holds: pictures to train on by (class, split), how many were set aside, how many of the
    others the audit refuses but ``--keep-refused`` leaves, findings by reason, how many objects could not be used,
    and all classes, those without pictures too.
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
        What is refused, and the share of source pictures to validate on. With ``keep_refused`` what the audit refuses
        is left where training finds it; what a person refuses is set aside all the same.
    move
        Put files where they belong; without, only write what was found.
    """
    summary, known = _survey(out, judging.thresholds)
    decisions, report = read_decisions(out / LIST), Report()
    rows: list[tuple[str, str, str, str, str]] = []
    with write_atomic(out / MANIFEST) as stream:
        for number, record in enumerate(_records(out)):
            decision = decisions.pop(record["id"], "")
            line = _line(record, known.judge(number, record), decision, judging.val_share)
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
    report.write(out / REPORT, summary.pictures, summary.refused)
    _write_problems(out)
    return summary


@dataclass(frozen=True)
class _Known:
    """What must be known of all pictures before one is judged."""

    thresholds: Thresholds
    medians: dict[str, float]
    near: dict[int, tuple[int, int]]
    ids: list[str]

    def judge(self, number: int, record: Record) -> tuple[Findings, str]:
        """Findings of picture ``number``, and the id of the one that it is a copy of."""
        twin, bits = self.near.get(number, (None, None))
        findings = judge(record, self.thresholds, self.medians, bits)
        return findings, self.ids[twin] if "duplicate" in findings and twin is not None else ""


def _survey(out: Path, thresholds: Thresholds) -> tuple[Summary, _Known]:
    summary, survey, ids = Summary(), Survey(), []
    for outcome in outcomes(out):
        summary.problems += len(outcome.problems)
        for record in outcome.records:
            survey.add(record)
            ids.append(record["id"])
    near = twins(bytes(survey.hashes), bytes(survey.fine), int(thresholds.duplicate_bits))
    return summary, _Known(thresholds, survey.medians(), near, ids)


def _records(out: Path) -> Iterator[Record]:
    for outcome in outcomes(out):
        yield from outcome.records


def _line(record: Record, found: tuple[Findings, str], decision: str, val_share: float) -> Record:
    findings, twin = found
    refused = decision == "refuse" or bool(findings and decision != "accept")
    audit: Record = {"refused": refused, "reasons": findings, "measures": record["measures"]}
    audit |= {"decision": decision} if decision else {}
    audit |= {"duplicate_of": twin} if twin else {}
    kept = {name: record[name] for name in ("id", "class", "source", "source_sha256", "licence", "sha256")}
    split = record["given_split"] or split_of(record["source_sha256"], val_share)
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


def _write_problems(out: Path) -> None:
    with write_atomic(out / PROBLEMS) as stream:
        for outcome in outcomes(out):
            for problem in outcome.problems:
                stream.write((" ".join(problem.split()) + "\n").encode(errors="replace"))

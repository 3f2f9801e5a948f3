"""What ``textclf train`` says: before it starts, where nothing changed, of a plan, in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.cli.output import answers, document, render
from textclf.cli.output.gate_report import verdict_blocks
from textclf.formatting import (
    candidate_name,
    duration,
    encodable,
    escape_controls,
    excerpt,
    percent,
    plural,
    points,
)

if TYPE_CHECKING:
    from textclf.errors import GateRefused
    from textclf.metadata.schema import Metadata
    from textclf.registry.registry import Plan, Promotion, Registry
    from textclf.release.baseline import Past, Progress
    from textclf.training.job import Job

_REASONS = 3
"""Shown of a bump; the metadata has all."""


_CLASSES = 5
"""Shown of those that changed."""


@dataclass(frozen=True)
class Outcome:
    """What became of the promotion; neither, where none was asked for."""

    promotion: Promotion | None = None
    refusal: GateRefused | None = None


def announce(plan: Plan, job: Job, *, quiet: bool) -> None:
    """What is about to be searched, on which rows; on stderr."""
    if quiet:
        return
    tested_on = job.test.path if job.split is None else f"a split of {job.split:.0%}"
    candidates = len(job.points())
    render.progress(
        f"{job.train.path}: {plural(len(job.train), 'row')}, "
        f"{plural(len(job.train.label_counts), 'label')}; "
        f"tested on {plural(len(job.test), 'row')} of {tested_on}"
    )
    render.progress(
        f"{plural(candidates, 'candidate')} × {job.settings.folds} folds = "
        f"{candidates * job.settings.folds} fits, by {job.settings.scoring}"
        f"{', as a race' if job.settings.method == 'race' else ''}"
    )
    if job.sampled:
        render.progress(
            f"a sample of {job.sampled:,} rows picks the candidate, all {len(job.train):,} train "
            "the model; --sample 0 searches all"
        )
    if plan.inferred and plan.bump.requested not in ("auto", plan.inferred.value):
        render.hint(
            f"auto would make this a {plan.inferred} version: {'; '.join(plan.bump.reasons)}"
        )


def show_unchanged(registry: Registry, plan: Plan, *, as_json: bool, quiet: bool) -> None:
    """There is nothing to train: what there is, and what to do about it."""
    base = registry.resolve(plan.bump.base or "latest")
    promoted = registry.latest() == base
    if as_json:
        metadata = registry.unverified_metadata(base)
        render.json(_answer(metadata, registry.locate(base), promoted=promoted, published=False))
        return
    render.line(f"{plan.bump.reasons[0]}: no new version")
    if not promoted:
        render.hint(f"{base} is not promoted; textclf promote {base}", quiet=quiet)
    else:
        render.hint("--bump patch publishes one all the same", quiet=quiet)


def show_plan(plan: Plan, job: Job, *, as_json: bool) -> None:
    """What would be trained, and which number it would get."""
    candidates = len(job.points())
    if as_json:
        render.json(
            {
                "dry_run": True,
                "version": str(plan.version),
                "bump": plan.bump,
                "rows": len(job.train),
                "test_rows": len(job.test),
                "candidates": candidates,
                "fits": candidates * job.settings.folds,
            }
        )
        return
    render.line(f"would publish {plan.version} ({_why(plan.bump.applied, plan.bump.reasons)})")
    render.line(
        f"from {plural(len(job.train), 'row')} with "
        f"{plural(len(job.train.label_counts), 'label')}, "
        f"tested on {plural(len(job.test), 'row')}; "
        f"{plural(candidates, 'candidate')} × {job.settings.folds} folds"
    )


def show(
    metadata: Metadata,
    path: str,
    outcome: Outcome,
    past: Past,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """What was published and promoted, how good it is, and how much better than before."""
    _tell_notes(metadata)
    promotion, refusal = outcome.promotion, outcome.refusal
    progress = past.progress(metadata.test.metrics)
    verdict = refusal.verdict if refusal else promotion and promotion.gate
    if as_json:
        answer = _answer(metadata, path, promoted=promotion is not None, published=True)
        render.json({**answer, "against": progress, "gate": verdict})
        return
    bump, test = metadata.bump, metadata.test
    render.line(f"published {render.strong(metadata.version)} ({_why(bump.applied, bump.reasons)})")
    render.line(f"  {escape_controls(candidate_name(metadata.best_params))}")
    render.line(
        f"  accuracy {percent(metadata.best_cv_accuracy)} in cross-validation, "
        f"{percent(metadata.test_accuracy)} on {test.rows} test rows; "
        f"macro F1 {percent(test.metrics.macro_f1)}"
    )
    if progress:
        _show_progress(progress)
    render.line(
        f"  {escape_controls(path)}, {metadata.artifact.bytes:,} bytes, "
        f"{duration(sum(metadata.seconds.values()))}"
    )
    if verdict:
        document.write(verdict_blocks(verdict))
    if promotion:
        render.line(answers.promoted(promotion, quiet=quiet))
    elif not refusal:
        render.hint(f"not promoted; textclf promote {metadata.version}", quiet=quiet)


def _show_progress(progress: Progress) -> None:
    if progress.excuse:
        render.line(escape_controls(f"  not compared with {progress.against}: {progress.excuse}"))
        return
    overall = ", ".join(f"{d.name} {points(d.delta)}" for d in progress.metrics)
    render.line(f"  against {progress.against} on the same rows: {overall}")
    if progress.seen >= answers.SEEN:
        render.warning(answers.seen(progress.against, progress.seen))
    changed = [d for d in progress.per_class if d.delta]
    classes = [f"{excerpt(d.name, 40)} {points(d.delta)}" for d in changed[:_CLASSES]]
    if len(changed) > _CLASSES:
        classes.append(f"and {len(changed) - _CLASSES} more")
    if classes:
        render.line(f"    {', '.join(classes)}")


def _answer(metadata: Metadata, path: str, *, promoted: bool, published: bool) -> dict[str, object]:
    shown = encodable(path)
    return answers.with_more(metadata, path=shown, promoted=promoted, published=published)


def _why(applied: str, reasons: list[str]) -> str:
    more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return escape_controls(f"{applied}: {'; '.join(reasons[:_REASONS])}{more}")


def _tell_notes(metadata: Metadata) -> None:
    """What scikit-learn warned of during the search, each once."""
    counts: dict[str, int] = {}
    for candidate in metadata.search.candidates:
        for note in candidate.notes:
            counts[note] = counts.get(note, 0) + 1
    for note, count in counts.items():
        render.warning(f"{count} of {len(metadata.search.candidates)} candidates: {note}")

"""What ``textclf train`` shows: its progress, a plan, and what came of a release."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.output import document, promotions, render
from textclf.cli.output.metrics import mcnemar
from textclf.cli.output.progress import phases, show_reading
from textclf.cli.output.promotions import verdict_blocks
from textclf.cli.output.training_progress import TrainingProgress
from textclf.cli.output.version_facts import bump_reasons, metadata_with
from textclf.formatting import (
    candidate_name,
    candidate_names,
    duration,
    encodable,
    escape_controls,
    excerpt,
    first_few,
    percent,
    plural,
    points,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textclf.cli.output.progress import ShowPhase
    from textclf.data.quality import DataProblem
    from textclf.metadata.schema import BumpRecord, Metadata, PipelineRecord
    from textclf.metadata.verdict import Verdict
    from textclf.registry.publisher import Plan
    from textclf.registry.registry import Registry
    from textclf.release.baseline import BaselineDelta
    from textclf.release.publication import JobSummary, ReleaseCallbacks, ReleaseResult
    from textclf.training.job import Job


@dataclass(frozen=True)
class FurtherFields:
    """What the JSON of ``textclf train`` has after the fields of the metadata.

    Attributes:
        path: the location of the model file.
        promoted: whether the version is the promoted one.
        published: whether it is new; otherwise nothing had changed.
        against: the difference to the version promoted before, on the same test rows.
        gate: how the version came through the gate.
    """

    path: str
    promoted: bool
    published: bool
    against: BaselineDelta | None = None
    gate: Verdict | None = None


@dataclass(frozen=True)
class PublishDryRunAnswer:
    """The JSON of ``textclf publish --dry-run``.

    Attributes:
        dry_run: true.
        version: the number that it would get.
        bump: why.
        pipeline: what is known of the pipeline, and how it would be opened.
        test_rows: the number of test rows.
        accuracy: on these.
        macro_f1: on these.
    """

    dry_run: bool
    version: str
    bump: BumpRecord
    pipeline: PipelineRecord
    test_rows: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class DryRunAnswer:
    """The JSON of ``textclf train --dry-run``."""

    dry_run: bool
    version: str
    bump: BumpRecord
    rows: int
    test_rows: int
    candidates: int
    fits: int


_REASONS = 3
"""Reasons for a bump that are shown; the metadata has all."""

_LONGEST_EXAMPLES = 120
"""Characters of the examples of a problem up to which all of them are shown."""

_CLASSES = 5
"""Changed classes that are shown."""


def run(
    release: Callable[[ReleaseCallbacks], ReleaseResult],
    registry: Registry,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a release, and show its progress and what came of it.

    Raises:
        GateRefused: the version is published, and was not promoted.
    """
    with ExitStack() as stack:  # keeps Ctrl-C deferred until the result is shown
        with phases(quiet=quiet) as show_phase:
            result = release(_callbacks(stack, show_phase, quiet=quiet))
        _show(result, registry, as_json=as_json, quiet=quiet)
    if result.refusal:
        raise result.refusal


def _callbacks(stack: ExitStack, show_phase: ShowPhase, *, quiet: bool) -> ReleaseCallbacks:
    """Return callbacks that show a release on stderr while it runs.

    While the registry is changed, Ctrl-C is deferred until the stack is closed.
    """
    from textclf.release.publication import ReleaseCallbacks

    progress = TrainingProgress(show_phase, quiet=quiet)
    return ReleaseCallbacks(
        on_phase=progress.on_phase,
        on_read=lambda dataset: show_reading(dataset, quiet=quiet),
        on_unlabelled=render.warning,
        on_problems=partial(_warn_of_problems, quiet=quiet),
        on_plan=(lambda _plan, _job: None) if quiet else _announce,
        search=lambda job: progress.of_search(job.candidates(), job.settings.folds),
        on_publish=lambda: stack.enter_context(deferred_interrupts()),
    )


def _warn_of_problems(problems: Sequence[DataProblem], *, quiet: bool) -> None:
    """Warn of what is suspicious in the data, with an example, or with all if they are short."""
    for problem in problems:
        all_examples = ", ".join(problem.examples)
        all_shown = (
            len(all_examples) <= _LONGEST_EXAMPLES and len(problem.examples) == problem.count
        )
        example = f": {all_examples}" if all_shown else f", for example {problem.examples[0]}"
        render.warning(f"{problem.message}{example if problem.examples else ''}")
        if problem.kind == "small-label":
            render.hint(
                "--min-rows-per-label N --drop-small-labels leaves such labels out", quiet=quiet
            )


def _show(result: ReleaseResult, registry: Registry, *, as_json: bool, quiet: bool) -> None:
    """Show what came of a release: nothing new, a plan, or a published version."""
    if result.plan.version is None:
        _show_unchanged(registry, result, as_json=as_json, quiet=quiet)
    elif result.tested:
        _show_tested(result.tested, as_json=as_json)
    elif result.published is None:
        _show_plan(result, as_json=as_json)
    else:
        with render.answer_to_change(lambda: _done(result)):
            _show_published(result, result.published, as_json=as_json, quiet=quiet)


def _done(result: ReleaseResult) -> str:
    assert result.published is not None
    promoted = " and promoted it" if result.promotion else ""
    return f"published {result.published.version}{promoted}"


def _announce(plan: Plan, job: Job) -> None:
    tested_on = job.test.path if job.split is None else f"a split of {job.split:.0%}"
    candidates = len(job.candidates())
    render.progress(
        f"{job.train.path}: {plural(len(job.train), 'row')}, "
        f"{plural(len(job.train.label_counts), 'label')}; "
        f"tested on {plural(len(job.test), 'row')} of {tested_on}"
    )
    at_most = "at most " if job.settings.method == "race" else ""
    render.progress(
        f"{plural(candidates, 'candidate')} × {job.settings.folds} folds = "
        f"{at_most}{candidates * job.settings.folds} fits, scored by {job.settings.scoring}"
    )
    if job.sample_size:
        render.progress(
            f"the search uses a sample of {job.sample_size:,} rows, and the model is trained on "
            f"all {len(job.train):,}; --sample 0 searches on all rows"
        )
    if plan.inferred and plan.bump.requested not in ("auto", plan.inferred.value):
        render.hint(
            f"auto would make this a {plan.inferred} version: {'; '.join(plan.bump.reasons)}"
        )


def _show_unchanged(
    registry: Registry, result: ReleaseResult, *, as_json: bool, quiet: bool
) -> None:
    """Show that there is nothing to train, and how to go on unless it is for want of new rows."""
    bump = result.plan.bump
    base = registry.resolve(bump.base or "latest")
    promoted = registry.latest() == base
    if as_json:
        metadata = registry.unverified_metadata(base)
        further = FurtherFields(encodable(registry.locate(base)), promoted, published=False)
        render.json(metadata_with(metadata, further))
        return
    render.sentence(f"{bump.reasons[0]}: no new version")
    if not promoted:
        render.hint(f"{base} is not promoted; to promote it: textclf promote {base}", quiet=quiet)
    elif result.job is None or result.job.added is None:
        render.hint("--bump patch publishes a version anyway", quiet=quiet)


def _show_plan(result: ReleaseResult, *, as_json: bool) -> None:
    """Show what would be trained, and which number it would get."""
    plan, job = result.plan, result.job
    assert job is not None  # of a training
    if as_json:
        render.json(
            DryRunAnswer(
                dry_run=True,
                version=str(plan.version),
                bump=plan.bump,
                rows=job.rows,
                test_rows=job.test_rows,
                candidates=job.candidates,
                fits=job.fits,
            )
        )
        return
    render.sentence(f"would publish {plan.version} ({_why(plan.bump)})")
    render.sentence(
        f"from {plural(job.rows, 'row')} with {plural(job.labels, 'label')}, "
        f"tested on {plural(job.test_rows, 'row')}; "
        f"{plural(job.candidates, 'candidate')} × {job.folds} folds"
    )
    _show_why(job)


def _show_tested(metadata: Metadata, *, as_json: bool) -> None:
    """Show what would be published of a pipeline, and which number it would get."""
    bump, pipeline, test = metadata.bump, metadata.pipeline, metadata.test
    assert pipeline is not None  # a training is not tested in a dry run
    accuracy, macro_f1 = test.metrics.accuracy, test.metrics.macro_f1
    if as_json:
        answer = PublishDryRunAnswer(
            True, metadata.version, bump, pipeline, test.rows, accuracy, macro_f1
        )
        render.json(answer)
        return
    render.sentence(f"would publish {metadata.version} ({_why(bump)})")
    _show_model(metadata)


def _show_model(metadata: Metadata) -> None:
    """Show what was published, or would be, and how good it is."""
    render.sentence(f"  {escape_controls(_model_name(metadata))}")
    if metadata.pipeline:
        render.sentence(f"  opened by {escape_controls(metadata.pipeline.how_opened)}")
    searched, test = metadata.best_cv_accuracy is not None, metadata.test
    cv = f"{percent(metadata.best_cv_accuracy)} in cross-validation, " if searched else ""
    render.sentence(
        f"  accuracy {cv}{percent(metadata.test_accuracy)} on {plural(test.rows, 'test row')}; "
        f"macro F1 {percent(test.metrics.macro_f1)}"
    )


def _model_name(metadata: Metadata) -> str:
    """Return the winner as the leaderboard names it, or all that is known of a pipeline."""
    if metadata.search is None:
        return candidate_name(metadata.best_params)
    candidates = [candidate.params for candidate in metadata.search.candidates]
    return candidate_names([*candidates, metadata.best_params])[-1]


def _show_published(
    result: ReleaseResult, metadata: Metadata, *, as_json: bool, quiet: bool
) -> None:
    """Show how good the version is, what changed, and whether it is promoted."""
    promotions.warn_of_kept_file(result.kept)
    _warn_of_notes(metadata)
    promotion, path = result.promotion, str(result.path)
    if as_json:
        is_promoted = promotion is not None
        further = FurtherFields(encodable(path), is_promoted, True, result.delta, result.verdict)
        render.json(metadata_with(metadata, further))
        return
    render.sentence(f"published {render.strong(metadata.version)} ({_why(metadata.bump)})")
    _show_model(metadata)
    if result.job:
        _show_why(result.job, indent="  ")
    if result.delta:
        _show_delta(result.delta)
    render.sentence(
        f"  {escape_controls(path)}, {metadata.artifact.bytes:,} bytes, "
        f"{duration(sum(metadata.seconds.values()))}"
    )
    if result.verdict:
        document.write(verdict_blocks(result.verdict))
    if promotion:
        render.sentence(promotions.promotion_line(promotion, quiet=quiet))
        _warn_if_worse(result.delta, metadata.version)
        _warn_if_overtaken(result, promotion.previous)
    elif not result.refusal:
        render.hint(f"not promoted; to promote it: textclf promote {metadata.version}", quiet=quiet)


def _warn_if_overtaken(result: ReleaseResult, previous: str | None) -> None:
    """Say that what was compared with was no longer promoted in the end, if that is so."""
    assert result.published is not None
    version, delta = result.published.version, result.delta
    if delta and previous != delta.against:
        rows = " and has its rows and the new ones" if result.job and result.job.added else ""
        render.warning(
            f"{previous} was promoted while {version} was trained; {version} is compared with "
            f"{delta.against}{rows}"
        )


def _show_why(job: JobSummary, indent: str = "") -> None:
    """Show what a preset searches because of how the texts are written and labelled."""
    writing = job.writing
    if writing and writing.has_unspaced:
        kinds, texts = (
            ("word and character", "some") if writing.has_spaced else ("character", "most")
        )
        render.sentence(
            f"{indent}{kinds} n-grams, since {texts} of the texts are written without "
            f"spaces between words ({', '.join(writing.scripts)})"
        )
    if writing and writing.has_marked:
        render.sentence(
            f"{indent}words with their combining marks, such as vowel signs, which "
            f"{writing.marked:.0%} of the texts have"
        )
    if job.is_balanced:
        render.sentence(
            f"{indent}each LinearSVC also with class_weight=balanced, since some labels have far "
            "more rows than others"
        )


def _show_delta(delta: BaselineDelta) -> None:
    from textclf.evaluation.train_overlap import overlap_warning

    if delta.unavailable_reason:
        render.sentence(
            escape_controls(f"  not compared with {delta.against}: {delta.unavailable_reason}")
        )
        return
    overall = ", ".join(f"{change.name} {points(change.delta)}" for change in delta.metrics)
    render.sentence(f"  against {delta.against} on the same rows, in points: {overall}")
    if warning := overlap_warning(delta.against, delta.train_overlap):
        render.warning(warning)
    changed = [change for change in delta.per_class if change.delta]
    classes = [f"{excerpt(c.name, 40)} {points(c.delta)}" for c in changed]
    if classes:
        render.sentence(f"    {', '.join(first_few(classes, _CLASSES))}")


def _warn_if_worse(delta: BaselineDelta | None, version: str) -> None:
    """Warn that the version just promoted is worse than the one before, and how to go back."""
    if delta and delta.mcnemar and delta.is_worse:
        render.warning(
            f"{version} is worse than {delta.against} on the same rows: "
            f"{mcnemar(delta.against, version, delta.mcnemar)}; `textclf rollback` promotes "
            f"{delta.against} again; with --max-regression 0 the gate would have refused {version}"
        )


def _why(bump: BumpRecord) -> str:
    reasons = first_few(bump.reasons, _REASONS)
    return escape_controls(bump_reasons(bump, bump.applied, reasons))


def _warn_of_notes(metadata: Metadata) -> None:
    """Print each warning of scikit-learn during the search once, with its number of candidates."""
    candidates = metadata.search.candidates if metadata.search else []
    notes = Counter(note for candidate in candidates for note in candidate.notes)
    for note, count in notes.items():
        render.warning(f"{count} of {plural(len(candidates), 'candidate')}: {note}")

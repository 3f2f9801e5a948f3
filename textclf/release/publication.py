"""What every release has in common: its options, its result, and its last steps.

These compare the version with the promoted one, publish it, judge it and promote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from semver import Version

from textclf.data.dataset import Dataset, ReadOptions, read_dataset
from textclf.data.quality import DataProblem
from textclf.errors import GateRefused, IntegrityError, NoSuchVersion, TextclfError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.evaluation.train_overlap import train_overlap
from textclf.metadata.schema import Metadata
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import parse_version
from textclf.registry.alias import sync_alias
from textclf.registry.promotion import Promotion
from textclf.registry.publisher import Plan
from textclf.registry.registry import Registry
from textclf.registry.signing import Signer
from textclf.release.baseline import Baseline, BaselineDelta
from textclf.release.gate import Gate
from textclf.release.promote import LiveEvidence, find_baseline, promote_through_gate
from textclf.search.fit import FoldResult
from textclf.search.writing import Writing
from textclf.training.job import Job
from textclf.training.phases import OnPhase, Phase
from textclf.training.train import Trained

PageMaker = Callable[[Metadata], Mapping[str, bytes]]
"""Makes further files of a version from its metadata, once it has its number."""


@dataclass(frozen=True)
class ReleaseOptions:
    """What number a new version gets, and what is to become of it.

    Attributes:
        bump: ``auto``, ``patch``, ``minor`` or ``major``.
        base: the version whose number is increased; ``None`` is the highest.
        promote: whether the version is promoted if it passes the gate.
        gate: the conditions for its promotion.
        force: whether it is promoted although it does not meet them.
        message: why, in the user's words.
        dry_run: whether to stop once it is known which number it would get.
    """

    bump: str = "auto"
    base: Version | None = None
    promote: bool = True
    gate: Gate = field(default_factory=Gate)
    force: bool = False
    message: str | None = None
    dry_run: bool = False


OnFit = Callable[[FoldResult], object]
"""Takes a result of the search."""


@dataclass(frozen=True)
class JobSummary:
    """The size of a training: rows, labels, candidates and folds; and what a preset adapts to.

    Attributes:
        writing: that of the texts; ``None`` without a preset.
        is_balanced: whether balanced label weights are searched, too.
        added: how many rows are new, if rows were to be added to those of a version.
    """

    rows: int
    labels: int
    test_rows: int
    candidates: int
    folds: int
    writing: Writing | None = None
    is_balanced: bool = False
    added: int | None = None

    @classmethod
    def from_job(cls, job: Job) -> JobSummary:
        """Count what a job has."""
        labels, candidates = len(job.train.label_counts), len(job.candidates())
        folds, writing = job.settings.folds, job.writing
        is_balanced = writing is not None and job.is_unequal
        sizes = len(job.train), labels, len(job.test), candidates, folds
        return cls(*sizes, writing, is_balanced, job.added)

    @property
    def fits(self) -> int:
        """The number of fits of an exact search."""
        return self.candidates * self.folds


@dataclass(frozen=True)
class ReleaseResult:
    """What came of a release.

    Attributes:
        plan: the number of the version and the reasons for it; without a number nothing has
            changed since the base version, and nothing was trained.
        job: the size of the training; ``None`` if a pipeline was published.
        tested: in a dry run of publishing a pipeline, what would be recorded of it.
        published: the metadata of the new version; ``None`` if none was published.
        path: the location of its model file.
        delta: how it differs from the version promoted before; ``None`` if there was none.
        promotion: what its promotion did; ``None`` if it was not promoted.
        refusal: why the gate refused it.
        kept: where a file was moved to that stood in the place of the alias and that textclf had
            not made.
    """

    plan: Plan
    job: JobSummary | None = None
    tested: Metadata | None = None
    published: Metadata | None = None
    path: str | None = None
    delta: BaselineDelta | None = None
    promotion: Promotion | None = None
    refusal: GateRefused | None = None
    kept: str | None = None

    @property
    def verdict(self) -> Verdict | None:
        """How the version came through the gate, if there was one."""
        if self.refusal:
            refused: Verdict = self.refusal.verdict
            return refused
        return self.promotion.gate if self.promotion else None


@dataclass(frozen=True)
class ReleaseCallbacks:
    """What is called while a release runs, for example to show its progress.

    Attributes:
        on_read: takes each data set that was read.
        on_unlabelled: takes why the test data beside the training data is not used.
        on_problems: takes what is suspicious in the data.
        on_plan: takes what is about to be trained.
        search: returns a context for the time of the search, which gives a function that takes
            each of its results.
        on_phase: takes each phase as it begins.
        on_publish: prepares for the registry being changed, from then until `release` returns.
    """

    on_read: Callable[[Dataset], object] = lambda _: None
    on_unlabelled: Callable[[str], object] = lambda _: None
    on_problems: Callable[[Sequence[DataProblem]], object] = lambda _: None
    on_plan: Callable[[Plan, Job], object] = lambda _plan, _job: None
    search: Callable[[Job], AbstractContextManager[OnFit]] = lambda _: nullcontext(lambda _: None)
    on_phase: OnPhase = lambda _: None
    on_publish: Callable[[], object] = lambda: None


def read_rows(data: Path | Dataset, options: ReadOptions) -> Dataset:
    """Return rows: those given, or those of a file. Raises DataError."""
    return data if isinstance(data, Dataset) else read_dataset(data, options)


def publish_and_promote(  # noqa: PLR0913, PLR0917 - what is published, how, and what becomes of it
    registry: Registry,
    result: ReleaseResult,
    model: Trained,
    options: ReleaseOptions,
    evidence: LiveEvidence,
    baseline: Baseline,
    *,
    sign: Signer | None,
    report: Callable[[ScoredRows], PageMaker] | None,
    callbacks: ReleaseCallbacks,
) -> ReleaseResult:
    """Publish a model with its report, and promote it if that is wanted and passes the gate.

    Returns:
        The result so far, completed by what came of that.

    Raises:
        StoreError: the registry cannot be written to.
        TextclfError: it is published and could not be promoted for another reason than the gate.
    """
    callbacks.on_phase(Phase.REPORTING)
    pages = report(model.scored) if report else (lambda _: {})
    callbacks.on_publish()
    callbacks.on_phase(Phase.PUBLISHING)
    published = registry.publish(
        model.metadata, model.artifact, model.files, pages=pages, sign=sign
    )
    version = parse_version(published.version)
    evidence.add(version, published.test.metrics)
    promotion, refusal = _promote(registry, options, version, evidence)
    return replace(
        result,
        published=published,
        path=registry.locate(version),
        delta=baseline.delta(model.scored, published.test.metrics),
        promotion=promotion,
        refusal=refusal,
        kept=promotion.kept if promotion else _sync_alias(registry),
    )


def live_baseline(registry: Registry, evidence: LiveEvidence, rows: Dataset) -> Baseline:
    """Score the promoted version on the test rows.

    If it was tested on them before, its recorded metrics do, even if it cannot be opened. This is
    done before a training, which is long, and not after it, where an interruption or a version that
    cannot be opened would come at a bad moment.
    """
    promoted, overlap, labels = None, None, None
    with suppress(TextclfError):  # raised again when the new version is to be promoted
        promoted = registry.latest()
        if promoted:
            metadata = registry.metadata(promoted)
            [overlap] = train_overlap(rows, metadata.sketch)
            if metadata.test.rows_sha256 == rows.rows_sha256:
                evidence.add(promoted, metadata.test.metrics)
            labels = evidence.labels(promoted)
    return replace(find_baseline(evidence, promoted), train_overlap=overlap, labels=labels)


def _sync_alias(registry: Registry) -> str | None:
    """Let the alias follow the log, unless the promoted version cannot be relied on."""
    with suppress(NoSuchVersion, IntegrityError):  # of another version than the one published
        return sync_alias(registry)
    return None


def _promote(
    registry: Registry, options: ReleaseOptions, version: Version, evidence: LiveEvidence
) -> tuple[Promotion | None, GateRefused | None]:
    """Promote the published version if that is wanted and passes the gate."""
    if not options.promote:
        return None, None
    gate, message, force = options.gate, options.message, options.force
    try:
        done = promote_through_gate(registry, version, gate, evidence, message=message, force=force)
    except GateRefused as refusal:
        return None, refusal
    except TextclfError as error:
        error.hint = f"{version} is published; to promote it: textclf promote {version}"
        raise
    return done, None

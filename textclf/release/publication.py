"""The end of every release: compare with the promoted version, publish, judge, promote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from semver import Version

from textclf.data.dataset import Dataset
from textclf.errors import GateRefused, IntegrityError, NoSuchVersion, TextclfError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.evaluation.train_overlap import train_overlap
from textclf.metadata.schema import Metadata
from textclf.metadata.versions import parse_version
from textclf.registry.promotion import Promotion
from textclf.registry.registry import Registry
from textclf.registry.signing import Signer
from textclf.release.baseline import Baseline
from textclf.release.gate import Gate
from textclf.release.promote import LiveEvidence, find_baseline, promote
from textclf.training.phases import Phase

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


class Model(Protocol):
    """What is published: the metadata, the model file, further files, and the scored test rows."""

    @property
    def metadata(self) -> Metadata: ...  # noqa: D102 - documented by the class
    @property
    def artifact(self) -> bytes: ...  # noqa: D102
    @property
    def files(self) -> Mapping[str, bytes]: ...  # noqa: D102
    @property
    def scored(self) -> ScoredRows: ...  # noqa: D102


class Publishing(Protocol):
    """What is called while a version is published."""

    @property
    def on_phase(self) -> Callable[[Phase], object]: ...  # noqa: D102 - documented by the class
    @property
    def on_publish(self) -> Callable[[], object]: ...  # noqa: D102


@dataclass(frozen=True)
class Publication:
    """What came of publishing a version; see `ReleaseResult` for the fields."""

    published: Metadata
    path: str
    promotion: Promotion | None
    refusal: GateRefused | None
    kept: str | None


def publish_and_promote(  # noqa: PLR0913 - what is published, how, and what is to become of it
    registry: Registry,
    model: Model,
    options: ReleaseOptions,
    evidence: LiveEvidence,
    *,
    sign: Signer | None,
    report: Callable[[ScoredRows], PageMaker] | None,
    callbacks: Publishing,
) -> Publication:
    """Publish a model with its report, and promote it if that is wanted and passes the gate.

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
    kept = promotion.kept if promotion else _sync_alias(registry)
    return Publication(published, registry.locate(version), promotion, refusal, kept)


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
        return registry.sync_alias()
    return None


def _promote(
    registry: Registry, options: ReleaseOptions, version: Version, evidence: LiveEvidence
) -> tuple[Promotion | None, GateRefused | None]:
    """Promote the published version if that is wanted and passes the gate."""
    if not options.promote:
        return None, None
    gate, message, force = options.gate, options.message, options.force
    try:
        done = promote(registry, version, gate, evidence, message=message, force=force)
    except GateRefused as refusal:
        return None, refusal
    except TextclfError as error:
        error.hint = f"{version} is published; to promote it: textclf promote {version}"
        raise
    return done, None

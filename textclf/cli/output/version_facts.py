"""What is recorded of a version: as facts for people, and as the object that is its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textclf.cli.output import document, render
from textclf.cli.output.metrics import class_table
from textclf.formatting import (
    MISSING,
    candidate_name,
    escape_controls,
    percent,
    plural,
    tag_list,
)

if TYPE_CHECKING:
    from textclf.metadata.schema import BumpRecord, Metadata


def show(metadata: Metadata, path: str, tags: Mapping[str, str], *, latest: bool) -> None:
    """Show what is recorded of a version, and its metrics of each class."""
    facts = _facts(metadata, path, tags, latest=latest)
    width = max(map(len, facts))
    for name, fact in facts.items():
        fact_line = f"{render.strong(name.ljust(width))}  {escape_controls(fact)}"
        render.sentence(fact_line, hang=width + 2)
    document.write([class_table(metadata.test.metrics)])


def metadata_with(metadata: Metadata, further: Any) -> dict[str, Any]:
    """Return the metadata object with the fields of a dataclass at its end."""
    import msgspec

    return {**msgspec.to_builtins(metadata), **msgspec.to_builtins(further)}


def bump_reasons(bump: BumpRecord, applied: str, reasons: Sequence[str]) -> str:
    """Return what a bump is, and what has changed: that is not its reason if it was asked for."""
    separator = ":" if bump.requested == "auto" else " by --bump;"
    return f"{applied}{separator} {'; '.join(reasons)}"


def _facts(
    metadata: Metadata, path: str, tags: Mapping[str, str], *, latest: bool
) -> dict[str, str]:
    bump, artifact = metadata.bump, metadata.artifact
    since = f" from {bump.base}" if bump.base else ""
    return {
        "version": metadata.version + (" (latest)" if latest else ""),
        "saved": metadata.saved_at,
        "message": metadata.message or MISSING,
        **({"tags": tag_list(tags)} if tags else {}),
        "bump": bump_reasons(bump, bump.applied + since, bump.reasons),
        "model": candidate_name(metadata.best_params),
        **_pipeline(metadata),
        "cv accuracy": _search(metadata),
        "test": _test(metadata),
        **({"no label": f"for a text if {limits}"} if (limits := str(metadata.limits)) else {}),
        "data": _data(metadata),
        "environment": _environment(metadata),
        "git": _commit(metadata),
        "file": f"{path}, {artifact.bytes:,} bytes, SHA-256 {artifact.sha256[:12]}…",
    }


def _pipeline(metadata: Metadata) -> dict[str, str]:
    """Return how a pipeline that was fitted elsewhere came here, and how it is opened."""
    pipeline = metadata.pipeline
    if pipeline is None:
        return {}
    source = f", from {pipeline.path}" if pipeline.path else ""
    steps = f"{' → '.join(pipeline.steps)}{source}"
    return {"pipeline": steps, "opened by": pipeline.how_opened}


def _search(metadata: Metadata) -> str:
    search = metadata.search
    if search is None:
        return "unknown: fitted outside of textclf"
    return (
        f"{percent(metadata.best_cv_accuracy)} in {search.folds} folds, "
        f"the best of {plural(len(search.candidates), 'candidate')} by {search.scoring}"
    )


def _test(metadata: Metadata) -> str:
    test = metadata.test
    rows = f"{plural(test.rows, 'row')} of {test.path or f'a split of {test.split:.0%}'}"
    accuracy, macro_f1 = percent(metadata.test_accuracy), percent(test.metrics.macro_f1)
    return f"accuracy {accuracy}, macro F1 {macro_f1} on {rows}"


def _data(metadata: Metadata) -> str:
    data = metadata.data
    if data is None:
        return f"unknown rows with {plural(len(metadata.labels), 'label')}"
    skipped = f", {plural(data.skipped_rows, 'bad row')} skipped" if data.skipped_rows else ""
    if data.tool:
        skipped += f", an export of {data.tool}"
    if data.left_out:
        skipped += f", {plural(sum(data.left_out.values()), 'record')} of it left out"
    return f"{data.path}, {plural(data.rows, 'row')}{skipped}, SHA-256 {data.sha256[:12]}…"


def _environment(metadata: Metadata) -> str:
    environment = metadata.environment
    named = {"textclf": metadata.code.textclf, "Python": environment.python}
    return ", ".join(f"{name} {v}" for name, v in {**named, **environment.libraries}.items())


def _commit(metadata: Metadata) -> str:
    code = metadata.code
    if not code.git_commit:
        return MISSING
    return code.git_commit[:12] + (" with changes" if code.dirty else "")

"""A model card in the form of Hugging Face's: metadata in YAML, then Markdown.

The fields are those of https://huggingface.co/docs/hub/model-cards; the sections follow M. Mitchell
et al., 2019, "Model cards for model reporting". What textclf cannot know, it leaves to people, and
says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from string import Template

from textclf.evaluation.train_overlap import overlap_warning
from textclf.formatting import code_span, encodable, excerpt, percent, plural
from textclf.metadata.schema import ARTIFACT, Metadata
from textclf.report.subject import Subject, split_of

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$!])")
"""Characters that have a meaning inside a line of Markdown."""


def card(subject: Subject) -> bytes:
    """Return the model card of a version."""
    metadata = subject.metadata
    test, code, limits = metadata.test, metadata.code, str(metadata.limits)
    metrics, method = test.metrics, subject.intervals.method
    tested_on = test.path or f"{split_of(metadata)} {metadata.training[0].path}"
    message = f"\nReason: {_plain(metadata.message)}\n" if metadata.message else ""
    parameters = ((_code(name), _code(value)) for name, value in metadata.best_params.items())
    values = {
        "quoted_name": _quoted(f"text classifier {subject.version}"),
        "quoted_test": _quoted(tested_on),
        "quoted_test_digest": _quoted(test.sha256 or test.rows_sha256),
        "accuracy": f"{metrics.accuracy:.6f}",
        "macro_f1": f"{metrics.macro_f1:.6f}",
        "weighted_f1": f"{metrics.weighted_f1:.6f}",
        "version": subject.version,
        "labels": plural(len(metadata.labels), "label"),
        "kind": _kind(metadata),
        "textclf": code.textclf,
        "saved_at": metadata.saved_at,
        "message": message,
        "parameters": _table(["Parameter", "Value"], parameters, "---"),
        "artifact": ARTIFACT,
        "artifact_digest": metadata.artifact.sha256,
        "training_data": _training_data(metadata),
        "test_rows": plural(test.rows, "row"),
        "test": _code(tested_on),
        "selection": _selection(metadata),
        "again": _again(metadata),
        "overlap": _overlap(metadata),
        "limits": f"\ntextclf gives a text no label if {limits}.\n" if limits else "",
        "metrics": _table(["Metric", "Value"], _metrics(subject)),
        "method": f"{method.name} with {method.resamples:,} resamples of the rows",
        "scores": _table(["Label", "Precision", "Recall", "F1", "Test rows"], _scores(metadata)),
        "environment": _table(["Name", "Version"], _environment(metadata), "---"),
    }
    template = files("textclf.report").joinpath("model_card.md.tmpl").read_text("utf-8")
    return Template(template).substitute(values).encode()


def _kind(metadata: Metadata) -> str:
    """Return what the model is, and by whom it was trained."""
    pipeline = metadata.pipeline
    if pipeline is None:
        return "TF-IDF of n-grams and a linear\nclassifier, trained and"
    return f"{_code(', '.join(pipeline.steps))},\nfitted outside of textclf, and"


def _training_data(metadata: Metadata) -> str:
    data = metadata.data
    if data is None:
        labels = ((_code(label),) for label in metadata.labels)
        return f"Unknown: the model was fitted outside of textclf.\n\n{_table(['Label'], labels)}"
    counts = ((_code(label), f"{rows:,}") for label, rows in data.labels.items())
    rows = f"{plural(data.rows, 'row')} of {_code(data.path)}, SHA-256 `{data.sha256}`."
    return f"{rows}\n\n{_table(['Label', 'Rows'], counts)}"


def _selection(metadata: Metadata) -> str:
    search = metadata.search
    if search is None:
        return "How the model was selected is not\nknown."
    return (
        f"The model was selected among {plural(len(search.candidates), 'candidate')} by "
        f"{search.scoring} in\ncross-validation with {search.folds} folds."
    )


def _again(metadata: Metadata) -> str:
    if metadata.search is None:
        return "All that textclf knows of the model"
    return "All that is needed to train the model again"


def _metrics(subject: Subject) -> list[tuple[str, str]]:
    metrics, accuracy = subject.metadata.test.metrics, subject.intervals.accuracy
    rows = [
        ("Test accuracy", percent(metrics.accuracy)),
        ("its 95% interval", f"{percent(accuracy.low)} to {percent(accuracy.high)}"),
        ("Macro F1", percent(metrics.macro_f1)),
        ("Weighted F1", percent(metrics.weighted_f1)),
        ("Cross-validated accuracy", percent(subject.metadata.best_cv_accuracy)),
    ]
    if metrics.roc_auc is not None:
        rows += [("ROC AUC", f"{metrics.roc_auc:.3f}")]
    for label, value in (metrics.average_precision or {}).items():
        rows += [(f"Average precision of {_code(label)}", f"{value:.3f}")]
    if subject.data and (probabilities := subject.data.probabilities):
        error = percent(probabilities.calibration_error)
        log_loss = f"{probabilities.log_loss:.3f}"
        rows += [("Expected calibration error", error), ("Log-loss", log_loss)]
    return rows


def _overlap(metadata: Metadata) -> str:
    warning = overlap_warning(metadata.version, metadata.test.train_overlap)
    return f"\n**{warning}.**\n" if warning else ""


def _scores(metadata: Metadata) -> Iterable[Sequence[str]]:
    for label, scores in metadata.test.metrics.per_class.items():
        shares = map(percent, (scores.precision, scores.recall, scores.f1))
        yield [_code(label), *shares, f"{scores.support:,}"]


def _environment(metadata: Metadata) -> Iterable[Sequence[str]]:
    environment, code = metadata.environment, metadata.code
    commit = f"{code.git_commit}{' with changes' if code.dirty else ''}" if code.git_commit else "–"
    versions = {
        "Python": environment.python,
        **environment.libraries,
        "textclf": code.textclf,
        "Platform": environment.platform,
        "Git commit": commit,
    }
    return ((_plain(name), _code(version)) for name, version in versions.items())


# -- text that keeps its form ---------------------------------------------------------------------


def _quoted(text: object) -> str:
    """Return a YAML string: a JSON string, with all that YAML might not accept as escapes."""
    quoted = json.dumps(encodable(text)[:200], ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _plain(text: object) -> str:
    """Return Markdown that shows a text as nothing but text, inside a line."""
    return _MARKUP.sub(r"\\\1", excerpt(" ".join(str(text).split()), 2000))


def _code(text: object) -> str:
    """Return a code span that shows a text as it is, also in a table."""
    return code_span(excerpt(" ".join(str(text).split()), 200).replace("|", r"\|") or " ")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], rule: str = "---:") -> str:
    """Return a table; the ``rule`` aligns all columns but the first."""
    lines = (heads, ["---", *[rule] * (len(heads) - 1)], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

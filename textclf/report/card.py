"""A model card in the form of Hugging Face's: metadata in YAML, then Markdown.

The fields are those of https://huggingface.co/docs/hub/model-cards; the sections follow M. Mitchell
et al., 2019, "Model cards for model reporting". What textclf cannot know, it leaves to people, and
says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from textclf.metadata.schema import ARTIFACT, Metadata
from textclf.report.html import numbers
from textclf.report.html.markup import shorten
from textclf.report.subject import Subject

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$!])")
"""What means something inside a line of Markdown."""

_USES = """\
## Uses and limits

What it is meant for, and for whom, is not known to textclf: write it here.

It knows the n-grams of its training texts and nothing of the world. It gives every text one of its
labels, also a text that fits none, or of another kind, time or language. The scores below hold for
texts like the test rows. Whether it is fair to the people whom the texts are from or about has not
been looked at.
"""


def card(subject: Subject) -> bytes:
    """The model card of a version."""
    parts = [_head(subject), _model(subject.metadata), _USES, _data(subject.metadata)]
    return "\n".join([*parts, _results(subject), _origin(subject.metadata)]).encode()


def _tested_on(metadata: Metadata) -> str:
    test = metadata.test
    return test.path or f"a split of {test.split or 0:.0%} of {metadata.data.path}"


# -- YAML -----------------------------------------------------------------------------------------


def _head(subject: Subject) -> str:
    test, metrics = subject.metadata.test, subject.metadata.test.metrics
    lines = [
        "---",
        "# Neither the license nor the language of the texts is known to textclf:",
        "# fill them in before you share this.",
        "license: unknown",
        "# language:",
        "library_name: sklearn",
        "pipeline_tag: text-classification",
        "tags:",
        *(f"- {tag}" for tag in ("sklearn", "text-classification", "textclf")),
        "metrics:",
        "- accuracy",
        "- f1",
        "model-index:",
        f"- name: {_quoted(f'text classifier {subject.version}')}",
        "  results:",
        "  - task:",
        "      type: text-classification",
        "      name: Text Classification",
        "    dataset:",
        "      type: private",
        f"      name: {_quoted(_tested_on(subject.metadata))}",
        "      split: test",
        f"      revision: {_quoted(test.sha256 or test.rows_sha256)}",
        "    metrics:",
        *_metric("accuracy", "Accuracy", metrics.accuracy),
        *_metric("f1", "Macro F1", metrics.macro_f1, average="macro"),
        *_metric("f1", "Weighted F1", metrics.weighted_f1, average="weighted"),
        "---",
    ]
    return "\n".join([*lines, ""])


def _quoted(text: object) -> str:
    """A string of YAML: JSON's, with all written out that YAML might not take as it is."""
    shown = json.dumps(shorten(text, 200), ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in shown)


def _metric(kind: str, name: str, value: float, average: str | None = None) -> list[str]:
    lines = [f"    - type: {kind}", f"      name: {name}", f"      value: {value:.6f}"]
    return [*lines, f"      args: {{average: {average}}}"] if average else lines


# -- Markdown -------------------------------------------------------------------------------------


def _plain(text: object, width: int = 2000) -> str:
    """A text as nothing but text, inside a line."""
    return _MARKUP.sub(r"\\\1", " ".join(shorten(text, width).split()))


def _code(text: object, width: int = 200) -> str:
    """A text as it is, in a code span; its fence is longer than any in the text."""
    shown = " ".join(shorten(text, width).split()).replace("|", r"\|") or " "
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    room = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{room}{shown}{room}{fence}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], rule: str = "---:") -> str:
    """A table; all columns but the first are aligned by the ``rule``."""
    lines = (heads, ["---", *[rule] * (len(heads) - 1)], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _model(metadata: Metadata) -> str:
    labels = numbers.counted(len(metadata.data.labels), "label")
    message = f"\nWhy it was made: {_plain(metadata.message)}\n" if metadata.message else ""
    parameters = ((_code(name), _code(value)) for name, value in metadata.best_params.items())
    return f"""\
# Text classifier {metadata.version}

A scikit-learn pipeline that gives a text one of {labels}: TF-IDF of n-grams and a linear
classifier, trained and published by textclf {metadata.code.textclf} on {metadata.saved_at}.
{message}
{_table(["Parameter", "Value"], parameters, "---")}
```python
import joblib

classifier = joblib.load("{ARTIFACT}")
print(classifier.predict(["a text"]))
```

`joblib.load` runs whatever code a file holds: load only what you trust. The SHA-256 of the model
file is `{metadata.artifact.sha256}`.
"""


def _data(metadata: Metadata) -> str:
    data = metadata.data
    rows = ((_code(label), numbers.count(n)) for label, n in data.labels.items())
    return f"""\
## Training data

{numbers.counted(data.rows, "row")} of {_code(data.path)}, SHA-256 `{data.sha256}`.

{_table(["Label", "Rows"], rows)}"""


def _results(subject: Subject) -> str:
    test, search = subject.metadata.test, subject.metadata.search
    labels = (
        [
            _code(label),
            *map(numbers.percent, (found.precision, found.recall, found.f1)),
            numbers.count(found.support),
        ]
        for label, found in test.metrics.per_class.items()
    )
    return f"""\
## Evaluation

On {numbers.counted(test.rows, "row")} of {_code(_tested_on(subject.metadata))}. It was chosen among
{numbers.counted(len(search.candidates), "candidate")} by {search.scoring} in cross-validation with
{search.folds} folds.

{_table(["Metric", "Value"], _metrics(subject))}
{_table(["Label", "Precision", "Recall", "F1", "Test rows"], labels)}"""


def _metrics(subject: Subject) -> list[tuple[str, str]]:
    test = subject.metadata.test
    interval = numbers.between(*numbers.wilson(test.metrics.accuracy, test.rows))
    shown = [
        ("Test accuracy", numbers.percent(test.metrics.accuracy)),
        ("its 95 % interval", interval),
        ("Macro F1", numbers.percent(test.metrics.macro_f1)),
        ("Weighted F1", numbers.percent(test.metrics.weighted_f1)),
        ("Cross-validated accuracy", numbers.percent(subject.metadata.best_cv_accuracy)),
    ]
    if subject.evidence and (found := subject.evidence.probabilities):
        error = numbers.percent(found.calibration_error)
        shown += [("Expected calibration error", error), ("Log-loss", f"{found.log_loss:.3f}")]
    return shown


def _origin(metadata: Metadata) -> str:
    environment, code = metadata.environment, metadata.code
    commit = f"{code.git_commit}{' with changes' if code.dirty else ''}" if code.git_commit else "–"
    made_with = {
        "Python": environment.python,
        **environment.libraries,
        "textclf": code.textclf,
        "Platform": environment.platform,
        "Git commit": commit,
    }
    rows = ((_plain(name), _code(version)) for name, version in made_with.items())
    return f"""\
## Made with

{_table(["What", "Version"], rows, "---")}
All that is needed to train it again is in `metadata.json` beside the model file; `report.html`
shows how good it is at what.
"""

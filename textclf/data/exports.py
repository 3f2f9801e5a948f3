"""The exports of labelling tools: how each is recognised, and what its records mean.

A tool exports more than texts and labels: records that were rejected, skipped or not labelled yet,
the answers of several annotators, suggestions of a model. Each `Export` says which parts of a
record are texts and which are answers of people, and which records the tool does not train on.

The shapes are those that the tools document or write: https://prodi.gy/docs/api-interfaces,
https://doccano.github.io/doccano/, https://labelstud.io/guide/export, https://docs.argilla.io.
"""

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Record = Mapping[str, Any]
"""A row by the names of its columns, or a JSON object."""


@dataclass(frozen=True)
class Entry:
    """What a record says.

    Attributes:
        texts: the values that may be the text, by name.
        answers: for each question, the answers of those who labelled the record.
        left_out: why the tool does not train on it; None if it does.
    """

    texts: Record
    answers: Mapping[str, Sequence[Any]]
    left_out: str | None = None


@dataclass(frozen=True)
class Export:
    """The export of a tool.

    Attributes:
        tool: the name of the tool.
        recognise: whether a record looks like one of this export.
        entry: what a record says that looks like one.
        decision: the column by which records are left out. If it is asked for as the label, it is
            what people answered, and leaves nothing out.
    """

    tool: str
    recognise: Callable[[Record], bool]
    entry: Callable[[Record], Entry]
    decision: str | None = None


def find_export(records: Iterable[Record]) -> Export | None:
    """Return the export that all of some records look like, if there is one."""
    records = list(records)
    exports = (export for export in EXPORTS if all(map(export.recognise, records)))
    return next(exports, None) if records else None


def decision_column(tool: str | None) -> str | None:
    """Return the column in which a tool keeps whether a record was accepted, if it has one."""
    return next((export.decision for export in EXPORTS if export.tool == tool), None)


# --- Prodigy --------------------------------------------------------------------------------------

_PRODIGY_ANSWERS: Final = {"accept": None, "reject": "rejected", "ignore": "ignored"}


def _is_prodigy(record: Record) -> bool:
    return record.get("answer") in (*_PRODIGY_ANSWERS,) and bool(
        {"label", "accept", "options", "_task_hash"} & record.keys()
    )


def _prodigy(record: Record) -> Entry:
    """Read a decision about one label, or a choice of options: ``accept`` lists those chosen."""
    chosen = record.get("accept") if "options" in record else record.get("label")
    left_out = _PRODIGY_ANSWERS[record["answer"]]
    decision = [] if left_out == "ignored" else [record["answer"]]
    answers = {**_single(record), "label": [_parsed(chosen)], "answer": decision}
    return Entry(record, answers, left_out)


# --- doccano --------------------------------------------------------------------------------------


def _is_doccano(record: Record) -> bool:
    names = record.keys()
    listed = isinstance(record.get("label"), list) and bool({"text", "data"} & names)
    joined = names == {"id", "data", "label"} or {"text", "label", "Comments"} <= names
    return "id" in names and (listed or joined)


def _doccano(record: Record) -> Entry:
    """Read a list of labels; in CSV they are joined by ``#``."""
    labels = record["label"] or []
    if isinstance(labels, str):
        parts = labels.split("#")
        labels = parts if all(parts) else [labels]
    text = record["text"] if "text" in record else record["data"]
    return Entry({**record, "text": text}, {**_single(record), "label": [labels] if labels else []})


def _is_old_doccano(record: Record) -> bool:
    annotations = record.get("annotations")
    return (
        "text" in record
        and isinstance(annotations, list)
        and all(isinstance(one, dict) and "label" in one for one in annotations)
    )


def _old_doccano(record: Record) -> Entry:
    """Read the annotations of each user, who may have given several labels."""
    by_user: dict[str, list[Any]] = {}
    for one in record["annotations"]:
        by_user.setdefault(str(one.get("user")), []).append(one["label"])
    return Entry(record, {"label": list(by_user.values())})


# --- Label Studio ---------------------------------------------------------------------------------

_LABEL_STUDIO_COLUMNS: Final = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"),
    *("agreement", "history"),
}


def _is_label_studio(record: Record) -> bool:
    return isinstance(record.get("data"), dict) and isinstance(_annotations(record), list)


def _annotations(record: Record) -> Any:
    return record.get("annotations", record.get("completions"))


def _label_studio(record: Record) -> Entry:
    """Read the choices of each annotator; predictions are not answers."""
    answers: dict[str, list[Any]] = {}
    annotations = [one for one in _annotations(record) if isinstance(one, dict)]
    kept = [one for one in annotations if not (one.get("was_cancelled") or one.get("skipped"))]
    for annotation in kept:
        for result in annotation.get("result") or []:
            value = result.get("value") if isinstance(result, dict) else None
            if isinstance(value, dict) and "choices" in value:
                answers.setdefault(result.get("from_name", "label"), []).append(value["choices"])
    return Entry(record["data"], answers, "skipped" if annotations and not kept else None)


def _is_flat_label_studio(record: Record) -> bool:
    return {"annotation_id", "annotator", "lead_time"} <= record.keys()


def _flat_label_studio(record: Record) -> Entry:
    """Read JSON-MIN and CSV, where several choices are an object ``{"choices": […]}``."""
    own = {name: value for name, value in record.items() if name not in _LABEL_STUDIO_COLUMNS}
    return Entry(own, {name: _given([_choices(value)]) for name, value in own.items()})


def _choices(value: Any) -> Any:
    parsed = _parsed(value)
    return parsed["choices"] if isinstance(parsed, dict) and "choices" in parsed else value


# --- Argilla --------------------------------------------------------------------------------------

_RESPONSES: Final = ".responses"
_SUGGESTION: Final = "-suggestion"


def _is_argilla(record: Record) -> bool:
    return (
        isinstance(record.get("fields"), dict)
        and "status" in record
        and isinstance(record.get("responses"), dict | list | None)
        and bool({"suggestions", "responses"} & record.keys())
    )


def _argilla(record: Record) -> Entry:
    """Read the records of Argilla 2, which have answers to each question."""
    responses = record.get("responses")
    asked = responses if isinstance(responses, dict) else {}
    answers = {name: _submitted(given) for name, given in asked.items()}
    return Entry(record["fields"], answers, _discarded(record))


def _is_flat_argilla(record: Record) -> bool:
    return any(name.endswith(_RESPONSES) for name in record)


def _flat_argilla(record: Record) -> Entry:
    """Read the columns of Argilla 2: ``label.responses`` and ``label.responses.status``."""
    answers = {}
    for name, value in record.items():
        if name.endswith(_RESPONSES):
            given = _listed(value)
            states = _listed(record.get(f"{name}.status")) or ["submitted"] * len(given)
            pairs = zip(given, states, strict=False)
            answers[name.removesuffix(_RESPONSES)] = [v for v, state in pairs if _counts(state)]
    return Entry(record, answers, _discarded(record))


def _is_feedback_argilla(record: Record) -> bool:
    return any(f"{name}{_SUGGESTION}" in record for name in record)


def _feedback_argilla(record: Record) -> Entry:
    """Read the columns of a feedback data set of Argilla 1: ``label``, ``label-suggestion``."""
    questions = [name for name in record if f"{name}{_SUGGESTION}" in record]
    answers = {name: _submitted(_listed(record[name])) for name in questions}
    return Entry(record, answers, _discarded(record))


def _is_old_argilla(record: Record) -> bool:
    return {"annotation", "prediction", "status"} <= record.keys()


def _old_argilla(record: Record) -> Entry:
    """Read the text classification records of Argilla 1, whose ``prediction`` is a model's."""
    inputs = record.get("inputs")
    present = {name: value for name, value in record.items() if value is not None}
    texts = {**(inputs if isinstance(inputs, dict) else {}), **present}
    answers = {"label": _given([_parsed(record["annotation"])])}
    return Entry(texts, {**answers, "annotation": answers["label"]}, _discarded(record))


def _discarded(record: Record) -> str | None:
    return "discarded" if str(record.get("status")).lower() == "discarded" else None


def _submitted(responses: Any) -> list[Any]:
    """Return the answers that were submitted, and neither drafted nor discarded."""
    return [
        one["value"]
        for one in _listed(responses)
        if isinstance(one, dict) and _counts(one.get("status")) and one.get("value") is not None
    ]


def _counts(state: Any) -> bool:
    return state in (None, "submitted")


# --- Hugging Face ---------------------------------------------------------------------------------


HUGGING_FACE: Final = Export(
    "Hugging Face", lambda _: True, lambda record: Entry(record, _single(record))
)
"""A table whose schema names the classes; its records do not show that.

A row without a label has -1 for the number of its class, which is no name.
"""

# --- values ---------------------------------------------------------------------------------------


def _single(record: Record) -> Mapping[str, Sequence[Any]]:
    """Return each column as the one answer to a question, as for a column asked for by name."""
    return {name: _given([value]) for name, value in record.items()}


def _given(answers: list[Any]) -> list[Any]:
    return [answer for answer in answers if answer not in (None, "", [])]


def _listed(value: Any) -> list[Any]:
    parsed = _parsed(value)
    return list(parsed) if isinstance(parsed, list | tuple) else []


def _parsed(value: Any) -> Any:
    """Return a list or an object that a table holds as text, as JSON or as Python writes it."""
    if not (isinstance(value, str) and value.startswith(("[", "{"))):
        return value
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return value


EXPORTS: Final = (
    Export("Prodigy", _is_prodigy, _prodigy, decision="answer"),
    Export("Label Studio", _is_label_studio, _label_studio),
    Export("Label Studio", _is_flat_label_studio, _flat_label_studio),
    Export("Argilla", _is_argilla, _argilla),
    Export("Argilla", _is_flat_argilla, _flat_argilla),
    Export("Argilla", _is_feedback_argilla, _feedback_argilla),
    Export("Argilla", _is_old_argilla, _old_argilla),
    Export("doccano", _is_doccano, _doccano),
    Export("doccano", _is_old_doccano, _old_doccano),
)
"""The exports that records show; the first that recognises the records reads them."""

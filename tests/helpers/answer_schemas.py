"""The JSON Schemas of docs/schema, made from the types whose values the commands print."""

import functools
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass

import msgspec

from textclf.cli.commands.cache import CacheAnswer, ClearAnswer
from textclf.cli.commands.doctor import DoctorAnswer
from textclf.cli.commands.pick import PickAnswer
from textclf.cli.commands.sign import SignAnswer
from textclf.cli.commands.verify import RepairAnswer, VerifyAnswer
from textclf.cli.commands.versions.archives import ExportAnswer, ImportAnswer
from textclf.cli.commands.versions.report import ReportAnswer
from textclf.cli.commands.versions.show import FurtherFields as ShownFields
from textclf.cli.commands.versions.tag import TagAnswer
from textclf.cli.failures import Failure
from textclf.cli.output.check_report import CheckAnswer
from textclf.cli.output.copies import CopyAnswer, MirrorAnswer
from textclf.cli.output.evaluation_report import EvaluateAnswer
from textclf.cli.output.predictions_json import ExplainedText, LabelledText
from textclf.cli.output.promotions import PromotionAnswer
from textclf.cli.output.prune_report import PruneAnswer
from textclf.cli.output.reproduction_report import ReproduceAnswer
from textclf.cli.output.training_report import DryRunAnswer, FurtherFields, PublishDryRunAnswer
from textclf.data import quality
from textclf.evaluation import metadata_diff, records
from textclf.evaluation.paired import PairedComparison
from textclf.exporters.mlflow import mirror
from textclf.metadata import schema, verdict
from textclf.metadata.schema import Metadata
from textclf.prediction import explanation
from textclf.registry import copying, diagnosis, verification
from textclf.registry.event_log import Event
from textclf.registry.listing import ListedVersion
from textclf.registry.promotion_log import PromotionRecord
from textclf.registry.store import file_cache
from textclf.release import baseline
from textclf.training import reproduce, warmup

_NAMES = {"Mapping": Mapping, "Sequence": Sequence} | {
    name: value
    for module in (
        quality, metadata_diff, records, schema, verdict, explanation, verification, baseline,
        reproduce, diagnosis, file_cache, copying,
    )
    for name, value in vars(module).items()
}  # fmt: skip
"""Types that the command line names, but imports only for the type checker."""


@dataclass(frozen=True)
class Answer:
    """An object with the fields of some types, one type after the other.

    Attributes:
        types: the types.
        without: names of fields of theirs that are not in the answer.
        added: further fields and their types.
        optional: names of fields that are left out where they do not apply.
    """

    types: tuple[type, ...]
    without: tuple[str, ...] = ()
    added: dict[str, object] = field(default_factory=dict)
    optional: tuple[str, ...] = ()


_PROMOTION = Answer((PromotionRecord,), without=("sha256", "metadata_sha256", "token"))
_PROMOTION_OF_ALL = Answer(
    _PROMOTION.types, _PROMOTION.without, {"kind": typing.Literal["promoted"]}
)
_EVENT = Answer((Event,), without=("token",))
_PREDICTED = {"version": str, "score_type": typing.Literal["probability", "decision"]}
_SCORED = Answer((PairedComparison,), without=("flips",), added={"flips": int})

ANSWERS = {
    "train": Answer((Metadata, FurtherFields)),
    "train --dry-run": Answer((DryRunAnswer,)),
    "publish": Answer((Metadata, FurtherFields)),
    "publish --dry-run": Answer((PublishDryRunAnswer,)),
    "check": Answer((CheckAnswer,)),
    "predict": Answer(
        (), added={**_PREDICTED, "predictions": [Answer((LabelledText,), optional=("known",))]}
    ),
    "predict --explain": Answer(
        (), added={**_PREDICTED, "predictions": [Answer((ExplainedText,), optional=("known",))]}
    ),
    "pick": Answer((PickAnswer,)),
    "evaluate": Answer((EvaluateAnswer,)),
    "versions list": [Answer((ListedVersion,))],
    "versions show": Answer((Metadata, ShownFields)),
    "versions compare": Answer((metadata_diff.Comparison,)),
    "versions compare --data": Answer((metadata_diff.Comparison,), added={"scored": _SCORED}),
    "versions report": Answer((ReportAnswer,)),
    "versions tag": Answer((TagAnswer,)),
    "versions prune": Answer((PruneAnswer,)),
    "versions export": Answer((ExportAnswer,)),
    "versions import": Answer((ImportAnswer,)),
    "versions push": Answer((CopyAnswer,)),
    "versions pull": Answer((CopyAnswer,)),
    "promote": Answer((PromotionAnswer,)),
    "rollback": Answer((PromotionAnswer,)),
    "history": [_PROMOTION],
    "history --all": [_PROMOTION_OF_ALL, _EVENT],
    "verify": Answer((VerifyAnswer,)),
    "verify --repair": Answer((RepairAnswer,)),
    "reproduce": Answer((ReproduceAnswer,)),
    "sign": Answer((SignAnswer,)),
    "mirror": Answer((MirrorAnswer,)),
    "doctor": Answer((DoctorAnswer,)),
    "cache": Answer((CacheAnswer,)),
    "cache clear": Answer((ClearAnswer,)),
    "mlflow push": Answer((mirror.Pushed,)),
    "mlflow sync": Answer((mirror.Synced,)),
    "mlflow pull": Answer((Metadata, FurtherFields)),
    "mlflow pull --dry-run": Answer((PublishDryRunAnswer,)),
    "warmup": Answer((warmup.Warmup,)),
    "error": Answer((Failure,)),
}
"""What a command prints with --json; an option is named where it changes the fields.

A list has entries of each of its answers.
"""


@functools.cache
def documents():
    """Return the schema of each answer by the name of its file in docs/schema."""
    return {file_name(name): _document(name, answer) for name, answer in ANSWERS.items()}


def file_name(name):
    """Return the name of the file with the schema of a command's answer."""
    return f"{name.replace(' --', '.').replace(' ', '-')}.json"


def _document(name, answer):
    if isinstance(answer, list):
        structs = [_struct(entry, f"Entry{n or ''}") for n, entry in enumerate(answer)]
        entries, definitions = msgspec.json.schema_components(structs)
        body = {"type": "array", "items": entries[0] if len(entries) == 1 else {"anyOf": entries}}
    else:
        [body], definitions = msgspec.json.schema_components([_struct(answer, "Answer")])
    definitions = json.loads(json.dumps(definitions).replace("#/components/schemas/", "#/$defs/"))
    body = json.loads(json.dumps(body).replace("#/components/schemas/", "#/$defs/"))
    title = "an error, the last line of stderr" if name == "error" else f"textclf {name} --json"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**head, **body, "$defs": definitions}, indent=2) + "\n"


def _struct(answer, name):
    """Return a type with the fields of an answer, all of which are there in each answer."""
    chosen = [
        (field_name, written, kind)
        for source in answer.types
        for field_name, written, kind in _fields(source)
        if field_name not in answer.without
    ]
    chosen += [(added, added, _type(kind, added)) for added, kind in answer.added.items()]
    return msgspec.defstruct(
        name,
        [
            (field_name, kind, msgspec.UNSET)
            if field_name in answer.optional
            else (field_name, kind)
            for field_name, _, kind in sorted(chosen, key=lambda one: one[0] in answer.optional)
        ],
        rename={field_name: written for field_name, written, _ in chosen},
    )


def _type(kind, name):
    if isinstance(kind, list):
        return list[_type(kind[0], name)]
    return _struct(kind, name.title()) if isinstance(kind, Answer) else kind


def _fields(source):
    """Yield the name of each field, its name in JSON, and its type."""
    hints = typing.get_type_hints(source, localns=_NAMES)
    if is_dataclass(source):
        names = {one.name: one.name for one in fields(source)}
    elif issubclass(source, tuple):
        names = dict(zip(source._fields, source._fields, strict=True))
    else:
        names = {one.name: one.encode_name for one in msgspec.structs.fields(source)}
    return [(name, written, _resolved(hints[name])) for name, written in names.items()]


@functools.cache
def _resolved(kind):
    """Return a type; a dataclass of the command line may name types that its module lacks."""
    is_ours = is_dataclass(kind) and kind.__module__.startswith("textclf.cli")
    return _struct(Answer((kind,)), kind.__name__) if is_ours else kind

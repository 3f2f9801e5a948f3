"""What is known about a version: the types of its ``metadata.json``.

Fields have the names that they have in the file, which ``docs/metadata.md`` describes.
"""

from __future__ import annotations

import contextlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from textclf.errors import IntegrityError, UsageError
from textclf.metadata.limits import Limits
from textclf.metadata.sketch import Sketch

if TYPE_CHECKING:
    from textclf.metadata.bump import Recipe

T = TypeVar("T")

SCHEMA = 1
"""What the metadata of a version that textclf has trained say."""
PIPELINE_SCHEMA = 2
"""What those of a published pipeline say: an earlier textclf cannot read what has no search."""
METADATA = "metadata.json"
ARTIFACT = "text_classifier.joblib"
"""Names of the two files that every version has."""
LARGEST_METADATA = 64 << 20
"""The most bytes of a metadata file; a version with a thousand labels has about 3 MB."""
SIGNATURE = "metadata.json.sig"
"""Name of the file that a signed version has, too."""

FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")]
"""The name of a file in a version's folder, which never leads out of it."""

Alternatives = Annotated[list[Any], msgspec.Meta(min_length=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1 + 1e-9)]
"""A part of a whole, such as an accuracy; a mean of some may be rounded to above 1."""

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
"""How many rows or bytes there are."""

Positive = Annotated[float, msgspec.Meta(ge=0)]

Time = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
        r"(\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])\Z"
    ),
]
"""A date with time and zone, as ISO 8601 has them."""

Space = Annotated[
    list[dict[str, Annotated[dict[str, dict[str, Alternatives]], msgspec.Meta(min_length=1)]]],
    msgspec.Meta(min_length=1),
]
"""A union of grids: ``[{"features": {block: {parameter: values}}, "classifier": {…}}]``."""


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    import hashlib  # deferred: it loads OpenSSL

    return hashlib.sha256(data).hexdigest()


class BumpRecord(msgspec.Struct, frozen=True):
    """The bump that was requested and the one applied, from which version, and the reasons."""

    requested: str
    applied: str
    reasons: list[str]
    base: str | None


class FileRecord(msgspec.Struct, frozen=True):
    """A file of a version: its name in the folder, its SHA-256 in hex, its size in bytes."""

    file: FileName
    sha256: str
    bytes: Count


def file_problem(data: bytes | None, recorded: FileRecord) -> str | None:
    """Say what is wrong with the content of a file (``None`` if it is missing), if anything."""
    if data is None:
        return "is missing"
    if sha256(data) != recorded.sha256:
        return "is not the file that was published (its SHA-256 differs)"
    return None


class BadRow(msgspec.Struct, frozen=True):
    """A row that could not be used: where it starts (``train.csv:17``) and why."""

    where: str
    reason: str


MOST_BAD_ROWS = 100
"""The most bad rows that a record names."""


class DataPart(msgspec.Struct, frozen=True):
    """One of several files of training data: where it was, and how it was read.

    ``rows`` of it are used. Of a file that was added, the ``repeated`` rows were there before, and
    the ``tested`` ones have the texts of test rows.
    """

    path: str
    sha256: str
    format: str
    read: dict[str, str | None]
    rows: Count
    repeated: Count = 0
    tested: Count = 0


class DataRecord(msgspec.Struct, frozen=True):
    """The training data: where it was, how it was read, what was in it.

    ``parts`` are the files whose rows were joined, in their order, if there is more than one;
    ``path``, ``sha256`` and ``bad_rows`` are those of all of them then.

    ``sha256`` is the digest of the file; ``rows_sha256`` that of the (text, label) rows in their
    order, after the test rows were split off, if they were. ``bad_rows`` are the first
    `MOST_BAD_ROWS` of the ``skipped_rows``. ``tool`` is the labelling tool whose export it was,
    which does not train on the ``left_out`` records, counted by the reason. ``dropped_labels`` had
    too few rows, which are not among ``rows``.
    """

    path: str
    sha256: str
    rows: Count
    labels: dict[str, Count]
    sketch: Sketch
    rows_sha256: str
    format: str
    read: dict[str, str | None]
    skipped_rows: Count = 0
    bad_rows: list[BadRow] = []
    tool: str | None = None
    left_out: dict[str, Count] = {}
    dropped_labels: dict[str, Count] = {}
    parts: list[DataPart] = []

    def files(self) -> list[DataPart]:
        """Return all files, also if there is only one."""
        whole = DataPart(self.path, self.sha256, self.format, self.read, self.rows)
        return self.parts or [whole]


class ClassMetrics(msgspec.Struct, frozen=True):
    """Precision, recall and F1 of one class, and how many test rows it has."""

    precision: Share
    recall: Share
    f1: Share
    support: Count


class Confusion(msgspec.Struct, frozen=True):
    """A confusion matrix: ``matrix[i][j]`` rows of ``labels[i]`` predicted as ``labels[j]``."""

    labels: list[str]
    matrix: list[list[Count]]


class Metrics(msgspec.Struct, frozen=True, omit_defaults=True):
    """The metrics of predicted labels on one set of rows.

    ``roc_auc`` and ``average_precision``, which has a value for each label, are of the scores, and
    only there if a model has two labels.
    """

    accuracy: Share
    macro_f1: Share
    weighted_f1: Share
    per_class: dict[str, ClassMetrics]
    confusion: Confusion
    roc_auc: Share | None = None
    average_precision: dict[str, Share] | None = None


class TestRecord(msgspec.Struct, frozen=True):
    """The test rows: a file (``path``, ``sha256``), or a share of the training file (``split``).

    ``train_overlap`` is the share of them that is in the training rows, or its lower limit;
    ``None`` in a file written before it was recorded.
    ``split_method`` is ``text-hash`` for a split by a hash of the texts. Older versions have none:
    their rows were chosen by the seed, stratified by label.
    """

    rows: Count
    rows_sha256: str
    metrics: Metrics
    path: str | None = None
    sha256: str | None = None
    split: Share | None = None
    split_method: Annotated[str, msgspec.Meta(pattern=r"\Atext-hash\Z")] | None = None
    skipped_rows: Count = 0
    bad_rows: list[BadRow] = []
    train_overlap: Share | None = None


class Candidate(msgspec.Struct, frozen=True):
    """One candidate of the search space and its scores in cross-validation.

    ``mean``, ``std`` and ``fold_scores`` are in the search's scoring. If a fold could not be
    fitted, its score and the mean are ``None``. A candidate that was eliminated in racing has fewer
    scores than there are folds. ``fit_seconds`` is the mean over the folds.
    """

    params: dict[str, Any]
    mean: float | None
    std: Positive | None
    fold_scores: list[float | None]
    accuracy: Share | None
    fit_seconds: Positive
    notes: list[str] = []


class SearchRecord(msgspec.Struct, frozen=True):
    """The search: its space and settings, and every candidate in the order of the space.

    ``method`` is ``exact``, or ``race`` if candidates were eliminated early. ``sample`` is the
    number of training rows that were searched on, if not all. ``neighbourhood_of`` is the space of
    an earlier version's search, if only the neighbourhood of its winner was searched.
    """

    space: Space
    scoring: str
    folds: Annotated[int, msgspec.Meta(ge=2, le=1 << 53)]
    seed: Count
    candidates: Annotated[list[Candidate], msgspec.Meta(min_length=1)]
    method: Annotated[str, msgspec.Meta(pattern=r"\A(exact|race)\Z")] = "exact"
    sample: Count | None = None
    neighbourhood_of: Space | None = None


class Environment(msgspec.Struct, frozen=True):
    """Python, the platform, and the versions of the libraries that shape the model."""

    python: str
    platform: str
    libraries: dict[str, str]

    def recorded(self) -> dict[str, str]:
        """Return the versions by name, that of Python first."""
        return {"python": self.python, **self.libraries}


class Code(msgspec.Struct, frozen=True):
    """The version of textclf, the digest of its source, and the current folder's git commit."""

    textclf: str
    sha256: str
    git_commit: str | None
    dirty: bool | None


class Opened(StrEnum):
    """By what a published pipeline is opened."""

    SCORER = "scorer"
    """The compiled scorer."""
    RESTRICTED = "restricted"
    """The restricted loader of model files."""
    UNTRUSTED = "untrusted"
    """``joblib.load``, which runs any code in the file; only where somebody asks for it."""


class PipelineRecord(msgspec.Struct, frozen=True):
    """A pipeline that was fitted outside of textclf.

    ``steps`` are the classes of its steps, ``features`` the kinds of features that it has.
    ``reason`` says why it is not compiled. ``sha256`` is the digest of the file that it was read
    from, ``path``.
    """

    opened_by: Opened
    reason: str | None
    steps: list[str]
    features: list[str]
    classifier: str
    labels: list[str]
    path: str | None = None
    sha256: str | None = None

    @property
    def how_opened(self) -> str:
        """What opens it, and why not the scorer, for people."""
        opener = {
            Opened.SCORER: "the compiled scorer",
            Opened.RESTRICTED: "the restricted loader, not compiled",
            Opened.UNTRUSTED: "--unsafe-load only (untrusted)",
        }[self.opened_by]
        return f"{opener}: {self.reason}" if self.reason else opener


class Metadata(msgspec.Struct, frozen=True):
    """All of a version's ``metadata.json``, in the order of the file.

    ``files`` are those other than the model and the metadata. A text whose best score is below
    ``threshold``, or whose share of known n-grams is below ``abstain_unknown``, gets no label. A
    version with a ``pipeline`` was fitted outside of textclf: there was no search, and ``data`` is
    ``None`` if its training rows are not known.
    """

    version: str
    saved_at: Time
    best_params: dict[str, Any]
    best_cv_accuracy: Share | None
    test_accuracy: Share
    schema: Annotated[int, msgspec.Meta(le=PIPELINE_SCHEMA)]
    task: str
    bump: BumpRecord
    artifact: FileRecord
    data: DataRecord | None
    test: TestRecord
    search: SearchRecord | None
    environment: Environment
    code: Code
    message: str | None
    seconds: dict[str, Positive]
    files: list[FileRecord] = []
    threshold: Share | None = None
    pipeline: PipelineRecord | None = None
    abstain_unknown: Share | None = None

    @property
    def labels(self) -> list[str]:
        """The labels of its training rows, or of the pipeline if those are not known."""
        return list(
            self.pipeline.labels if self.pipeline else self.data.labels if self.data else ()
        )

    @property
    def limits(self) -> Limits:
        """Which texts get no label."""
        return Limits(self.threshold, self.abstain_unknown)

    @property
    def sketch(self) -> Sketch | None:
        """The sketch of its training rows; ``None`` if they are not known."""
        return self.data.sketch if self.data else None

    @property
    def training(self) -> tuple[DataRecord, SearchRecord]:
        """Its training rows and its search. Raises UsageError if textclf has not trained it."""
        if self.data is None or self.search is None:
            raise UsageError(
                f"{self.version} was fitted outside of textclf, which does not know how",
                hint=f"textclf versions show {self.version} lists what is known of it",
            )
        return self.data, self.search

    @property
    def is_untrusted(self) -> bool:
        """Whether only ``joblib.load`` opens it, which runs any code in the file."""
        return self.pipeline is not None and self.pipeline.opened_by is Opened.UNTRUSTED

    def all_files(self) -> list[FileRecord]:
        """Return the records of all files but the metadata, the model first."""
        return [self.artifact, *self.files]

    def recipe(self) -> Recipe:
        """Return the recipe that the next version's is compared with."""
        if self.search is None or self.data is None:
            return self._pipeline_recipe()
        names = ("scoring", "folds", "seed", "method", "sample")
        return build_recipe(
            self.search.neighbourhood_of or self.search.space,
            {**{name: getattr(self.search, name) for name in names}, **self.limits.given()},
            labels=frozenset(self.data.labels),
            rows=self.data.rows_sha256,
            test=self.test.rows_sha256,
            environment=self.environment,
            code=self.code,
        )

    def _pipeline_recipe(self) -> Recipe:
        from textclf.metadata.bump import Recipe

        assert self.pipeline is not None  # `_check` has seen to it
        return Recipe(
            labels=frozenset(self.labels),
            features=frozenset(self.pipeline.features),
            classifiers=frozenset({self.pipeline.classifier}),
            search={**self.best_params, **self.limits.given()},
            rows=self.data.rows_sha256 if self.data else None,
            test=self.test.rows_sha256,
            code=self.artifact.sha256,
            libraries=self.environment.recorded(),
            fitted_elsewhere=True,
        )


def build_recipe(  # noqa: PLR0913 - a recipe has that many independent parts
    space: Space,
    settings: dict[str, Any],
    *,
    labels: frozenset[str],
    rows: str,
    test: str,
    environment: Environment,
    code: Code,
) -> Recipe:
    """Return the recipe of a version or a training; settings that are ``None`` are left out."""
    from textclf.metadata.bump import Recipe

    return Recipe(
        labels=labels,
        features=frozenset(block for grid in space for block in grid["features"]),
        classifiers=frozenset(name for grid in space for name in grid["classifier"]),
        search={
            **(space[0] if len(space) == 1 else {"space": space}),
            **{name: value for name, value in settings.items() if value is not None},
        },
        rows=rows,
        test=test,
        code=code.sha256,
        libraries=environment.recorded(),
    )


class _Head(msgspec.Struct):
    schema: int


class _MacroF1(msgspec.Struct):
    macro_f1: Share


class _Test(msgspec.Struct):
    metrics: _MacroF1


class _Rows(msgspec.Struct):
    rows: Count


class _Pipeline(msgspec.Struct):
    opened_by: Opened


class _Bytes(msgspec.Struct):
    bytes: Count


class Summary(msgspec.Struct, frozen=True):
    """The fields that a list of versions has; the rest of the file is not parsed."""

    version: str
    saved_at: Time
    best_cv_accuracy: Share | None
    test_accuracy: Share
    schema: Annotated[int, msgspec.Meta(le=PIPELINE_SCHEMA)]
    message: str | None
    artifact: _Bytes
    data: _Rows | None
    test: _Test
    files: list[_Bytes] = []
    pipeline: _Pipeline | None = None

    @property
    def rows(self) -> int | None:
        """The number of training rows, if it is known."""
        return self.data.rows if self.data else None

    @property
    def is_untrusted(self) -> bool:
        """Whether only ``joblib.load`` opens it, which runs any code in the file."""
        return self.pipeline is not None and self.pipeline.opened_by is Opened.UNTRUSTED

    @property
    def bytes(self) -> int:
        """The size of all files but the metadata."""
        return sum(file.bytes for file in (self.artifact, *self.files))


class FileListing(msgspec.Struct, frozen=True):
    """The files that a version has; the rest of the metadata is not parsed."""

    version: str
    schema: Annotated[int, msgspec.Meta(le=PIPELINE_SCHEMA)]
    artifact: FileRecord
    files: list[FileRecord] = []


_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def encode(value: Any) -> bytes:
    """Return a value as indented JSON; a list of numbers stays on one line."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    numbers = re.compile(r"\[\n\s*([-+.\deE,\s]+?)\n\s*\]")
    return (numbers.sub(lambda m: f"[{' '.join(m[1].split())}]", text) + "\n").encode()


def decode(data: bytes, kind: type[T], *, name: str) -> T:
    """Parse a JSON file that a version has.

    Args:
        data: the content of the file.
        kind: the type to parse it as.
        name: what the file is called in messages.

    Raises:
        IntegrityError: it is not JSON, a field is missing or has the wrong type, or it was written
            by a later textclf.
    """
    if len(data) > LARGEST_METADATA:
        raise IntegrityError(f"{name} has more than {LARGEST_METADATA >> 20} MB")
    try:
        value = msgspec.json.decode(data, type=kind)
        if isinstance(value, Metadata):
            _check(value)
    except _NOT_JSON as error:
        raise _unreadable(data, error, name) from None
    return value


def _check(metadata: Metadata) -> None:
    """Check what types cannot express. Raises ValidationError."""
    metrics = metadata.test.metrics
    labels = metrics.confusion.labels
    if [len(row) for row in metrics.confusion.matrix] != [len(labels)] * len(labels):
        raise msgspec.ValidationError("The confusion matrix lacks a row or column of a label")
    if list(metrics.per_class) != labels:
        raise msgspec.ValidationError("The classes are not those of the confusion matrix")
    if [sum(row) for row in metrics.confusion.matrix] != [
        metrics.per_class[label].support for label in labels
    ] or sum(map(sum, metrics.confusion.matrix)) != metadata.test.rows:
        raise msgspec.ValidationError("The confusion matrix does not have as many rows as recorded")
    names = [METADATA, SIGNATURE, *(record.file for record in metadata.all_files())]
    if len({name.casefold() for name in names}) < len(names):
        raise msgspec.ValidationError("A file is recorded twice")
    if metadata.test.path is None and metadata.test.split is None:
        raise msgspec.ValidationError("The test rows come neither from a file nor from a split")
    if metadata.pipeline is None and None in (
        metadata.data,
        metadata.search,
        metadata.best_cv_accuracy,
    ):
        raise msgspec.ValidationError("A version that textclf has trained lacks data or search")
    grids = metadata.search.space if metadata.search else []
    if not all({"features", "classifier"} <= grid.keys() for grid in grids):
        raise msgspec.ValidationError("A grid of the search space has no features or no classifier")


def _unreadable(data: bytes, error: Exception, name: str) -> IntegrityError:
    with contextlib.suppress(*_NOT_JSON):
        schema = msgspec.json.decode(data, type=_Head).schema
        if schema > PIPELINE_SCHEMA:
            return IntegrityError(
                f"{name} was written by a later textclf (schema {schema}; this one reads "
                f"{PIPELINE_SCHEMA})",
                hint="update textclf",
            )
    return IntegrityError(
        f"{name} is damaged: {error}", hint="textclf verify names every damaged file"
    )

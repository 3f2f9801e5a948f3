"""Find what is wrong or suspicious in a data set before anything is trained on it."""

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from textclf.data.dataset import Dataset, OnBadRows
from textclf.data.exports import decision_column
from textclf.data.label_spelling import missing_values, several_in_one, written_in_several_ways
from textclf.formatting import excerpt, percent, plural

_MOST_EXAMPLES: Final = 5


class Severity(enum.StrEnum):
    """Whether a model can be trained in spite of a problem."""

    ERROR = "error"
    WARNING = "warning"


TOLD_WHEN_READ: Final = frozenset({"bad-rows", "encoding"})
"""The kinds of problems that are told about each data set when it has been read."""


@dataclass(frozen=True)
class DataProblem:
    """One kind of problem, with how often it occurs and up to five examples."""

    kind: str
    severity: Severity
    count: int
    message: str
    examples: tuple[str, ...]


def find_problems(
    train: Dataset,
    test: Dataset | None = None,
    *,
    folds: int = 5,
    split: float = 0.0,
    on_bad_rows: OnBadRows = OnBadRows.AUTO,
) -> tuple[DataProblem, ...]:
    """Return all problems, errors first.

    Args:
        train: the training rows.
        test: the test rows, if they are there already.
        folds: the number of folds of cross-validation.
        split: the share of the training rows that will be split off for testing.
        on_bad_rows: what training will do about rows that cannot be used.
    """
    problems = [*_reading(train, test, on_bad_rows), *_labels(train, folds, split)]
    problems += [*_spellings(train, test), *_repeats(train)]
    if test is not None:
        problems += [*_overlap(train, test), *_label_differences(train, test)]
    return tuple(sorted(problems, key=lambda problem: problem.severity is not Severity.ERROR))


def find_test_problems(
    test: Dataset, labels: Collection[str], train: Dataset | None
) -> tuple[DataProblem, ...]:
    """Return what is suspicious in the test rows of a model that was fitted elsewhere.

    Args:
        test: the test rows.
        labels: those that the model knows.
        train: its training rows, if they are known.
    """
    unknown = {label: n for label, n in test.label_counts.items() if label not in labels}
    message = f"the test set has {plural(len(unknown), 'label')} that the pipeline does not know"
    problems = [_label_problem("unseen-label", unknown, message)] if unknown else []
    return (*problems, *(_overlap(train, test) if train else ()))


def _reading(train: Dataset, test: Dataset | None, on_bad_rows: OnBadRows) -> Iterator[DataProblem]:
    sets = [train] if test is None else [train, test]
    bad = [row for rows in sets for row in rows.bad_rows]
    if bad:
        left_out = all(rows.leaves_out_bad_rows(on_bad_rows) for rows in sets)
        severity = Severity.WARNING if left_out else Severity.ERROR
        them = "they" if len(bad) > 1 else "it"
        way = f"{them} will be left out" if left_out else "--on-bad-rows skip leaves such rows out"
        message = f"{plural(len(bad), 'row')} cannot be used; {way}"
        examples = (f"{row.where}: {row.reason}" for row in bad)
        yield _problem("bad-rows", severity, len(bad), message, examples)
    for rows in sets:
        if rows.misread:
            yield _problem("encoding", Severity.WARNING, 1, rows.misread, ())


def _labels(train: Dataset, folds: int, split: float) -> Iterator[DataProblem]:
    counts = train.label_counts
    small = {label: n for label, n in counts.items() if n - round(n * split) < folds}
    if len(counts) < 2:  # noqa: PLR2004 - one is no choice
        message = f"a classifier needs two labels, but the data has {plural(len(counts), 'label')}"
        if train.left_out and (decision := decision_column(train.tool)):
            message += f"; --label-column {decision} learns which records were accepted"
        yield _label_problem("one-label", counts, message, Severity.ERROR)
    if not small:
        return
    fewer = f"fewer rows than the {folds} folds of cross-validation"
    fewer += f" when {percent(split)} are split off for testing" if split else ""
    if len(small) == len(counts):
        message = f"every label has {fewer}"
        yield _label_problem("too-few-rows", small, message, Severity.ERROR)
    else:
        message = f"the data has {plural(len(small), 'label')} with {fewer}"
        yield _label_problem("small-label", small, message)


def _spellings(train: Dataset, test: Dataset | None) -> Iterator[DataProblem]:
    """Find labels that may not be meant as they are written."""
    counts = Counter(train.labels) + Counter(test.labels if test else ())
    labels = sorted(counts)
    groups = written_in_several_ways(labels)
    if groups:
        message = f"the data has {plural(len(groups), 'label')} written in several ways"
        examples = (", ".join(_spelling(label, counts) for label in group) for group in groups)
        yield _problem("label-spelling", Severity.WARNING, len(groups), message, examples)
    missing = missing_values(labels)
    if missing:
        message = f"the data has {plural(len(missing), 'label')} that may mean a missing value"
        yield _label_problem("missing-label", {label: counts[label] for label in missing}, message)
    joined = several_in_one(labels)
    if joined:
        message = f"the data has {plural(len(joined), 'label')} that may be a list of labels"
        yield _label_problem("several-labels", {label: counts[label] for label in joined}, message)


def _spelling(label: str, counts: Mapping[str, int]) -> str:
    """Return a label in quotes with its rows, and with the codes of letters that look alike."""
    codes = "" if label.isascii() else f" = {excerpt(ascii(label)[1:-1])}"
    return f'"{excerpt(label)}"{codes} ({plural(counts[label], "row")})'


def _repeats(train: Dataset) -> Iterator[DataProblem]:
    """Find texts that occur again, with the same label or with another."""
    first: dict[str, int] = {}
    labelled: dict[str, dict[str, int]] = {}  # of repeated texts: the first row of each label
    again: list[tuple[int, int]] = []
    for row, text in enumerate(train.texts):
        earlier = first.setdefault(text, row)
        if earlier != row:
            rows = labelled.setdefault(text, {train.labels[earlier]: earlier})
            same = rows.setdefault(train.labels[row], row)
            if same != row:
                again.append((same, row))
    if again:
        count = plural(len(again), "repeated row")
        message = f"the training set has {count} (same text, same label)"
        examples = (_pair(train, row, "repeats", train, same) for same, row in again)
        yield _problem("duplicates", Severity.WARNING, len(again), message, examples)
    differing = [list(rows.values()) for rows in labelled.values() if len(rows) > 1]
    if differing:
        message = f"the training set has {plural(len(differing), 'text')} with different labels"
        examples = (_contradiction(train, rows) for rows in differing)
        yield _problem("contradictions", Severity.WARNING, len(differing), message, examples)


def _overlap(train: Dataset, test: Dataset) -> Iterator[DataProblem]:
    tested: dict[str, int] = {}
    for row, text in enumerate(test.texts):
        tested.setdefault(text, row)
    shared: dict[str, int] = {}  # in the order of the training set
    for row, text in enumerate(train.texts):
        if text in tested:
            shared.setdefault(text, row)
    if shared:
        count = plural(len(shared), "text")
        message = f"the test set shares {count} with the training set, which inflates its scores"
        examples = (
            _pair(test, tested[text], "also in", train, row) for text, row in shared.items()
        )
        yield _problem("test-overlap", Severity.WARNING, len(shared), message, examples)


def _label_differences(train: Dataset, test: Dataset) -> Iterator[DataProblem]:
    trained, tested = train.label_counts, test.label_counts
    unseen = {label: count for label, count in tested.items() if label not in trained}
    absent = {label: count for label, count in trained.items() if label not in tested}
    if unseen:
        message = f"the test set has {plural(len(unseen), 'label')} never seen in training"
        yield _label_problem("unseen-label", unseen, message)
    if absent:
        message = f"the test set lacks {plural(len(absent), 'label')} of the training set"
        yield _label_problem("absent-label", absent, message)


def _label_problem(
    kind: str, counts: dict[str, int], message: str, severity: Severity = Severity.WARNING
) -> DataProblem:
    examples = (f"{excerpt(label)}: {plural(n, 'row')}" for label, n in counts.items())
    return _problem(kind, severity, len(counts), message, examples)


def _problem(
    kind: str, severity: Severity, count: int, message: str, examples: Iterable[str]
) -> DataProblem:
    return DataProblem(kind, severity, count, message, tuple(islice(examples, _MOST_EXAMPLES)))


def _pair(data: Dataset, row: int, words: str, other: Dataset, other_row: int) -> str:
    place, text = data.where(row), excerpt(data.texts[row])
    return f"{place}: {words} {other.where(other_row)}: {text}"


def _contradiction(train: Dataset, rows: Sequence[int]) -> str:
    labels = ", ".join(f"{excerpt(train.labels[row])} ({train.where(row)})" for row in rows[:3])
    return f"{train.where(rows[0])}: {excerpt(train.texts[rows[0]])}: {labels}"

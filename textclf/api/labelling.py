"""Find the labels that may be wrong, and the texts to label next, from Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textclf.api.arguments import Models, registry_of, require_valid
from textclf.data.dataset import ReadOptions
from textclf.data.in_memory import LabelledRows, labelled_rows, require_whole
from textclf.data.table_rows import Batch
from textclf.prediction.picking import Picked
from textclf.prediction.picking import pick as pick_from
from textclf.prediction.predictor import Predictor
from textclf.prediction.texts import list_texts
from textclf.training.suspect_labels import SuspectLabels, find_suspect_labels


def check_labels(
    data: LabelledRows,
    labels: Iterable[Any] | None = None,
    *,
    cv: int = 5,
    text_column: str = "text",
    label_column: str = "label",
) -> SuspectLabels:
    """Rank the rows whose label the others contradict, as ``textclf check --labels`` does.

    Args:
        data: the rows, in any form that `train` takes.
        labels: the label of each text, if ``data`` are texts.
        cv: the number of folds.
        text_column: the column of the texts.
        label_column: the column of the labels.

    Returns:
        The rows by their number, from 0, the most suspect first.

    Raises:
        DataError: the rows cannot be read, or are too few to judge each other.
        UsageError: ``cv`` is not 2 or more.
    """
    require_valid(locals())
    rows = labelled_rows(data, labels, ReadOptions(text_column, label_column))
    return find_suspect_labels(rows, folds=cv)


def pick(
    texts: Iterable[str], n: int = 100, *, version: str = "latest", models: Models = None
) -> list[Picked]:
    """Return the texts worth labelling next, as ``textclf pick`` does.

    Args:
        texts: the texts.
        n: how many to pick, 1 or more.
        version: ``1.1.0``, ``latest`` or ``previous``.
        models: see `versions`.

    Returns:
        Those with the smallest margin first, near-duplicates once; ``place`` is the index of a
        text, from 0.

    Raises:
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
        TypeError: something in the texts is not a str; the message names its index.
        ValueError: a text has half of a surrogate pair, with which it could not be written.
        UsageError: ``n`` is not 1 or more.
    """
    require_valid(locals())
    registry = registry_of(models)
    listed = [require_whole(text, "text", n) for n, text in enumerate(list_texts(texts))]
    batch = Batch(listed, listed, range(len(listed)))
    return pick_from(Predictor.load(registry, registry.resolve(version)), [batch], n)

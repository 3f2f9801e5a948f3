"""The files that a version carries for its readers: their names, how they are made and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textclf.metadata.schema import Metadata, decode, encode
from textclf.report.card import card
from textclf.report.page import page
from textclf.report.report_data import ReportData
from textclf.report.subject import Subject

if TYPE_CHECKING:
    from textclf.evaluation.scored_rows import ScoredRows

PAGE = "report.html"
CARD = "model_card.md"
DATA = "report.json"


def page_maker(scored: ScoredRows, *, texts: bool) -> Callable[[Metadata], dict[str, bytes]]:
    """Return a function that makes the files of a version once its metadata has its number.

    What the files show is gathered now; the model and the rows are not kept.

    Args:
        scored: the model on its test rows.
        texts: whether the files may show texts of the rows.
    """
    from textclf.report.gather import gather  # NumPy, which showing a version does not need

    data = gather(scored, texts=texts)
    return lambda metadata: files(metadata, data)


def files(metadata: Metadata, data: ReportData) -> dict[str, bytes]:
    """Make the page, the model card and their data, by file name."""
    subject = Subject(metadata, data)
    return {PAGE: page(subject), CARD: card(subject), DATA: encode(data)}


def published_subject(metadata: Metadata, data: bytes | None, *, name: str) -> Subject:
    """Return a published version with the report data that it carries.

    Args:
        metadata: the version's.
        data: the content of its ``report.json``; ``None`` if it was published without.
        name: the name of that file, for messages.

    Raises:
        IntegrityError: the report data is damaged.
    """
    return Subject(metadata, decode(data, ReportData, name=name) if data else None)

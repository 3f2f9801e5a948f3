"""The files that a version carries for its readers: their names, how they are made and read."""

from __future__ import annotations

from semver import Version

from textclf.metadata.schema import Metadata, decode, encode
from textclf.registry.registry import Registry
from textclf.report.card import card
from textclf.report.evidence import Evidence
from textclf.report.page import page
from textclf.report.subject import Subject

PAGE = "report.html"
CARD = "model_card.md"
EVIDENCE = "report.json"


def files(metadata: Metadata, evidence: Evidence) -> dict[str, bytes]:
    """The page, the model card and their data, of a version that is about to be published."""
    subject = Subject(metadata, evidence)
    return {PAGE: page(subject), CARD: card(subject), EVIDENCE: encode(evidence)}


def subject(registry: Registry, version: Version) -> Subject:
    """A published version with the evidence that it carries, if it does.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: its metadata or its evidence is not what was published.
    """
    data = registry.file(version, EVIDENCE)
    evidence = decode(data, Evidence, name=registry.locate(version, EVIDENCE)) if data else None
    return Subject(registry.metadata(version), evidence)

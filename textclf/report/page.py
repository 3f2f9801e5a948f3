"""The report: one self-contained HTML file about a version, or about two side by side."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from textclf._version import __version__
from textclf.report.html.markup import Html, document, el, join
from textclf.report.sections import (
    confusions,
    labels,
    leaderboard,
    mistakes,
    ngrams,
    origin,
    probabilities,
    summary,
)
from textclf.report.subject import Subject

Section = tuple[str, str, Html]
"""The ``id`` of a section, its heading, and its content."""


@dataclass(frozen=True)
class Report:
    """The content of a report, without the page around it."""

    title: str
    head: Html
    sections: Sequence[Section]

    def header(self) -> Html:
        """Return the heading, and links to the sections."""
        links = (el("li", el("a", heading, href=f"#{name}")) for name, heading, _ in self.sections)
        navigation = el("nav", el("ul", *links), aria_label="Sections of this report")
        return join(self.head, navigation)

    def body(self) -> Html:
        """Return all sections."""
        return join(
            *(
                el(
                    "section",
                    el("h2", heading, id=f"{name}-heading"),
                    content,
                    id=name,
                    aria_labelledby=f"{name}-heading",
                )
                for name, heading, content in self.sections
            )
        )


def page(subject: Subject) -> bytes:
    """Return the report on a version as one self-contained file."""
    return _document(version_report(subject))


def comparison(a: Subject, b: Subject) -> bytes:
    """Return the report on version ``b``, compared with ``a``, as one self-contained file."""
    return _document(comparison_report(a, b))


def version_report(subject: Subject) -> Report:
    """Return the report on a version."""
    metadata = subject.metadata
    head = join(
        el("p", "Report on a text classifier", class_="over"),
        el("h1", f"Version {subject.version}"),
        el("p", metadata.message, class_="message") if metadata.message else None,
        el("p", f"Published {metadata.saved_at}", class_="soft"),
        subject.overlap_warning(),
    )
    sections = [
        ("summary", "Summary", summary.section(subject)),
        ("search", "Leaderboard", leaderboard.section(subject)),
        ("labels", "Labels", labels.section(subject)),
        ("confusion", "Confusion", confusions.section(subject)),
        ("probabilities", "Probabilities", probabilities.section(subject)),
        ("ngrams", "Informative n-grams", ngrams.section(subject)),
        ("mistakes", "Confident mistakes", mistakes.section(subject)),
        ("origin", "Data and environment", origin.section(subject)),
    ]
    return Report(f"textclf {subject.version}", head, sections)


def comparison_report(a: Subject, b: Subject) -> Report:
    """Return the report on version ``b``, compared with version ``a``."""
    head = join(
        el("p", "Two versions of a text classifier", class_="over"),
        el("h1", f"{a.version} → {b.version}"),
        el("p", f"Published {a.metadata.saved_at} and {b.metadata.saved_at}", class_="soft"),
        summary.warning(a, b),
        a.overlap_warning(),
        b.overlap_warning(),
    )
    matrix, lists = confusions.comparison(a, b), ngrams.comparison(a, b)
    sections = [
        ("summary", "Summary", summary.comparison(a, b)),
        ("changes", "What changed", origin.comparison(a, b)),
        ("labels", "Labels", labels.comparison(a, b)),
        ("confusion", "Confusion", matrix or _one_by_one(a, b, confusions.section)),
        ("search", "Leaderboards", _one_by_one(a, b, leaderboard.section)),
        ("probabilities", "Probabilities", _one_by_one(a, b, probabilities.section)),
        ("ngrams", "Informative n-grams", lists or _one_by_one(a, b, ngrams.section)),
        ("mistakes", "Confident mistakes", _one_by_one(a, b, mistakes.section)),
        ("origin", "Data and environment", _one_by_one(a, b, origin.section)),
    ]
    return Report(f"textclf {a.version} → {b.version}", head, sections)


def _one_by_one(a: Subject, b: Subject, section: Callable[[Subject], Html]) -> Html:
    return join(*(join(el("h3", f"Version {one.version}"), section(one)) for one in (a, b)))


def style_sheet() -> str:
    """Return the style sheet of reports."""
    return files("textclf.report").joinpath("style.css").read_text("utf-8")


def _document(report: Report) -> bytes:
    style = style_sheet()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return document(
        report.title,
        el("header", report.header()),
        el("main", report.body()),
        el(
            "footer",
            f"Made by textclf {__version__}. This file is self-contained: it loads and sends "
            "nothing.",
        ),
        style=el("style", Html(style)),
        referrer="no-referrer",
        policy=policy,
    ).encode()

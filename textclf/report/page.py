"""The report: one HTML file that needs nothing else, of one version or of two side by side."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from importlib.resources import files

from textclf._version import __version__
from textclf.report.html.markup import Html, el, join
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
"""Its ``id``, its heading, and what stands in it."""


def page(subject: Subject) -> bytes:
    """The report on a version."""
    metadata = subject.metadata
    head = join(
        el("p", "Report on a text classifier", class_="over"),
        el("h1", f"Version {subject.version}"),
        el("p", metadata.message, class_="message") if metadata.message else None,
        el("p", f"Published {metadata.saved_at}", class_="soft"),
    )
    found = [
        ("summary", "Summary", summary.one(subject)),
        ("search", "Leaderboard", leaderboard.one(subject)),
        ("labels", "Labels", labels.one(subject)),
        ("confusion", "Confusion", confusions.one(subject)),
        ("probabilities", "Probabilities", probabilities.one(subject)),
        ("ngrams", "Informative n-grams", ngrams.one(subject)),
        ("mistakes", "Confident mistakes", mistakes.one(subject)),
        ("origin", "Data and environment", origin.one(subject)),
    ]
    return _document(f"textclf {subject.version}", head, found)


def comparison(a: Subject, b: Subject) -> bytes:
    """The report on a version seen from another."""
    head = join(
        el("p", "Two versions of a text classifier", class_="over"),
        el("h1", f"{a.version} → {b.version}"),
        el("p", f"Published {a.metadata.saved_at} and {b.metadata.saved_at}", class_="soft"),
        summary.warning(a, b),
    )
    found = [
        ("summary", "Summary", summary.both(a, b)),
        ("changes", "What changed", origin.changes(a, b)),
        ("labels", "Labels", labels.both(a, b)),
        ("confusion", "Confusion", confusions.both(a, b)),
        ("search", "Leaderboards", _one_by_one(a, b, leaderboard.one)),
        ("probabilities", "Probabilities", _one_by_one(a, b, probabilities.one)),
        ("ngrams", "Informative n-grams", ngrams.both(a, b)),
        ("mistakes", "Confident mistakes", _one_by_one(a, b, mistakes.one)),
        ("origin", "Data and environment", _one_by_one(a, b, origin.one)),
    ]
    return _document(f"textclf {a.version} → {b.version}", head, found)


def _one_by_one(a: Subject, b: Subject, section: Callable[[Subject], Html]) -> Html:
    return join(*(join(el("h3", f"Version {each.version}"), section(each)) for each in (a, b)))


def _document(title: str, head: Html, found: Sequence[Section]) -> bytes:
    style = files("textclf.report").joinpath("style.css").read_text("utf-8")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    links = (el("li", el("a", heading, href=f"#{name}")) for name, heading, _ in found)
    parts = (
        el(
            "section",
            el("h2", heading, id=f"{name}-heading"),
            content,
            id=name,
            aria_labelledby=f"{name}-heading",
        )
        for name, heading, content in found
    )
    document = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=policy),
            el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name_="color-scheme", content="light dark"),
            el("meta", name_="referrer", content="no-referrer"),
            el("title", title),
            el("style", Html(style)),
        ),
        el(
            "body",
            el("header", head, el("nav", el("ul", *links), aria_label="Parts of this report")),
            el("main", *parts),
            el(
                "footer",
                f"Made by textclf {__version__}. This file needs no other, and "
                "sends nothing anywhere.",
            ),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{document}\n".encode()

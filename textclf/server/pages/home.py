"""The first page: the promoted version, and a text to try it with."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from starlette.requests import Request

from textclf.formatting import percent
from textclf.prediction.explanation import Explanation
from textclf.prediction.model import Prediction
from textclf.registry.promotion_log import PromotionRecord
from textclf.report.html.charts import bar
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, fact_list, key_figures, table
from textclf.server.labelling import MOST_CHARACTERS
from textclf.server.pages.layout import Page, json_link, promotion_form, url, version_link
from textclf.server.served_model import ServedModel
from textclf.server.service import Service

_SHADES = 4
"""Shades of a mark."""

_SHOWN = 10
"""Scores and n-grams that are shown."""


def home(service: Service, _request: Request) -> Page:
    """Return the page without a text."""
    return page(service, service.model, None)


def page(service: Service, model: ServedModel, explanation: Explanation | None) -> Page:
    """Return the page, with what a model says about a text if one was sent."""
    promotion = service.reloader.promotion()
    version = model.version
    listed = service.catalogue.listed(version)
    metrics = None
    if listed:
        rows = "unknown" if listed.rows is None else f"{listed.rows:,}"
        metrics = key_figures(
            [
                ("macro F1", percent(listed.macro_f1), "on its test rows"),
                ("accuracy", percent(listed.test_accuracy), "on its test rows"),
                ("training rows", rows, f"published {listed.saved_at}"),
            ]
        )
    body = join(
        el("h1", "Version ", version_link(version)),
        _promotion(promotion, version),
        _rollback(service),
        metrics,
        el("h2", "Try a text"),
        _form(explanation.prediction.text if explanation else ""),
        _result(explanation) if explanation else None,
        json_link("/"),
    )
    data = {
        "version": version,
        "promotion": promotion.as_json() if promotion else None,
        "problem": service.reloader.problem,
    }
    return Page(f"Version {version}", body, data)


def _promotion(promotion: PromotionRecord | None, served: str) -> Html:
    """Return since when the version is promoted, by whom and why; or that it is a fixed one."""
    if promotion is None or promotion.to != served:
        return el("p", "This server answers with this version, whichever is promoted.")
    return fact_list(
        [
            ("Promoted", promotion.at),
            ("By", promotion.by),
            ("Before", version_link(promotion.previous) if promotion.previous else None),
            ("Gate", promotion.gate.verdict if promotion.gate else None),
            ("Message", promotion.message),
        ]
    )


def _rollback(service: Service) -> Html | None:
    """Return the form that rolls back, if this server may do that and there is a version before."""
    before = service.promoter.previous() if service.settings.allow_promote else None
    return promotion_form(f"Roll back to {before}", "/rollback", before) if before else None


def _form(text: str) -> Html:
    return el(
        "form",
        el("label", "Text", for_="text"),
        el(
            "textarea",
            text,
            id="text",
            name_="text",
            rows=4,
            required=True,
            maxlength=MOST_CHARACTERS,
        ),
        el("button", "Label it"),
        method="post",
        action=url("/"),
        class_="try",
    )


def _why_none(prediction: Prediction) -> str:
    if prediction.known is None:
        return "the score is below the threshold"
    known = percent(prediction.known)
    return f"{known} of the n-grams are known, and that or the score is below its limit"


def _result(explanation: Explanation) -> Html:
    prediction = explanation.prediction
    label = prediction.label
    scores = list(prediction.scores.items())[:_SHOWN]
    verdict = el("bdi", label) if label else f"no label: {_why_none(prediction)}"
    return el(
        "section",
        el("h2", verdict, id="result"),
        el("p", *_marked(explanation), class_="marked"),
        el(
            "p",
            "Marked are the n-grams that support ",
            el("bdi", explanation.explained),
            " (underlined), and those against it (struck through); the more one counts, the "
            "stronger its colour.",
            class_="note",
        ),
        el(
            "div",
            table(
                "Scores, highest first",
                [Column("label", "row"), Column("score", "number"), Column("", "chart")],
                [(el("bdi", name), f"{score:.4f}", bar(score)) for name, score in scores],
            ),
            table(
                "N-grams with the largest contributions",
                [Column("n-gram", "row"), Column("times", "number"), Column("adds", "number")],
                [
                    (el("code", part.ngram), part.count, f"{part.contribution:+.3f}")
                    for part in explanation.contributions[:_SHOWN]
                ],
            ),
            class_="side",
        ),
        aria_labelledby="result",
        aria_live="polite",
    )


def _marked(explanation: Explanation) -> list[Html]:
    """Return the text with each run of equally marked characters in an element."""
    marks = explanation.marks()
    largest = max((abs(mark) for mark in marks), default=0.0) or 1.0
    shades = [round(_SHADES * mark / largest) for mark in marks]
    pairs = zip(shades, explanation.prediction.text, strict=True)
    runs = groupby(pairs, key=itemgetter(0))
    return [_run(shade, "".join(character for _, character in run)) for shade, run in runs]


def _run(shade: int, text: str) -> Html:
    if shade == 0:
        return el("span", text)
    name = "ins" if shade > 0 else "del"
    return el(name, text, class_=f"shade-{abs(shade)}")

"""``POST /v1/predict``: the API of textclf itself."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from textclf.metadata.limits import Limits
from textclf.prediction.explanation import Explanation
from textclf.server.exchange import decode_json, json_response, read_body
from textclf.server.labelling import Labelled
from textclf.server.refusal import Refusal
from textclf.server.row_formats import ROW_FORMATS
from textclf.server.service import Service

_JSON = "application/json"

_CURL_DEFAULT = "application/x-www-form-urlencoded"
"""What ``curl --data`` says of any body that it sends."""


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Texts to label.

    Attributes:
        texts: the texts.
        top_k: how many of the scores to return for each text, the highest first; by default all.
        explain: whether to say how much each n-gram contributed.
        threshold: the score below which a text gets no label; by default the version's own.
        abstain_unknown: the share of known n-grams below which a text gets no label; by default
            the version's own.
    """

    texts: list[str]
    top_k: Annotated[int, msgspec.Meta(ge=1)] | None = None
    explain: bool = False
    threshold: float | None = None
    abstain_unknown: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class NgramContribution(msgspec.Struct):
    """What one n-gram adds to the decision value of the explained label."""

    kind: str
    ngram: str
    count: int
    contribution: float
    spans: list[tuple[int, int]]


class TextExplanation(msgspec.Struct):
    """What the decision value of a label is made of."""

    explained: str
    decision: float
    intercept: float
    contributions: list[NgramContribution]


class TextPrediction(msgspec.Struct, omit_defaults=True):
    """The label of a text, and its scores.

    The label is ``null`` if no score reaches the threshold, or if too small a share of the n-grams
    is known: ``known``, which is only there where the version or the request limits it.
    """

    label: str | None
    score: float
    scores: dict[str, float]
    explanation: TextExplanation | None = None
    known: float | None = None


class PredictResponse(msgspec.Struct):
    """The predictions, in the order of the texts, and the version that all of them are from."""

    version: str
    predictions: list[TextPrediction]


async def predict(request: Request) -> Response:
    """Answer with the labels of texts in JSON, or of streamed rows.

    Raises:
        Refusal: it makes no sense, or is over a limit.
    """
    service = Service.of(request)
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind in ROW_FORMATS:
        return service.streamer.response(request, kind)
    if kind not in (_JSON, _CURL_DEFAULT):
        raise Refusal(
            415,
            f"the content type {kind} is not known: send application/json, text/csv or "
            "application/jsonl",
            "media_type",
        )
    asked = decode_json(await read_body(request, service.settings), PredictRequest)
    limits = Limits(asked.threshold, asked.abstain_unknown)
    labelled = await service.labeller.label(request, asked.texts, limits)
    predictions = _predictions(labelled, asked.top_k)
    if asked.explain:
        explanations = await service.explainer.explain(labelled.model, asked.texts)
        for prediction, explanation in zip(predictions, explanations, strict=True):
            prediction.explanation = _explanation(explanation)
    return json_response(PredictResponse(labelled.model.version, predictions))


def _predictions(labelled: Labelled, top_k: int | None) -> list[TextPrediction]:
    limited = labelled.limits.abstain_unknown is not None
    return [
        TextPrediction(
            label,
            prediction.score,
            _highest(prediction.scores, top_k),
            known=prediction.known if limited else None,
        )
        for prediction, label in zip(labelled.predictions, labelled.labels, strict=True)
    ]


def _highest(scores: dict[str, float], top_k: int | None) -> dict[str, float]:
    """Return the highest scores, which come first."""
    if top_k is None or top_k >= len(scores):
        return scores
    return dict(itertools.islice(scores.items(), top_k))


def _explanation(explanation: Explanation) -> TextExplanation:
    parts: list[Any] = [
        NgramContribution(p.kind, p.ngram, p.count, p.contribution, list(p.spans))
        for p in explanation.contributions
    ]
    return TextExplanation(
        explanation.explained, explanation.decision, explanation.intercept, parts
    )

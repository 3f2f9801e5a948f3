"""POST /v1/predict."""

import asyncio
import csv
import io
import json

import pytest
from predictors import published
from served import serving

from textclf.server.batching import Batcher

TEXTS = ["this is great", "waste of money, broke after two days", "", "Ünï 文字 \x00"]


def test_the_answer_is_what_the_predictor_says(served, predictor):
    """For each text its label, its score and all scores, the highest first, and the version."""
    answer = served.predict(*TEXTS)
    assert answer.status == 200
    assert answer.json()["version"] == answer.headers["x-model-version"] == "1.0.0"
    for got, expected in zip(answer.json()["predictions"], predictor.predict(TEXTS), strict=True):
        assert got["label"] == expected.label
        assert got["score"] == pytest.approx(expected.score)
        assert list(got["scores"]) == list(expected.scores)
        assert got["scores"] == pytest.approx(expected.scores)


def test_no_texts_get_no_predictions(served):
    """An empty list is no mistake."""
    assert served.predict().json() == {"version": "1.0.0", "predictions": []}


def test_top_k_keeps_the_highest_scores(served, predictor):
    """In their order."""
    [prediction] = served.predict(TEXTS[0], top_k=10**100).json()["predictions"]
    assert len(prediction["scores"]) == 3
    [prediction] = served.predict(TEXTS[0], top_k=2).json()["predictions"]
    assert (
        list(prediction["scores"].items()) == list(predictor.predict(TEXTS[0]).scores.items())[:2]
    )


def test_a_threshold_leaves_texts_without_a_label(served, predictor):
    """The scores are still there."""
    [prediction] = served.predict(TEXTS[0], threshold=1e9).json()["predictions"]
    assert prediction["label"] is None
    assert prediction["scores"] == predictor.predict(TEXTS[0]).scores


def test_a_text_of_unknown_words_has_no_label(served, predictor):
    """The share of known n-grams is in the answers to requests that give a limit, and no others."""
    text = f"{TEXTS[0]} ცხრა მთას იქით"
    [plain] = served.predict(text).json()["predictions"]
    [limited] = served.predict(text, abstain_unknown=1).json()["predictions"]
    assert "known" not in plain
    expected = predictor.predict(text, abstain_unknown=1)
    assert (limited.pop("label"), limited.pop("known")) == (None, expected.known)
    assert limited == {name: plain[name] for name in limited}
    assert served.predict(text, abstain_unknown=1.5).status == 422


def test_an_explanation_has_the_contributions_of_the_n_grams(served, predictor):
    """With their places in the text; they add up to the decision value."""
    [prediction] = served.predict(TEXTS[1], explain=True).json()["predictions"]
    explanation, expected = prediction["explanation"], predictor.explain(TEXTS[1])
    assert explanation["explained"] == expected.explained
    total = explanation["intercept"] + sum(p["contribution"] for p in explanation["contributions"])
    assert total == pytest.approx(explanation["decision"])
    assert [p["spans"] for p in explanation["contributions"]] == [
        [list(span) for span in part.spans] for part in expected.contributions
    ]


def test_many_texts_get_the_same_predictions_as_one_by_one(served):
    """Also where they are labelled together in a thread."""
    texts = [f"{text} {n}" for n in range(200) for text in TEXTS[:2]]
    together = served.predict(*texts).json()["predictions"]
    single = [served.predict(text).json()["predictions"][0] for text in texts[:20]]
    assert [p["label"] for p in together[:20]] == [p["label"] for p in single]
    assert [p["score"] for p in together[:20]] == pytest.approx([p["score"] for p in single])
    assert len(together) == 400


@pytest.mark.parametrize(("texts", "threshold"), [(["a"], 90), ([], -0.5)])
def test_a_threshold_that_is_no_probability_is_refused(tmp_path, sample, texts, threshold):
    """Where the scores are probabilities: no text would have a label, and nobody would know why."""
    registry, _ = published(tmp_path, sample, classifier="ComplementNB")
    with serving(registry) as served:
        answer = served.predict(*texts, threshold=threshold)
    said = f"threshold={threshold:.1f} is not a number between 0 and 1"
    assert (answer.status, answer.json()["error"]) == (422, said)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b'{"texts": ["a"', 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b'{"texts": ["\xff"]}', 400, "not JSON"),
        (b"[" * 100_000, 422, "Expected `object`"),
        (b'{"texts": ' + b"[" * 100_000, 422, "$.texts[0]"),
        (b'{"texts": "a"}', 422, "$.texts"),
        (b'{"texts": ["a", 1]}', 422, "$.texts[1]"),
        (b'{"texts": ["a"], "top_k": 0}', 422, "$.top_k"),
        (b'{"texts": ["a"], "threshold": NaN}', 400, "not JSON"),
        (b'{"texts": ["a"], "topk": 1}', 422, "`topk`"),
        (b"{}", 422, "`texts`"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_where(served, body, status, said):
    """In a sentence, as JSON."""
    answer = served.post("/v1/predict", body)
    assert answer.status == status
    assert said in answer.json()["error"]


def test_limits_are_told(registry):
    """Of the body, the number of texts, and the length of a text."""
    with serving(registry, max_body=1000, max_texts=3, max_characters=10) as served:
        assert served.predict("a", "b", "c").status == 200
        chunked = served.request("POST", "/v1/predict", iter([b"a" * 600] * 2))
        assert (chunked.status, "1,000 bytes" in chunked.json()["error"]) == (413, True)
        for body, said in [
            ({"texts": ["a"] * 4}, "at most 3"),
            ({"texts": ["a", "b" * 11]}, "text 1 has 11 characters"),
            ({"texts": ["a" * 1000]}, "more than 1,000 bytes"),
        ]:
            answer = served.post("/v1/predict", body)
            assert answer.status == 413
            assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("texts", "gone", "batches"),
    [(["great"], False, 1), (["great"], True, 1), (["a" * 4_000_000], False, 2)],
    ids=["together", "one client is gone", "a large one first"],
)
def test_requests_that_arrive_together_are_labelled_together(served, texts, gone, batches):
    """Also if a client goes away meanwhile; one with millions of characters is labelled alone."""
    sizes = []
    batcher = Batcher(
        lambda: served.service.model,
        max_queued=10_000_000,
        threads=1,
        on_batch=lambda texts, _: sizes.append(texts),
    )

    async def ask():
        first, second = (asyncio.create_task(batcher.predict(t)) for t in (texts, ["awful"]))
        await asyncio.sleep(0)  # both are in the queue
        if gone:
            first.cancel()
        return await second

    [answer] = asyncio.run(ask()).predictions
    batcher.close()
    assert answer.label == served.predict("awful").json()["predictions"][0]["label"]
    assert len(sizes) == batches


def test_another_content_type_is_refused(served):
    """A client that sends a form gets told what to send."""
    answer = served.post("/v1/predict", b"<texts/>", content_type="application/xml")
    assert answer.status == 415
    assert "application/json" in answer.json()["error"]


def test_csv_gets_two_columns_more(served, predictor):
    """Whatever is in the cells; the text may be in a column of another name."""
    body = b'id,review\n1,"great, really"\n2,"broke\nafter ""two"" days"\n'
    answer = served.post("/v1/predict?text_column=review", body, content_type="text/csv")
    texts = ["great, really", 'broke\nafter "two" days']
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    for n, (row, expected) in enumerate(zip(rows, predictor.predict(texts), strict=True), 1):
        assert (row["id"], row["review"], row["label"]) == (str(n), expected.text, expected.label)
        assert float(row["score"]) == pytest.approx(expected.score)
    assert answer.headers["content-type"].startswith("text/csv")


def test_json_lines_get_two_fields_more(served, predictor):
    """A line may be an object or a string."""
    body = b'{"id": 1, "text": "great"}\n\n"broke"\n'
    answer = served.post("/v1/predict", body, content_type="application/jsonl")
    great, broke = predictor.predict(["great", "broke"])
    assert [json.loads(line) for line in answer.body.splitlines()] == [
        {"id": 1, "text": "great", "label": great.label, "score": pytest.approx(great.score)},
        {"text": "broke", "label": broke.label, "score": pytest.approx(broke.score)},
    ]


@pytest.mark.parametrize(
    ("kind", "header"),
    [("text/csv", b"text\n"), ("application/jsonl", b""), ("application/x-ndjson", b"")],
)
def test_a_stream_is_answered_while_it_is_sent(served, kind, header):
    """More rows than the limits of a single request allow, with each one answered."""
    rows = b"".join(b'"text number %d"\n' % n for n in range(20_000))
    answer = served.post("/v1/predict", header + rows, content_type=kind)
    assert answer.body.count(b"\n") == 20_000 + header.count(b"\n")
    assert answer.headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        ("text/csv", b"id,review\n1,a\n", 422, "text_column"),
        ("text/csv", b"text,n\na\n", 422, "line 2 has 1 cells"),
        ("text/csv", b'text\n"a\n', 422, "line 2"),
        ("text/csv", b"text\n\xff\n", 415, "not UTF-8"),
        ("text/csv", b"text\n" + b"a" * 3_000_000, 413, "a row has more than"),
        ("application/jsonl", b"{\n", 422, "line 1 is not JSON"),
        ("application/jsonl", b'{"texts": "a"}\n', 422, "line 1 has no text"),
        ("application/jsonl", b'"a"\n{"text": 1}\n', 422, "line 2 has no text"),
        (
            "application/jsonl",
            b'"' + b"a" * 1_500_000 + b'"',
            413,
            "more than 1,000,000 characters",
        ),
    ],
)
def test_a_stream_that_begins_badly_is_told_where(served, kind, body, status, said):
    """As any other request is."""
    answer = served.post("/v1/predict", body, content_type=kind)
    assert answer.status == status
    assert said in answer.json()["error"]


def test_a_stream_that_goes_bad_later_has_no_last_chunk(served):
    """The client can tell that rows are missing."""
    import http.client

    rows = b'"fine"\n' * 5000 + b"{\n"
    with pytest.raises(http.client.IncompleteRead):
        served.post("/v1/predict", rows, content_type="application/jsonl")
    assert served.predict("a").status == 200


@pytest.mark.parametrize(
    ("kind", "body", "place"),
    [
        ("text/csv", b"text,label\ngreat,spam\n", "the header"),
        ("application/jsonl", b'{"text": "great", "label": "spam"}\n', "line 1"),
    ],
)
def test_a_column_of_the_rows_is_not_replaced_by_the_answers(served, kind, body, place):
    """Labels that are there already stay; those of the answer get another name."""
    refused = served.post("/v1/predict", body, content_type=kind)
    assert refused.status == 422
    assert f"{place} has a column 'label' already" in refused.json()["error"]
    assert "?label_column=" in refused.json()["error"]
    answer = served.post("/v1/predict?label_column=predicted", body, content_type=kind)
    assert answer.status == 200
    assert b"spam" in answer.body
    assert b"predicted" in answer.body


@pytest.mark.parametrize(
    "names", ["label_column=x&score_column=x", "label_column=text", "score_column="]
)
def test_the_columns_of_the_answer_have_names_of_their_own(served, names):
    """The one would replace the other in JSON Lines, and nobody could tell them apart in CSV."""
    for kind, body in (("text/csv", b"text\nfine\n"), ("application/jsonl", b'{"text": "fine"}\n')):
        refused = served.post(f"/v1/predict?{names}", body, content_type=kind)
        assert refused.status == 422
        assert "is not a name of its own" in refused.json()["error"]


def test_columns_of_the_same_name_keep_their_cells(served):
    """Only that of the text has to be the only one."""
    answer = served.post("/v1/predict", b"a,text,a\n1,great,2\n", content_type="text/csv")
    head, row = answer.body.decode().splitlines()
    assert head == "a,text,a,label,score"
    assert row.startswith("1,great,2,")
    both = served.post("/v1/predict", b"text,text\na,b\n", content_type="text/csv")
    assert "several columns 'text'" in both.json()["error"]

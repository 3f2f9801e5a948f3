"""Predictions and explanations as notebooks show them."""

from html.parser import HTMLParser

import pytest
from predictors import predictor

TEXT = "this is great <b>& lovely</b>"


class Shown(HTMLParser):
    """What a reader sees of HTML, with the elements it is made of."""

    def __init__(self, html):
        super().__init__()
        self.text, self.elements = "", set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        """Note an element."""
        self.elements.add(tag)

    def handle_data(self, data):
        """Note text."""
        self.text += data


@pytest.fixture(scope="module")
def model(sample):
    return predictor(sample, "LinearSVC")[0]


def test_a_prediction_shows_its_text_and_scores(model):
    """Every label has its score; no text or label is markup."""
    prediction = model.predict(TEXT)
    shown = Shown(prediction._repr_html_())
    assert TEXT in shown.text
    assert "b" not in shown.elements
    for label, score in prediction.scores.items():
        assert f"{label}{score:.4f}" in shown.text
    assert "(none)" in Shown(model.predict(TEXT, threshold=1e9)._repr_html_()).text


def test_an_explanation_shows_the_text_with_its_n_grams(model):
    """N-grams that contributed are coloured in the text, the strongest ones are listed."""
    explanation = model.explain(TEXT)
    html = explanation._repr_html_()
    shown = Shown(html)
    assert TEXT in shown.text
    assert "b" not in shown.elements
    assert "rgba(" in html
    strongest = explanation.contributions[0]
    assert f"{strongest.ngram}{strongest.contribution:+.4f}" in shown.text


def test_a_long_text_is_cut(model):
    """A notebook is not filled by one text."""
    text = "great " * 100_000
    for shown in (model.predict(text), model.explain(text)):
        assert len(shown._repr_html_()) < 100_000

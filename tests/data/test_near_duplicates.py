"""Texts that are nearly the same."""

import random

import pytest

from textclf.data.near_duplicates import distinct_words, without_near_duplicates


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("The parcel came.", "the  parcel\ncame", True),
        ("now, now and then", "then and now", True),
        ("Straße", "STRASSE", True),
        ("!!!", "???", False),
        ("\U0001f600", "\U0001f600", True),
        ("order 66", "order 67", False),
    ],
)
def test_same_words(one, other, same):
    """Texts have the same words whatever their case, order, white space and punctuation."""
    assert (distinct_words(one) == distinct_words(other)) is same


def test_near_duplicates_are_those_that_a_comparison_of_all_pairs_finds():
    """A text is left out if it shares 80% of the words with one of those before that are not."""
    chance = random.Random(1)
    vocabulary = [f"w{n}" for n in range(14)]
    texts = [" ".join(chance.choices(vocabulary, k=chance.randint(1, 12))) for _ in range(400)]
    words = [set(text.split()) for text in texts]
    kept = []
    for number, own in enumerate(words):
        if not any(len(own & words[n]) >= 0.8 * len(own | words[n]) for n in kept):
            kept.append(number)
    assert list(without_near_duplicates(list(map(distinct_words, texts)))) == kept
    assert len(kept) < 380

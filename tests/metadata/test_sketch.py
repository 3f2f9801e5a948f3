import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.metadata.sketch import Sketch

rows = st.tuples(st.text(max_size=4), st.sampled_from(["pos", "neg", "ümlaut"]))
small_sets = st.sets(rows, max_size=40)


def sketch(rows):
    return Sketch.from_rows([text for text, _ in rows], [label for _, label in rows])


def numbered(numbers):
    return sketch([(f"text {n}", "pos" if n % 2 else "neg") for n in numbers])


def share(one, other):
    """Compute what the sketches estimate, from the rows themselves."""
    return len(one & other) / max(len(one), len(other)) if one or other else 1.0


@given(small_sets, small_sets)
def test_small_sets_are_compared_exactly(one, other):
    """Sets of few rows give their exact share, whichever is asked."""
    found = sketch(list(one)).overlap(sketch(list(other)))
    assert found == pytest.approx(share(one, other))
    assert found == sketch(list(other)).overlap(sketch(list(one)))


@given(st.integers(0, 256), st.integers(0, 256), st.integers(0, 256))
def test_up_to_256_rows_are_compared_exactly(size, other_size, shift):
    """Up to 256 distinct rows on each side the share is exact, even if 512 differ."""
    one, other = set(range(size)), set(range(shift, shift + other_size))
    found = numbered(one).overlap(numbered(other))
    assert found == pytest.approx(share(one, other))


@pytest.mark.parametrize("in_common", [0.0, 0.1, 0.25, 0.5, 0.75, 0.95, 1.0])
@pytest.mark.parametrize(("size", "other_size"), [(5000, 5000), (3000, 6000), (257, 4000)])
def test_large_sets_are_estimated(in_common, size, other_size):
    """Above 256 rows the estimate is within some points (3 standard errors) of the share."""
    both = int(in_common * min(size, other_size))
    one, other = set(range(size)), set(range(size - both, size - both + other_size))
    assert numbered(one).overlap(numbered(other)) == pytest.approx(share(one, other), abs=0.105)


def test_the_estimate_has_no_slant():
    """Over many data sets the errors of the estimate cancel out."""
    errors = []
    for start in range(0, 40_000, 1000):
        one = set(range(start, start + 1000))
        other = set(range(start + 400, start + 1400))
        errors.append(numbered(one).overlap(numbered(other)) - share(one, other))
    assert abs(sum(errors) / len(errors)) < 0.02


@given(st.lists(rows, max_size=30), st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(data, rng):
    """The sketch is of the distinct rows: shuffled and repeated ones give the same."""
    more = [*data, *rng.choices(data, k=5)] if data else []
    rng.shuffle(more)
    assert sketch(more) == sketch(data)


def test_order_does_not_matter_above_256():
    """The same holds where only a sample of the hashes is kept."""
    numbers = list(range(2000))
    shuffled = random.Random(0).sample(numbers, k=2000)
    assert numbered(numbers) == numbered(shuffled + numbers[:500])


def test_the_label_is_part_of_the_row():
    """A text under another label is another row."""
    assert sketch([("a", "pos")]).overlap(sketch([("a", "neg")])) == 0.0


def test_half_a_surrogate_pair_is_a_row_like_any():
    """A text that UTF-8 cannot hold can be sketched."""
    assert sketch([("\ud83d", "pos")]).overlap(sketch([("\ud83d", "pos")])) == 1.0


def test_texts_and_labels_must_pair():
    """More texts than labels is an error, not a silent cut."""
    with pytest.raises(ValueError, match="shorter"):
        Sketch.from_rows(["a", "b"], ["pos"])


@pytest.mark.parametrize("size", [0, 1, 256, 257, 3000])
def test_a_sketch_survives_json_and_stays_small(size):
    """The sketch that comes back from JSON is the same one, in a few kilobytes."""
    made = numbered(range(size))
    data = msgspec.json.encode(made)
    assert msgspec.json.decode(data, type=Sketch) == made
    assert len(data) < 3000
    assert made.distinct == size


def test_few_sampled_rows_do_not_say_much():
    """The share of rows in a far larger set is hardly ever overstated, and 100% is never missed."""
    large = numbered(range(30_000))
    for start in range(0, 30_000, 1_500):
        known = range(start, start + 15)  # 1% of the rows
        some = numbered([*known, *range(90_000 + start, 90_000 + start + 1_485)])
        assert some.containment_in(large) <= 0.05
        assert numbered(range(start, start + 1_500)).containment_in(large) > 0.5


def test_the_same_rows_are_all_contained():
    """Of the same rows nothing is estimated."""
    rows = numbered(range(5000))
    assert rows.containment_in(rows) == 1.0


def test_of_nothing_there_is_nothing_in_common():
    """And nothing differs."""
    nothing, some = numbered([]), numbered(range(3))
    assert (nothing.shared_rows(nothing), nothing.overlap(nothing)) == (0.0, 1.0)
    assert (nothing.containment_in(some), some.containment_in(nothing)) == (0.0, 0.0)

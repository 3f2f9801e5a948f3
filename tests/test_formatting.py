"""How values are written for people."""

import pytest

from textclf.formatting import (
    candidate_name,
    candidate_names,
    duration,
    encodable,
    escape_controls,
    excerpt,
    first_line,
    percent,
    plural,
    points,
    size,
    suggestion,
)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("one", "one"),
        ("\n  one\ntwo", "one"),
        ("one:\ntwo", "one"),
        (ValueError("one\ntwo"), "one"),
        ("", ""),
    ],
)
def test_the_first_line_of_a_message(message, line):
    """A message of several lines is known by its first."""
    assert first_line(message) == line


def test_shares_are_percentages_without_a_space():
    """One decimal unless asked otherwise; an unknown share is a dash."""
    assert [percent(0.8531), percent(1), percent(0.5, 0), percent(None)] == [
        "85.3%", "100.0%", "50%", "–",
    ]  # fmt: skip


def test_differences_of_shares_have_a_sign():
    """They are percentage points."""
    assert [points(x) for x in (0.012, -0.012, 0.0, None)] == ["+1.2", "-1.2", "+0.0", "–"]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12345, "12,345 rows")]
)
def test_a_noun_follows_its_number(number, text):
    """Only one is singular; thousands are separated."""
    assert plural(number, "row") == text


def test_sizes_and_times_have_a_unit_that_fits():
    """A number before its unit has few digits."""
    sizes = [size(n) for n in (1, 999, 714_881, 2_752_545, 3_000_000_000)]
    assert sizes == ["1 byte", "999 bytes", "714.9 kB", "2.8 MB", "3.0 GB"]
    times = [duration(s) for s in (0.25, 12, 185, 3725)]
    assert times == ["0.2 s", "12 s", "3 min 05 s", "1 h 02 min"]


def test_control_characters_are_written_as_escapes():
    """No text moves a cursor, turns its direction around, or hides itself."""
    assert escape_controls("a\x1b[31m\u202eb\n\ud800") == r"a\x1b[31m\u202eb\n\ud800"
    assert excerpt("a\tb" + "x" * 80, 10) == r"a\tbxxxxx…"
    assert encodable("caf\udce9.csv") == r"caf\udce9.csv"


LINEAR = {"classifier": "LinearSVC", "features__word__min_df": 1}


def test_a_candidate_is_named_by_its_parameters():
    """The classifier comes first, without the prefixes of the pipeline."""
    params = LINEAR | {"classifier__C": 0.3}
    assert candidate_name(params) == "LinearSVC word.min_df=1 C=0.3"
    assert candidate_name(params, without={"features__word__min_df"}) == "LinearSVC C=0.3"


def test_candidates_are_named_by_what_tells_them_apart():
    """What all share is left out; a parameter that only some have is not; blocks if they differ."""
    one, other = LINEAR | {"classifier__C": 1}, LINEAR | {"classifier__C": 3}
    bayes = {"classifier": "ComplementNB", "classifier__alpha": 0.1, "features__word__min_df": 1}
    assert candidate_names([one, other], [["word"]] * 2) == ["LinearSVC C=1", "LinearSVC C=3"]
    assert candidate_names([one, bayes], [["word"], ["word", "char"]]) == [
        "LinearSVC C=1 on word", "ComplementNB alpha=0.1 on word + char",
    ]  # fmt: skip


def test_the_nearest_known_word_is_suggested():
    """If none is near, the hint says something else."""
    assert suggestion("acuracy", ["accuracy", "macro_f1"], "see the list") == (
        "did you mean 'accuracy'?"
    )
    assert suggestion("x", ["accuracy"], "see the list") == "see the list"

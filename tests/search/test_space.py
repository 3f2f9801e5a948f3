"""Search spaces: TOML to candidates, and sentences for what is wrong with them."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid
from slow_patterns import SLOW_PATTERNS

from textclf.errors import UsageError
from textclf.search.space import (
    SpaceSource,
    list_candidates,
    parse_space,
    preset_source,
    read_source,
)
from textclf.search.space_check import check_space

SPACE = """\
[features.word]                 # a comment
ngram_range = [[1, 1], [1, 2]]
sublinear_tf = true

[features.char_wb]
ngram_range = [[2, 5]]

[classifier.LinearSVC]
C = [0.1, 1]

[classifier.ComplementNB]
alpha = [0.1, 0.5, 1]
"""


def source(text):
    return SpaceSource("grid.toml", text)


def check(text):
    space = parse_space(source(text))
    check_space(space, source(text).where)
    return space


def refusal(text):
    with pytest.raises(UsageError) as caught:
        check(text)
    return str(caught.value), caught.value.hint


def test_candidates_are_the_product_of_all_alternatives():
    """Each list is a list of alternatives; classifiers are alternatives of each other."""
    found = list_candidates(parse_space(source(SPACE)))
    assert len(found) == 2 * 2 + 2 * 3
    assert found[0].flattened() == {
        "classifier": "LinearSVC",
        "classifier__C": 0.1,
        "features__word__ngram_range": [1, 1],
        "features__word__sublinear_tf": True,
        "features__char_wb__ngram_range": [2, 5],
    }


axes = st.dictionaries(
    st.sampled_from(["C", "tol", "max_iter"]), st.lists(st.integers(1, 9), min_size=1, max_size=3)
)
blocks = st.dictionaries(
    st.sampled_from(["min_df", "max_features"]), st.lists(st.integers(1, 9), min_size=1, max_size=3)
)


@given(axes, blocks, blocks)
def test_candidates_come_in_the_order_of_parameter_grid(classifier, word, char):
    """Ties are won by the first candidate, so the order must be scikit-learn's."""
    space = [{"features": {"word": word, "char": char}, "classifier": {"LinearSVC": classifier}}]
    grid = {f"classifier__{name}": values for name, values in classifier.items()}
    for block, table in (("word", word), ("char", char)):
        grid |= {f"features__{block}__{name}": values for name, values in table.items()}
    ours = [
        {k: v for k, v in p.flattened().items() if k != "classifier"}
        for p in list_candidates(space)
    ]
    assert ours == list(ParameterGrid(grid))


def test_space_tables_are_a_union_of_grids():
    """Each [[space]] is a grid of its own, searched after the one before it."""
    text = """
[[space]]
features.word.ngram_range = [[1, 2]]
classifier.LinearSVC.C = 1
[[space]]
features.char.ngram_range = [[2, 4]]
classifier.RidgeClassifier.alpha = [1, 2]
"""
    found = list_candidates(check(text))
    assert [(p.classifier, *p.features) for p in found] == [
        ("LinearSVC", "word"),
        ("RidgeClassifier", "char"),
        ("RidgeClassifier", "char"),
    ]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_a_value_that_metadata_cannot_hold_is_refused(value):
    """Else a version with it could not be made again from what is recorded."""
    text = f"[features.word]\n[classifier.LogisticRegression]\nC = [1.0, {value}]"
    assert refusal(text)[0].startswith(f"grid.toml:3: {value} cannot be recorded")


@pytest.mark.parametrize("pattern", SLOW_PATTERNS.values(), ids=SLOW_PATTERNS)
def test_a_token_pattern_that_would_not_be_opened_is_refused(pattern):
    """What is trained can be opened: the same patterns are refused before a search."""
    text = f"[features.word]\ntoken_pattern = {json.dumps(pattern)}\n[classifier.LinearSVC]"
    assert refusal(text)[0].startswith("grid.toml:2: more than ")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?u)\b\w\w+\b",
        r"\w+|[^\w\s]",
        r"(?i)\b([a-zà-öø-ÿ]{2,}|\d+)\b",
        r"\w+(?:[-'\u2019]\w+)*",
        r"(?i)[\u0041-\u005a\u0400-\u04ff]{2,20}|[\u4e00-\u9fff]|[\U0001f300-\U0001faff]",
    ],
)
def test_usual_token_patterns_are_accepted(pattern):
    """The default, those of the documentation, several scripts, hyphens and apostrophes."""
    check(f"[features.word]\ntoken_pattern = {json.dumps(pattern)}\n[classifier.LinearSVC]")


@pytest.mark.parametrize("folder", ["", "unspaced/"])
@pytest.mark.parametrize("name", ["fast", "default", "thorough"])
def test_the_presets_are_ones_that_scikit_learn_takes(name, folder):
    """The spaces that come with textclf pass its own checks."""
    shipped = preset_source(folder + name)
    space = parse_space(shipped)
    check_space(space, shipped.where)
    assert list_candidates(space)


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "hint"),
    [
        ("sublinear_tf", "sublinear_tff", 3, "features.word.sublinear_tff", "'sublinear_tf'"),
        ("[features.char_wb]", "[features.charwb]", 5, "features.charwb", "'char_wb'"),
        ("[classifier.LinearSVC]", "[classifier.LinearSCV]", 8, "LinearSCV", "'LinearSVC'"),
        ("[classifier.LinearSVC]", "[clasifier.LinearSVC]", 8, "'clasifier'", "'classifier'"),
        ("C = [0.1, 1]", "C = []", 9, "no alternative", None),
        ("C = [0.1, 1]", "C = [0.1, -1]", 9, "'C' parameter", None),
        ("C = [0.1, 1]", 'C = ["a"]', 9, "'C' parameter", None),
        ("C = [0.1, 1]", "c = [0.1, 1]", 9, "no parameter 'c'", None),
        ("alpha = [0.1, 0.5, 1]", 'alpha = "x"', 12, "'alpha' parameter", None),
        ("sublinear_tf = true", "max_df = 1.5", 3, "'max_df' parameter", None),
        ("sublinear_tf = true", 'token_pattern = "("', 3, "unterminated subpattern", None),
        ("[[1, 1], [1, 2]]", "[1, 2]", 2, "[[1, 2]], not 1", None),
        ("[[1, 1], [1, 2]]", "[[1, 2, 3]]", 2, "takes pairs", None),
        ("[[1, 1], [1, 2]]", "[[2, 1]]", 2, "ngram_range", None),
        ("C = [0.1, 1]", "C = = 1", 9, "not TOML", None),
    ],
)
def test_a_mistake_is_reported_with_its_line(old, new, line, says, hint):
    """Unknown names and values that scikit-learn refuses name the file, the line and a way out."""
    message, told = refusal(SPACE.replace(old, new, 1))
    assert message.startswith(f"grid.toml:{line}: ")
    assert says in message
    if hint:
        assert hint in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no [features.…] table"),
        ("[features.word]\n", "no [classifier.…] table"),
        ("features = 1", "no [features.…] table"),
        ("[features]\nword = 1\n[classifier.LinearSVC]", "must be a table"),
        ("space = 1", "write [[space]]"),
        ("[[space]]\n[[space]]", "no [features.…] table"),
    ],
)
def test_a_missing_part_is_named(text, says):
    """A space without features or classifiers is refused."""
    assert says in refusal(text)[0]


def test_an_unreadable_file_is_refused(tmp_path):
    """A search space that is missing or not text is told in a sentence."""
    with pytest.raises(UsageError, match="No such file"):
        read_source(tmp_path / "nope.toml")
    path = tmp_path / "grid.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not TOML: Not UTF-8"):
        read_source(path)


@given(st.text(max_size=200) | st.sampled_from(list(itertools.accumulate(SPACE))))
def test_any_text_is_a_space_or_a_sentence(text):
    """Whatever the file holds, the answer is a search space or a UsageError."""
    try:
        found = list_candidates(parse_space(source(text)))
    except UsageError as error:
        found = str(error).startswith("grid.toml")
    assert found


SECOND = """
[[space]]
features.word.min_df = 1
classifier.LinearSVC.C = 1
[[space]]
[space.features.word]
min_df = 1
[space.classifier.LinearSVC]
C = -1
"""


def test_a_mistake_in_the_second_grid_is_told_with_its_own_line():
    """The same names in an earlier grid are not taken for it."""
    assert refusal(SECOND)[0].startswith("grid.toml:9: ")
    assert refusal(SECOND.replace("C = -1", "c = 1"))[0].startswith("grid.toml:9: ")


@pytest.mark.parametrize(
    "text",
    [
        "[features.word]\ntoken_pattern = '#\\w+|[ж-я]+'\n[classifier.LinearSVC]",
        "[features.word]\nngram_range = [[8, 8]]\n[classifier.LinearSVC]\nC = 1e300",
        "[features.char]\n[classifier.MultinomialNB]\nclass_prior = [[0.4, 0.3, 0.3]]",
        "[features.word]\n[classifier.SGDClassifier]\nearly_stopping = true",
        "[features.word]\n[classifier.LinearSVC]\nclass_weight = [{spam = 2}]",
    ],
)
def test_whether_values_suit_the_data_is_left_to_the_search(text):
    """The check knows no texts and no labels, so it refuses nothing that some data would take."""
    assert check(text)


def test_what_would_write_into_the_answer_is_refused():
    """Scikit-learn's own chatter goes to stdout, which is the answer's."""
    message, _ = refusal("[features.word]\n[classifier.LinearSVC]\nverbose = 1")
    assert message.startswith("grid.toml:3: verbose")


def test_more_candidates_than_can_be_searched():
    """A product that would fill the memory is counted, not made."""
    axis = str(list(range(1, 1001)))
    text = f"[features.word]\nmin_df = {axis}\nmax_df = {axis}\n[classifier.LinearSVC]\nC = {axis}"
    with pytest.raises(UsageError, match="more than 100,000 candidates") as caught:
        parse_space(source(text))
    assert "multiplies" in caught.value.hint


def test_places_are_found_in_a_line_of_blanks():
    """A line that looks like the start of a table for long does not hold up the search for one."""
    text = f"[features.word]\nbad = [\n[{' ' * 100_000}\n]]\n[classifier.LinearSVC]\n"
    assert refusal(text)[0] == "grid.toml:2: unknown name 'features.word.bad'"


def test_places_are_looked_for_only_to_be_told():
    """Nobody reads a long file once for each of its values."""
    text = "[features.word]\n[classifier.LinearSVC]\nC = [1, 2, 3, -1]\n"
    asked = []

    def where(*path, grid):
        asked.append(path)
        return source(text).where(*path, grid=grid)

    with pytest.raises(UsageError, match=r"grid.toml:3: The 'C' parameter"):
        check_space(parse_space(source(text)), where)
    assert asked == [("classifier", "LinearSVC", "C")]


def test_lines_end_where_an_editor_says():
    """A line separator inside a string is no new line."""
    text = "# \u2028 \x85\n[features.word]\nmin_fd = 1\n[classifier.LinearSVC]\n"
    assert refusal(text)[0].startswith("grid.toml:3: unknown name")

"""The page: well-formed, self-contained, escaped, and complete."""

import base64
import hashlib
import re

import msgspec
import pytest
import reports
from effort import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.metadata.schema import ClassMetrics
from textclf.report.html.charts import wilson_interval
from textclf.report.page import comparison, page

HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' x=\"",
    "</svg></bdi></td>&amp;&lt;&#x3c;",
    "]]><!-- --!> <!doctype",
    "javascript:alert(1)",
    "\x00\x1b[31m\r\n\t\x7f\x9b\ufffe\ud800",
    "\u202e\u2066abc\u200f",
    "😀 ü 汉字 العربية",
    "",
    " ",
    "x" * 1000,
]
texts = st.sampled_from(HOSTILE) | st.text(max_size=40)


@pytest.fixture(scope="module")
def make():
    def call(*labels, **how):
        return reports.subject(labels or ("neg", "pos"), **how)

    return call


def shape(element):
    """Return the names of all elements, without any text."""
    return [e.name for e in element.all()]


def attributes(element):
    """Return the names of all attributes that occur."""
    return {name for e in element.all() for name in e.attributes}


def rebuilt(subject, **changes):
    return msgspec.structs.replace(subject.metadata, **changes)


def test_the_page_is_well_formed_and_its_references_lead_somewhere(make):
    """Every tag is closed, every id is unique, every link and label has its target."""
    for html in (page(make()), comparison(make(), make(version="1.1.0"))):
        root = reports.parse(html)
        ids = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        for element in root.all():
            wanted = element.attributes.get("aria-labelledby", "").split()
            if "href" in element.attributes:
                wanted.append(element.attributes["href"].removeprefix("#"))
            assert set(wanted) <= set(ids)
        assert root.all("html")[0].attributes["lang"] == "en"
        assert [h.name for h in root.all() if h.name == "h1"] == ["h1"]


def test_the_page_runs_nothing_and_loads_nothing(make):
    """It has no script, handler, style attribute, outside link, image or frame, by its policy."""
    html = page(make(text="see https://example.com/x"))
    root = reports.parse(html)
    names = {element.name for element in root.all()}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use"}
    for element in root.all():
        assert not [a for a in element.attributes if a.startswith("on") or a == "style"]
        assert not element.attributes.keys() & {"src", "srcset", "action", "xlink:href", "data"}
        assert element.attributes.get("href", "#").startswith("#")
    [style] = root.all("style")
    assert not re.search(r"url\(|@import|expression", style.text)
    [policy] = [e for e in root.all("meta") if "http-equiv" in e.attributes]
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy.attributes["content"].split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip
    head = root.all("head")[0].children
    assert head.index(policy) < head.index(style)


@settings(max_examples=cases(10, 25), deadline=None)
@given(label=texts, text=texts, name=texts)
def test_a_text_never_becomes_markup(make, label, text, name):
    """Labels, texts, messages, paths, parameters and libraries never become markup."""

    def subject(label, text, name):
        labels = [f"a{label}", f"b{label}"]
        made = make(*labels, text=text, message=f"m{name}")
        data = msgspec.structs.replace(
            made.data,
            ngrams={one: [made.data.ngrams[one][1]] for one in labels},
        )
        metadata = rebuilt(
            made,
            best_params={"classifier": name, f"classifier__{name}": name},
            data=msgspec.structs.replace(made.metadata.data, path=f"p{name}"),
            environment=msgspec.structs.replace(
                made.metadata.environment, platform=name, libraries={f"l{name}": name}
            ),
        )
        return type(made)(metadata, data)

    hostile, tame = subject(label, text, name), subject("", "", "")
    root = reports.parse(page(hostile))
    expected = reports.parse(page(tame))
    assert shape(root) == shape(expected)
    assert attributes(root) <= attributes(expected) | {"transform"}  # of a long label
    reports.parse(comparison(hostile, tame))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_ngram_is_only_text(make, text):
    """Spaces of an n-gram are shown as dots, and nothing in it is markup."""
    made = make()
    ngram = msgspec.structs.replace(made.data.ngrams["neg"][0], ngram=f"<{text}>")
    data = msgspec.structs.replace(made.data, ngrams={"neg": [ngram]})
    root = reports.parse(page(type(made)(made.metadata, data)))
    [code] = root.find("ngrams").all("code")
    assert {e.name for e in code.all()} <= {"code", "bdi", "span"}
    assert code.text.startswith("<")


def test_labels_are_isolated_and_control_characters_shown(make):
    """A label cannot change the direction of the text around it or hide characters."""
    root = reports.parse(page(make("a\u202eb\x1b", "pos")))
    cells = [e.text for e in root.find("labels").all("bdi")]
    assert "a\\u202eb\\x1b" in cells


@pytest.mark.parametrize("number", [2, 3, 20, 77, 150])
def test_every_label_is_in_the_drawing(make, number):
    """The matrix names each label twice, and each of its cells has its rows as a tooltip."""
    labels = [f"label {n}" for n in range(number)]
    root = reports.parse(page(make(*labels)))
    [drawing] = [s for s in root.find("confusion").all("svg") if s.attributes.get("role")]
    shown = [t.text for t in drawing.all("text")]
    for label in labels:
        assert shown.count(label) == 2
    told = [t.text for t in drawing.all("title")]
    assert len(told) == 1 + 2 * number
    assert "label 0: 9 of 10 rows (90.0%) correct" in told
    numbered = sum(text == "9" for text in shown)
    assert numbered == (number if number <= 30 else 0)


def test_more_labels_than_can_be_read_are_not_drawn(make):
    """With 200 labels there is no matrix, but still the pairs and the labels."""
    root = reports.parse(page(make(*(f"label {n}" for n in range(200)))))
    confusion = root.find("confusion")
    assert not confusion.all("svg")
    assert "20 of 200 pairs" in confusion.text
    assert len(root.find("labels").all("tr")) == 201
    assert "Only the 100 labels with the most test rows" in root.find("ngrams").text
    assert len(page(make(*(f"label {n}" for n in range(200))))) < 600_000


def test_tables_and_charts_are_accessible(make):
    """Heads have a scope, tables a caption; charts have a title and description or are hidden."""
    root = reports.parse(comparison(make(), make(version="1.1.0")))
    for table in root.all("table"):
        assert table.all("caption")
        assert all(th.attributes["scope"] in {"row", "col"} for th in table.all("th"))
        assert all(th.text for th in table.all("th"))
        widths = {
            len([c for c in row.children if c.name in {"th", "td"}]) for row in table.all("tr")
        }
        assert len(widths) == 1
    for drawing in root.all("svg"):
        told = drawing.attributes.get("role") == "img" and drawing.all("desc")
        assert told or drawing.attributes["aria-hidden"] == "true"


def test_the_leaderboard_shows_every_fold(make):
    """Candidates are ordered by score, with a dot for each fold and a note on those left out."""
    search = make().metadata.search
    many = reports.candidates(40)
    failed = msgspec.structs.replace(many[0], mean=None, std=None, fold_scores=[None, 0.5])
    given_up = msgspec.structs.replace(many[0], mean=0.99, fold_scores=[0.99])
    search = msgspec.structs.replace(
        search, candidates=[*reversed(many), failed, given_up], method="race", sample=300
    )
    root = reports.parse(page(make(search=search)))
    board = root.find("search")
    rows = board.all("tr")[1:]
    assert len(rows) == 30
    assert [row.all("th")[0].text for row in rows[:2]] == ["LinearSVC C=1", "LinearSVC C=2"]
    assert all(len(row.all("circle")) == 3 for row in rows)
    for told in ("The other 11 are", "1 candidate could not", "dropped", "sample of 300 rows"):
        assert told in board.text


def test_a_version_without_report_data_says_what_is_missing(make):
    """Instead of probabilities, n-grams and mistakes there is a sentence with the command."""
    made = make()
    root = reports.parse(page(type(made)(made.metadata, None)))
    for part in ("probabilities", "ngrams", "mistakes"):
        assert not root.find(part).all("svg")
        assert "textclf versions report 1.0.0 --data FILE" in root.find(part).text
    assert root.find("confusion").all("svg")
    assert "Calibration error" not in root.find("summary").text
    mixed = reports.parse(comparison(made, type(made)(made.metadata, None)))
    assert "published without" in mixed.find("ngrams").text


def test_decision_values_are_not_shown_as_probabilities(make):
    """There is no diagram, and the scores of mistakes are not percentages."""
    made = make()
    data = msgspec.structs.replace(made.data, score_type="decision", probabilities=None)
    root = reports.parse(page(type(made)(made.metadata, data)))
    assert "decision values, not probabilities" in root.find("probabilities").text
    cells = [cell.text for cell in root.find("mistakes").all("td")]
    assert "0.93" in cells


def test_texts_are_shown_only_where_they_may_be(make):
    """With texts there is a column of them; without, a sentence says how to show them."""
    shown = make(text="a private matter")
    assert "a private matter" in reports.parse(page(shown)).find("mistakes").text
    hidden = page(shown.without_texts())
    assert b"private matter" not in hidden
    assert "--include-texts" in reports.parse(hidden).find("mistakes").text


def test_without_mistakes_there_is_nothing_to_show(make):
    """If all rows are correct, sentences take the place of pairs and mistakes."""
    made = make()
    test = msgspec.structs.replace(made.metadata.test, metrics=reports.metrics(["neg", "pos"], 0))
    data = msgspec.structs.replace(made.data, mistakes=[])
    root = reports.parse(page(type(made)(rebuilt(made, test=test), data)))
    for part in ("confusion", "mistakes"):
        assert "No row was labelled wrong." in root.find(part).text


def test_a_label_that_was_only_predicted_is_shown(make):
    """A label without test rows has an empty row in the matrix."""
    made = make("a", "b")
    metrics = reports.metrics(["a", "b"])
    metrics = msgspec.structs.replace(
        metrics,
        per_class=metrics.per_class | {"b": ClassMetrics(0.0, 0.0, 0.0, 0)},
        confusion=msgspec.structs.replace(metrics.confusion, matrix=[[9, 1], [0, 0]]),
    )
    test = msgspec.structs.replace(made.metadata.test, metrics=metrics)
    root = reports.parse(page(type(made)(rebuilt(made, test=test), made.data)))
    assert "on 0 test rows" in root.find("summary").text


def test_two_versions_are_shown_as_their_difference(make):
    """The page shows changed metrics, the label with the largest loss first, and changed cells."""
    a, b = make("neg", "pos"), make("neg", "pos", version="1.1.0")
    worse = reports.metrics(["neg", "pos"], 3)
    worse = msgspec.structs.replace(
        worse, per_class=worse.per_class | {"neg": a.metadata.test.metrics.per_class["neg"]}
    )
    b = type(b)(rebuilt(b, test=msgspec.structs.replace(b.metadata.test, metrics=worse)), b.data)
    root = reports.parse(comparison(a, b))
    assert "different rows" not in root.all("header")[0].text
    assert "-20.0" in root.find("summary").text
    rows = root.find("labels").all("tr")
    assert [row.all("th")[0].text for row in rows[1:]] == ["pos", "neg"]
    cells = [t.text for t in root.find("confusion").all("text")]
    assert cells.count("-2") == 2
    assert cells.count("+2") == 2
    assert "Parameters of the winner: unchanged." in root.find("changes").text


def test_versions_tested_on_different_rows_are_not_compared(make):
    """The page says so at the top, and shows both matrices instead of a difference."""
    a, b = make(), make(version="1.1.0")
    test = msgspec.structs.replace(b.metadata.test, rows_sha256="u" * 64, path="other.csv")
    root = reports.parse(comparison(a, type(b)(rebuilt(b, test=test), b.data)))
    assert "tested on different rows" in root.all("header")[0].text
    drawings = [s for s in root.find("confusion").all("svg") if "role" in s.attributes]
    assert len(drawings) == 2


def test_versions_with_different_labels_are_compared(make):
    """A label that only one version has gets dashes; the n-grams of both are shown."""
    root = reports.parse(comparison(make("a", "b"), make("b", "c", version="2.0.0")))
    heads = [row.all("th")[0].text for row in root.find("labels").all("tr")[1:]]
    assert sorted(heads) == ["a", "b", "c"]
    assert [h.text for h in root.find("ngrams").all("h3")] == ["b", "c", "a"]


def test_the_same_version_makes_the_same_page(make):
    """The bytes of two pages are identical."""
    assert page(make()) == page(make())
    assert comparison(make(), make("x", "y")) == comparison(make(), make("x", "y"))


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_the_published_ones(hits, rows, low, high):
    """The examples of R. G. Newcombe, 1998, "Two-sided confidence intervals", method 3."""
    found = wilson_interval(hits / rows, rows)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_a_bin_without_rows_has_the_widest_interval():
    """Without rows, a share may have any value."""
    assert wilson_interval(0, 0) == (0, 1)

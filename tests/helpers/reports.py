"""Made-up versions to report on, and a strict reader of the pages that come of them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import msgspec
import registries

from textclf.evaluation.records import ReliabilityBin
from textclf.metadata.schema import Candidate, ClassMetrics, Confusion, Metrics
from textclf.report.report_data import Mistake, Ngram, Probabilities, ReportData, Threshold
from textclf.report.subject import Subject

VOID = {"meta", "br", "col"}


def metrics(labels, wrong=1):
    """Ten test rows of each label, of which some are taken for the next label."""
    n = len(labels)
    matrix = [[0] * n for _ in labels]
    for i in range(n):
        matrix[i][i] = 10 - wrong
        matrix[i][(i + 1) % n] += wrong
    share = 1 - wrong / 10
    return Metrics(
        accuracy=share,
        macro_f1=share,
        weighted_f1=share,
        per_class={
            label: ClassMetrics(share, share, share - i / 1000, 10)
            for i, label in enumerate(labels)
        },
        confusion=Confusion(list(labels), matrix),
    )


def candidates(number=3):
    return [
        Candidate(
            {"classifier": "LinearSVC", "classifier__C": n + 1, "features__word__min_df": 1},
            0.7 - n / 100, 0.02, [0.68 - n / 100, 0.72 - n / 100], 0.7, 0.01,
        )
        for n in range(number)
    ]  # fmt: skip


def report_data(labels, text=None, **changes):
    """What a version with these labels might carry."""
    data = ReportData(
        rows_sha256="t" * 64,
        score_type="probability",
        probabilities=Probabilities(
            bins=[ReliabilityBin(0.4, 0.6, 4, 0.55, 0.5), ReliabilityBin(0.8, 1.0, 6, 0.9, 1.0)],
            calibration_error=0.08,
            log_loss=0.4,
            thresholds=[Threshold(n / 100, 1 - n / 100, 0.8 + n / 500) for n in range(101)],
        ),
        ngrams={
            label: [Ngram("word", f"good {n}", 2.0), Ngram("char_wb", " ba", 1.0)]
            for n, label in enumerate(labels)
        },
        mistakes=[Mistake(7, labels[0], labels[-1], 0.93, 0.05, text)],
        texts=text is not None,
    )
    return msgspec.structs.replace(data, **changes)


def subject(labels=("neg", "pos"), version="1.0.0", text=None, **changes):
    """A version to report on, with evidence; ``changes`` are to its metadata."""
    labels = list(labels)
    made = registries.metadata(version)
    made = msgspec.structs.replace(
        made,
        test=msgspec.structs.replace(made.test, rows=10 * len(labels), metrics=metrics(labels)),
        data=msgspec.structs.replace(made.data, labels=dict.fromkeys(labels, 20)),
        search=msgspec.structs.replace(made.search, candidates=candidates()),
        best_params=candidates()[0].params,
    )
    return Subject(msgspec.structs.replace(made, **changes), report_data(labels, text))


@dataclass
class Element:
    """An element: its name, attributes, what is in it, and the text of all that."""

    name: str
    attributes: dict = field(default_factory=dict)
    children: list = field(default_factory=list)

    @property
    def text(self):
        """All the text in it."""
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def all(self, name=None):
        """The element itself and all below it, those of a name only."""
        found = [self] if name in (None, self.name) else []
        for child in self.children:
            found += [] if isinstance(child, str) else child.all(name)
        return found

    def find(self, ident):
        """The element of an id."""
        [found] = [e for e in self.all() if e.attributes.get("id") == ident]
        return found


class Reader(HTMLParser):
    """Refuses what browsers mend: tags that do not match, attributes twice."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = Element("document")
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        """Open an element."""
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        """Close the element that was opened last, and no other."""
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        """Take in text."""
        self.open[-1].children.append(data)

    def handle_comment(self, data):
        """Refuse comments: the page has none."""
        raise AssertionError(f"a comment: {data}")


def parse(page):
    """A page as elements; it is well-formed."""
    text = page.decode("utf-8")
    assert text.startswith("<!doctype html>\n<html")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root

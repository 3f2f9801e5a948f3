"""One interval for one version and its test rows, wherever it is shown."""

import json

import pytest
import registries
import reports

from textclf.formatting import percent
from textclf.metadata.schema import decode
from textclf.report.card import card
from textclf.report.files import CARD, DATA, PAGE
from textclf.report.page import comparison, page
from textclf.report.report_data import ReportData
from textclf.report.subject import Subject


@pytest.fixture
def evaluated(cli, write_data, data):
    """Train and test on rows of which some are wrong; return the registry and the intervals."""
    write_data(data / "data/test.csv", 60, seed=5, wrong=1)
    assert cli("train", "--preset", "fast").code == 0
    answer = json.loads(cli("evaluate", "data/test.csv", "--json").out)
    return registries.open_registry(data / "models"), answer["intervals"]


def test_page_card_and_evaluate_give_the_same_interval(evaluated):
    """Published with the report data, or computed later from the metadata alone."""
    registry, intervals = evaluated
    version = registry.latest()
    metadata = registry.metadata(version)
    accuracy = intervals["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    bounds = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"
    data = decode(registry.file(version, DATA), ReportData, name=DATA)
    assert data.intervals.accuracy.low == accuracy["low"]
    assert data.intervals.macro_f1.high == intervals["macro_f1"]["high"]
    published = Subject(metadata, data)
    computed = Subject(metadata, None)
    assert computed.intervals == published.intervals
    for html in (registry.file(version, PAGE), page(computed), comparison(published, computed)):
        assert f"95% interval {bounds}" in reports.parse(html).find("summary").text
    for text in (registry.file(version, CARD), card(computed)):
        assert f"| its 95% interval | {bounds} |" in text.decode()

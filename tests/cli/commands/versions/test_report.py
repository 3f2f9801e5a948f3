"""`textclf versions report`, and the files that `textclf train` publishes for readers."""

import json

import pytest
import registries

from textclf.metadata.schema import METADATA, encode

PAGE, CARD, DATA = "report.html", "model_card.md", "report.json"


@pytest.fixture
def older(project):
    """Return the project with a version 1.1.0 that was published before reports existed."""
    registry = registries.open_registry(project / "models")
    version = registry.resolve("1.0.0")
    registry.publish(registry.metadata(version), registry.artifact(version))
    assert sorted(p.name for p in (project / "models/2.0.0").iterdir()) == [
        "metadata.json", "text_classifier.joblib",
    ]  # fmt: skip
    return project


def test_training_publishes_a_page_a_card_and_their_data(project, cli):
    """Report files are published with the model, with digests in the metadata."""
    folder = project / "models/1.0.1"
    files = {each["file"] for each in json.loads((folder / METADATA).read_text())["files"]}
    assert {PAGE, CARD, DATA} <= files
    page = (folder / PAGE).read_text("utf-8")
    assert "<h1>Version 1.0.1</h1>" in page
    assert "again" in page
    assert (folder / CARD).read_text("utf-8").startswith("---\n")
    assert cli("verify").code == 0
    (folder / PAGE).write_text(page.replace("1.0.1", "9.9.9"))
    assert "1.0.1/report.html" in cli("verify").out
    assert cli("versions", "report", "1.0.1").code == 6


def test_the_page_of_a_version_is_told(project, cli):
    """The path of the published page is printed, also in JSON, and nothing is written."""
    before = sorted(project.iterdir())
    path = "models/1.0.1/report.html"
    assert cli("versions", "report", "latest").out == f"{path}\n"
    answer = json.loads(cli("versions", "report", "v1.0.1", "--json").out)
    assert answer == {"versions": ["1.0.1"], "path": path}
    assert sorted(project.iterdir()) == before


def test_a_page_is_written_where_it_is_wanted(project, cli):
    """--output names the file or stdout, and the page equals the published one."""
    done = cli("versions", "report", "1.0.0", "--output", "page.html")
    assert (done.code, done.out) == (0, "page.html\n")
    published = (project / "models/1.0.0/report.html").read_bytes()
    assert (project / "page.html").read_bytes() == published
    assert cli("versions", "report", "1.0.0", "-o", "-").out.encode() == published


def test_two_versions_make_one_page(project, cli):
    """A page about two versions is written to the current folder, named after both."""
    done = cli("versions", "report", "1.0.0", "latest")
    assert (done.code, done.out, done.err) == (0, "report-1.0.0-1.0.1.html\n", "")
    page = (project / "report-1.0.0-1.0.1.html").read_text("utf-8")
    assert "1.0.0 → 1.0.1" in page
    assert "different rows" not in page


def test_a_version_from_before_gets_a_page_from_its_metadata(older, cli):
    """Parts without data are left out and named, on the page and in a hint."""
    done = cli("versions", "report", "2.0.0")
    assert (done.code, done.out) == (0, "report-2.0.0.html\n")
    assert "hint: some parts need data that was not published with 2.0.0" in done.err
    assert "--data FILE" in (older / "report-2.0.0.html").read_text()
    assert not (older / "models/2.0.0/report.html").exists()
    assert cli("versions", "report", "2.0.0", "-q", "--force").err == ""


def test_data_gives_it_what_it_lacks(older, cli):
    """With --data the metrics, probabilities, n-grams and mistakes are those of the rows."""
    done = cli("versions", "report", "2.0.0", "--data", "data/train.csv", "-o", "x.html")
    assert (done.code, done.err) == (0, "")
    page = (older / "x.html").read_text()
    assert "Reliability of 2.0.0" in page
    assert "data/train.csv</bdi>, scored for this report" in page
    done = cli("versions", "report", "1.0.0", "2.0.0", "--data", "data/test.csv", "-o", "-")
    assert "different rows" not in done.out
    assert done.out.count("scored for this report") >= 2


def test_texts_are_private_unless_asked_for(data, cli, write_data):
    """Neither train nor report shows texts without --include-texts."""
    write_data(data / "data/test.csv", 30, seed=3)
    rows = (data / "data/test.csv").read_text().replace("positive\n", "neutral\n")
    (data / "data/test.csv").write_text(rows)  # so that there are mistakes
    text = rows.splitlines()[1].split(",")[0]
    assert cli("train", "--models", "a", "--preset", "fast").code == 0
    assert cli("train", "--models", "b", "--preset", "fast", "--include-texts").code == 0
    assert text not in "".join(p.read_text() for p in (data / "a/1.0.0").glob("*.[hmj][tds]*"))
    assert text in (data / "b/1.0.0/report.html").read_text()
    assert text not in (data / "b/1.0.0/model_card.md").read_text()
    report = ("versions", "report", "1.0.0", "-o", "-")
    assert text not in cli(*report, "--models", "b").out
    assert text in cli(*report, "--models", "b", "--include-texts").out
    assert text not in cli(*report, "--models", "a", "--include-texts").out
    done = cli("versions", "report", "1.0.0", "--models", "a", "--include-texts")
    assert "hint: 1.0.0 was published without texts" in done.err
    done = cli(*report, "--models", "a", "--include-texts", "--data", "data/test.csv")
    assert text in done.out


def test_the_same_training_makes_the_same_report(project, cli):
    """The data of two reports is identical; the pages differ in number and time only."""
    first, second = (project / "models" / v for v in ("1.0.0", "1.0.1"))
    assert (first / DATA).read_bytes() == (second / DATA).read_bytes()
    cli("versions", "report", "1.0.0", "-o", "one.html")
    cli("versions", "report", "1.0.0", "-o", "two.html")
    assert (project / "one.html").read_bytes() == (project / "two.html").read_bytes()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["9.9.9"], 3, "no version 9.9.9"),
        (["1.0.0", "9.9.9"], 3, "no version 9.9.9"),
        (["1.0.1", "latest"], 2, "both are 1.0.1"),
        (["1.0.0", "-o", "-", "--json"], 2, "both write to stdout"),
        (["1.0.0", "-o", "no/such/folder.html"], 1, "no/such/folder.html"),
        (["1.0.0", "--data", "nowhere.csv"], 4, "nowhere.csv"),
        ([], 2, "VERSION"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(cli, arguments, code, told):
    """Unknown versions, contradictions and missing files are errors of one line."""
    done = cli("versions", "report", *arguments)
    assert done.code == code
    assert told in done.err
    assert "Traceback" not in done.err


def test_damaged_data_of_a_report_is_refused(project, cli):
    """A changed report.json is an integrity error."""
    path = project / "models/1.0.0" / DATA
    path.write_bytes(path.read_bytes().replace(b"probability", b"probabilify", 1))
    done = cli("versions", "report", "1.0.0", "-o", "x.html")
    assert done.code == 6
    assert "report.json" in done.err
    assert not (project / "x.html").exists()


def test_a_report_of_a_later_textclf_is_told(project, cli):
    """Report data with an unknown schema is refused with a message."""
    registry = registries.open_registry(project / "models")
    version = registry.resolve("1.0.0")
    data = {DATA: encode({"schema": 99})}
    registry.publish(registry.metadata(version), registry.artifact(version), data)
    done = cli("versions", "report", "2.0.0")
    assert done.code == 6
    assert "2.0.0/report.json" in done.err

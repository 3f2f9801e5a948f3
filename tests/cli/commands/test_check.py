"""The check of a data set: `textclf check`."""

import csv
import json

import pytest

OPPOSITE = {"cat": "dog", "dog": "cat"}


def write_animals(path, *further, changed=()):
    """Write texts about cats and dogs, some of them with the other label, and further rows."""
    rows = [
        (f"the {label} {('sleeps', 'eats', 'runs')[n % 3]} by the {label} flap {n}", label)
        for n in range(20)
        for label in ("cat", "dog")
    ]
    rows = [
        (text, OPPOSITE[label] if n in changed else label) for n, (text, label) in enumerate(rows)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows, *further])


def suspects(cli, *arguments):
    """Return the suspect labels that the check answers, and their places with the labels."""
    answer = json.loads(cli("check", "a.csv", "--labels", "--json", *arguments).out)
    found = answer["suspect_labels"]
    return found, [(row["where"], row["label"], row["predicted"]) for row in found["rows"]]


@pytest.mark.usefixtures("project")
def test_check(cli):
    """`check` counts rows and labels of the data and of the test file beside it."""
    answer = json.loads(cli("check", "--json").out)
    assert list(answer) == [
        "ok", "path", "format", "tool", "left_out", "rows", "labels", "test", "problems",
        "notes", "suspect_labels",
    ]  # fmt: skip
    assert (answer["ok"], answer["rows"], answer["test"]["rows"]) == (True, 60, 12)
    assert answer["labels"] == {"negative": 20, "neutral": 20, "positive": 20}
    assert cli("check").out.endswith("no problems found\n")


def test_check_exits_4_and_still_answers(empty, cli):
    """Data that cannot be trained on gives the problems on stdout and exit code 4."""
    (empty / "bad.csv").write_text("text,label\none,a\n,a\ntwo,\nthree,a\n")
    done = cli("check", "bad.csv", "--json")
    assert done.code == 4
    answer = json.loads(done.out)
    assert answer["ok"] is False
    assert {"one-label", "bad-rows"} <= {problem["kind"] for problem in answer["problems"]}
    assert "bad.csv:3" in cli("check", "bad.csv").out


def test_check_says_what_it_did_not_read(empty, cli):
    """Titles above the header are told, on stdout and as JSON."""
    (empty / "a.csv").write_text("Feedback 2024\ntext,label\none,a\ntwo,b\n")
    note = "a.csv: the header is on line 2; the lines above it are not read"
    assert note in cli("check", "a.csv").out.splitlines()
    assert json.loads(cli("check", "a.csv", "--json").out)["notes"] == [note]


def test_check_warns_of_another_encoding_than_that_of_the_file(empty, cli):
    """Text in UTF-8 that is read in the encoding asked for is a warning among the problems."""
    rows = "".join(f"the café {n},{'ab'[n % 2]}\n" for n in range(20))
    (empty / "a.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    done = cli("check", "a.csv", "--encoding", "cp1252", "--test", "a.csv", "--json")
    warned = [one for one in json.loads(done.out)["problems"] if one["kind"] == "encoding"]
    assert len(warned) == 2
    assert all('has "Ã©" in place of "é"' in one["message"] for one in warned)


def test_one_label_of_a_binary_decision(empty, cli):
    """Decisions about one label are learned from the column of the decisions, as the error says."""
    records = [
        {"text": f"text {n}", "label": "SPAM", "answer": ("accept", "reject")[n % 2]}
        for n in range(20)
    ]
    (empty / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    done = cli("check", "a.jsonl")
    assert (done.code, "--label-column answer learns" in done.out) == (4, True)
    assert cli("check", "a.jsonl", "--label-column", "answer").code == 0


def test_the_number_of_further_examples_is_told(empty, cli):
    """Of more examples than are shown, the number is told."""
    repeated = "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(8))
    (empty / "a.csv").write_text("text,label\n" + repeated * 2)
    assert "  and 3 more\n" in cli("check", "a.csv", "--cv", "2").out


def test_labels_ranks_the_rows_whose_label_the_others_contradict(empty, cli):
    """Of rows with changed labels each is found, with its place and the label it had before."""
    write_animals(empty / "a.csv", changed=(4, 21))
    found, places = suspects(cli)
    assert sorted(places) == [("a.csv:23", "cat", "dog"), ("a.csv:6", "dog", "cat")]
    assert (found["judged"], found["confident"]) == (40, 2)
    assert all(0.5 < row["score"] <= 1 and row["same_text"] is None for row in found["rows"])
    assert suspects(cli) == (found, places), "another run gives the same"
    assert json.loads(cli("check", "a.csv", "--json").out)["suspect_labels"] is None


def test_suspect_labels_are_written_as_rows_that_can_be_read_again(empty, cli):
    """The file has all suspect rows, in the order of the answer, as a data set."""
    write_animals(empty / "a.csv", ('said "cat"\r\ndog, dog', "cat"), changed=(4, 21))
    found, _ = suspects(cli, "-o", "suspect.csv")
    with (empty / "suspect.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    expected = [{name: str(value or "") for name, value in row.items()} for row in found["rows"]]
    assert written == expected
    assert json.loads(cli("check", "suspect.csv", "--json").out)["rows"] == len(expected) >= 2
    assert cli("check", "a.csv", "--labels", "-o", "suspect.csv").code == 2, "it exists"


def test_texts_that_have_another_label_elsewhere_come_first(empty, cli):
    """Of a repeated text the label that most of its rows have is taken for the right one."""
    repeated = [("a bird sings", "cat"), ("a bird sings", "dog"), ("a bird sings", "dog")]
    write_animals(empty / "a.csv", *repeated, changed=(4,))
    found, places = suspects(cli)
    assert places[0] == ("a.csv:42", "cat", "dog")
    assert (found["rows"][0]["same_text"], round(found["rows"][0]["score"], 2)) == (
        "a.csv:43",
        0.67,
    )
    assert ("a.csv:6", "dog", "cat") in places
    table = cli("check", "a.csv", "--labels").out
    assert table.splitlines()[-len(places) - 1].split("  ")[0] == "where"
    assert "same text" in table


@pytest.mark.parametrize(
    "row",
    [("a bird sings", "bird"), ("qwertz", "cat"), ("\U0001f600", "dog")],
    ids=["label of one row", "word of one row", "no word"],
)
def test_rows_that_the_others_say_nothing_about_are_not_judged(empty, cli, row):
    """A row of which no other has the label, or any n-gram, is not judged, and counted."""
    write_animals(empty / "a.csv", row)
    found, places = suspects(cli)
    assert (found["judged"], places) == (40, [])
    assert "not judged: 1 row with a label or words that" in cli("check", "a.csv", "--labels").out


def test_labels_are_judged_in_a_terminal(empty, cli, terminal):
    """A terminal shows the first 20 suspect rows, with controls escaped, and how many more."""
    rows = [(f"x{n}\x1b[31m", label) for n in range(25) for label in ("cat", "cat", "ü\u202e")]
    write_animals(empty / "a.csv", *rows)
    shown = terminal("check", "a.csv", "--labels").out.partition("contradicted")[2]
    assert (shown.count("x1b[31m"), "and 5 more" in shown, "--output FILE.csv" in shown) == (
        20, True, True,
    )  # fmt: skip
    assert "\u202e" not in shown
    assert cli("check", "a.csv", "--labels", "--quiet").out.count("ü") == 1, "in the counts"


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        (
            [("one text", "cat")] * 9 + [(f"text {n}", "dog") for n in range(9)],
            4,
            "two texts or more",
        ),
        ([("one text", "cat"), ("two", "dog")], 4, "judged once there are no errors"),
        ([("one", "cat"), ("two", "cat"), ("3", "dog"), ("4", "dog")] * 9, 4, "4 different texts"),
    ],
    ids=["one text of a label", "too few rows", "too few texts"],
)
def test_labels_that_cannot_be_judged(empty, cli, rows, code, message):
    """Data that no model can be cross-validated on is reported on, and refused with a sentence."""
    with (empty / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    done = cli("check", "a.csv", "--labels", "-o", "suspect.csv")
    assert (done.code, (empty / "suspect.csv").exists()) == (code, False)
    assert message in done.out + done.err
    assert "a.csv: " in done.out


def test_many_labels_of_few_rows(empty, cli):
    """Of many labels with a few rows each the changed ones are the most suspect."""
    rows = [(f"about topic{n % 60} word{n // 60}", f"label {n % 60}") for n in range(240)]
    rows[7], rows[100] = (rows[7][0], "label 8"), (rows[100][0], "label 3")
    with (empty / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    _, places = suspects(cli, "--cv", "3")
    assert {("a.csv:9", "label 8", "label 7"), ("a.csv:102", "label 3", "label 40")} == set(places)


def test_labels_of_texts_without_spaces_between_words(empty, cli):
    """Texts of which no two have a clause in common are judged by their characters."""
    rows = [
        (f"这只{a}{chr(0x4E00 + n)}喜欢{chr(0x5E00 + n)}", a) for n in range(20) for a in "猫狗"
    ]
    rows[8] = (rows[8][0], "狗")
    with (empty / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    found, places = suspects(cli)
    assert (found["judged"], places) == (40, [("a.csv:10", "狗", "猫")])


def test_output_of_a_check_is_that_of_its_labels(empty, cli):
    """A file is only written with --labels, and never over the data or the test rows."""
    write_animals(empty / "a.csv")
    write_animals(empty / "train.csv")
    write_animals(empty / "test.csv")
    assert cli("check", "a.csv", "-o", "b.csv").code == 2
    assert cli("check", "a.csv", "--labels", "-o", "a.csv", "--force").code == 2
    assert cli("check", "train.csv", "--labels", "-o", "test.csv", "--force").code == 2

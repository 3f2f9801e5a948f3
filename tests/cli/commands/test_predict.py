"""`textclf predict`: sources of texts, and formats of the answer."""

import csv
import gzip
import io
import json
import select
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from predictors import published
from sample_data import sample_rows
from slow_lines import without_slow_lines

TEXTS = [
    "a lovely, superb thing",
    'she said "awful"',
    "two\nlines of it",
    " spaces ",
    "",
    "caf\u00e9 \U0001f600",
    "a\rb",
    "tab\there",
]


def labels(out):
    """The labels of the text format."""
    return [line.split("\t")[0] for line in out.splitlines()]


@pytest.mark.usefixtures("project")
def test_text_is_label_score_text(cli):
    """Each text is one line: label, score and text, separated by tabs."""
    lines = cli("predict", "great lovely", "awful waste").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["positive", "negative"]
    assert [line.split("\t")[2] for line in lines] == ["great lovely", "awful waste"]
    assert all(float(line.split("\t")[1]) for line in lines)


@pytest.mark.parametrize("arguments", [[], ["-"]])
@pytest.mark.usefixtures("project")
def test_stdin_is_read_where_no_text_is_given(cli, arguments):
    """A pipe, or -, is read as one text per line."""
    done = cli("predict", *arguments, stdin=b"great lovely\nawful waste\n")
    assert labels(done.out) == ["positive", "negative"]
    assert done.err == ""


def test_files_are_read_gzipped_or_not(project, cli):
    """--file takes plain and gzipped files."""
    (project / "t.txt").write_text("great lovely\nawful waste\n")
    (project / "t.txt.gz").write_bytes(gzip.compress(b"great lovely\nawful waste\n"))
    plain = cli("predict", "--file", "t.txt")
    assert labels(plain.out) == ["positive", "negative"]
    assert cli("predict", "-f", "t.txt.gz").out == plain.out


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("end", [True, False], ids=["ended", "not ended"])
@pytest.mark.usefixtures("project")
def test_lines_keep_their_places(cli, newline, end):
    """Empty lines, CRLF and a missing last line end keep answer and input aligned."""
    stream = newline.join([b"great", b"", b"", b"awful"]) + newline * end
    answer = json.loads(cli("predict", "--json", stdin=stream).out)
    assert [p["text"] for p in answer["predictions"]] == ["great", "", "", "awful"]


@pytest.mark.usefixtures("project")
def test_nothing_in_nothing_out(cli):
    """An empty stream gives an empty answer, in every format."""
    assert cli("predict").out == ""
    assert json.loads(cli("predict", "--json").out)["predictions"] == []
    assert cli("predict", "--format", "jsonl").out == ""
    assert cli("predict", "--format", "csv").out == '"text","label","score"\n'


@pytest.mark.usefixtures("project")
def test_csv_round_trips(cli):
    """Python's csv module reads back exactly the texts, whatever they contain."""
    done = cli("predict", "--format", "csv", "--", *TEXTS)
    read = list(csv.DictReader(io.StringIO(done.out, newline="")))
    assert [row["text"] for row in read] == TEXTS
    assert {row["label"] for row in read} <= {"positive", "negative", "neutral"}
    assert all(isinstance(float(row["score"]), float) for row in read)


@pytest.mark.usefixtures("project")
def test_jsonl_is_one_object_a_line(cli):
    """Each line of JSON Lines is one prediction, with exactly the text."""
    done = cli("predict", "--format", "jsonl", "--", *TEXTS)
    read = [json.loads(line) for line in done.out.splitlines()]
    assert [p["text"] for p in read] == TEXTS
    assert all(list(p) == ["text", "label", "score", "scores"] for p in read)


@pytest.mark.usefixtures("project")
def test_scores_are_probabilities(cli):
    """Scores are probabilities that add up to one, and the same in every format."""
    texts = ["great lovely", "awful waste", "parcel", "", "unknown"]
    answer = json.loads(cli("predict", "--json", "--", *texts).out)
    assert answer["score_type"] == "probability"
    for prediction in answer["predictions"]:
        assert set(prediction["scores"]) == {"positive", "negative", "neutral"}
        assert sum(prediction["scores"].values()) == pytest.approx(1)
        assert prediction["score"] == max(prediction["scores"].values())
    lines = cli("predict", "--format", "jsonl", "--", *texts).out.splitlines()
    assert [json.loads(line) for line in lines] == answer["predictions"]
    table = cli("predict", "--format", "csv", "--top-k", "3", "--", *texts).out
    for row, prediction in zip(
        csv.DictReader(io.StringIO(table)), answer["predictions"], strict=True
    ):
        cells = [(row[f"label{n}"], float(row[f"score{n}"])) for n in ("", "_2", "_3")]
        assert cells == list(prediction["scores"].items())
    shown = [float(line.split("\t")[1]) for line in cli("predict", "--", *texts).out.splitlines()]
    assert shown == [round(prediction["score"], 4) for prediction in answer["predictions"]]


@pytest.mark.usefixtures("project")
def test_top_k(cli):
    """--top-k gives the K best labels, best first; a K above their number gives all."""
    assert len(cli("predict", "great", "--top-k", "2").out.split("\t")) == 5
    two = json.loads(cli("predict", "great", "--top-k", "2", "--json").out)["predictions"][0]
    assert len(two["scores"]) == 2
    assert next(iter(two["scores"])) == two["label"]
    head, row = csv.reader(cli("predict", "great", "--top-k", "99", "--format", "csv").out.split())
    assert head == ["text", "label", "score", "label_2", "score_2", "label_3", "score_3"]
    assert len(row) == len(head)


@pytest.mark.usefixtures("project")
def test_version_names_another_model(cli):
    """--version labels with a version that is not promoted."""
    answer = json.loads(cli("predict", "x", "--version", "previous", "--json").out)
    assert answer["version"] == "1.0.0"


@pytest.mark.usefixtures("project")
def test_control_characters_are_written_out(cli):
    """Control characters of a text are escaped on a terminal, and each answer stays one line."""
    text = "a\x1b[31mred\x07\x9b1m\u202eb\r\n\x00c"
    done = cli("predict", text)
    assert done.out.count("\n") == 1
    assert not set("\x1b\x07\x9b\u202e\r\x00") & set(done.out)
    assert "a\\x1b[31mred\\x07" in done.out


@pytest.mark.usefixtures("project")
def test_bytes_that_are_not_utf_8_are_warned_of(cli):
    """Lines that are not UTF-8 are labelled, and a warning counts them and names --encoding."""
    done = cli("predict", "--json", stdin=b"caf\xe9 great\nfine\nna\xefve\n")
    assert "warning: 2 places in the texts could not be decoded as UTF-8" in done.err
    assert "--encoding" in done.err
    assert len(json.loads(done.out)["predictions"]) == 3
    right = cli("predict", "--json", "--encoding", "latin-1", stdin=b"caf\xe9 great\n")
    assert json.loads(right.out)["predictions"][0]["text"] == "caf\u00e9 great"
    assert right.err == ""


@pytest.mark.usefixtures("project")
def test_a_byte_order_mark_is_no_text(cli):
    """A byte-order mark is dropped, and UTF-16 is read if it is named."""
    answer = json.loads(cli("predict", "--json", stdin=b"\xef\xbb\xbfgreat\n").out)
    assert answer["predictions"][0]["text"] == "great"
    wide = "great\nd\u00e9j\u00e0 vu\n".encode("utf-16")
    answer = json.loads(cli("predict", "--json", "--encoding", "utf-16", stdin=wide).out)
    assert [p["text"] for p in answer["predictions"]] == ["great", "d\u00e9j\u00e0 vu"]


@pytest.mark.parametrize("encoding", ["nope", "rot13", "hex", "base64", "undefined", "idna"])
@pytest.mark.usefixtures("project")
def test_what_is_no_encoding_of_texts_is_refused(cli, encoding):
    """A name that is not a text encoding is an error of one line."""
    done = cli("predict", "--encoding", encoding, stdin=b"great\n")
    assert done.code in (2, 4)
    assert "unexpected" not in done.err
    assert done.err.startswith("error: ")


@pytest.mark.usefixtures("project")
def test_utf_16_that_is_none_is_bad_data(cli):
    """Bytes that cannot be decoded at all by the named encoding are bad data."""
    done = cli("predict", "--encoding", "utf-16", stdin=b"great stuff\n")
    assert done.code == 4
    assert "error: the texts are not utf-16" in done.err


@pytest.mark.parametrize("damage", ["cut", "flipped", "none"])
def test_damaged_gzip_is_bad_data(project, cli, damage):
    """A truncated, damaged or false .gz file is an error with exit code 4."""
    whole = gzip.compress(b"".join(b"line %d\n" % n for n in range(50_000)))
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes(b ^ 0xFF for b in whole[middle : middle + 40]) + whole[-9:]
    content = {"cut": whole[:middle], "flipped": flipped, "none": b"great\n"}[damage]
    (project / "d.gz").write_bytes(content)
    done = cli("predict", "--file", "d.gz")
    assert done.code == 4
    assert "error: d.gz is not a complete gzip file" in done.err


@pytest.mark.usefixtures("project")
def test_arguments_that_are_no_utf_8_are_labelled_and_warned_of(process):
    """Arguments in another encoding are labelled with replacements, in valid JSON."""
    odd = b"caf\xe9 great".decode(errors="surrogateescape")
    done = process("predict", odd, "\U0001f600", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0
    assert "not UTF-8" in done.err
    texts = [p["text"] for p in json.loads(done.out)["predictions"]]
    assert texts == ["caf\ufffd great", "\U0001f600"]


@pytest.mark.usefixtures("project")
def test_a_slow_pipe_is_answered_line_by_line(start):
    """Each line is answered before the next one is written, and before the stream ends."""
    with start("predict") as running:
        for text, label in [("great lovely", "positive"), ("awful waste", "negative")]:
            running.stdin.write(f"{text}\n".encode())
            running.stdin.flush()
            assert select.select([running.stdout], [], [], 30)[0], "no answer before the end"
            assert running.stdout.readline().decode().split("\t")[0] == label
        running.stdin.close()
        assert running.stdout.read() == b""
        assert without_slow_lines(running.stderr.read().decode()) == ""
    assert running.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.usefixtures("project")
def test_memory_stays_flat(start):
    """A long stream takes no more memory than a short one, except for one batch."""

    def peak(pid):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    with start("predict", "--format", "jsonl") as running, ThreadPoolExecutor(1) as pool:
        peaks = []
        for number in (30_000, 120_000):
            # the first line is long enough for all that many texts need to be loaded
            lines = "".join(
                f"great {n}{' x' * (99_999 * (n == 0))}\n" for n in range(number)
            ).encode()
            written = pool.submit(
                lambda block: [running.stdin.write(block), running.stdin.flush()], lines
            )
            for _ in range(number):
                assert running.stdout.readline()
            written.result()
            peaks.append(peak(running.pid))
        running.stdin.close()
        assert running.stdout.read() == b""
    assert peaks[1] - peaks[0] < 30_000  # kB; 120,000 predictions kept would be over 80,000


def test_head_gets_its_line_and_nobody_complains(project, start):
    """If the reader stops after one line, the command stops too, without a message."""
    (project / "many.txt").write_text("great\n" * 20_000)
    with start("predict", "--file", "many.txt") as running:
        assert running.stdout.readline().startswith(b"positive\t")
        running.stdout.close()
        assert without_slow_lines(running.stderr.read().decode()) == ""
    assert running.returncode == 1


@pytest.mark.usefixtures("project")
def test_a_threshold_gives_none_of_these(cli):
    """A text below the threshold has no label: null, an empty cell, or what --abstain names."""
    texts = ["great lovely superb excellent", "unknown"]
    predictions = json.loads(cli("predict", *texts, "--threshold", "0.99", "--json").out)[
        "predictions"
    ]
    assert [p["label"] for p in predictions] == ["positive", None]
    assert all(p["score"] == max(p["scores"].values()) for p in predictions)
    shown = cli("predict", *texts, "--threshold", "0.99").out.splitlines()
    assert [line.split("\t")[0] for line in shown] == ["positive", "(none)"]
    table = cli("predict", *texts, "--threshold", "0.99", "--format", "csv").out
    assert [row["label"] for row in csv.DictReader(io.StringIO(table))] == ["positive", ""]
    lines = cli(
        "predict", *texts, "--threshold", "0.99", "--abstain", "other", "--format", "jsonl"
    ).out.splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["positive", "other"]


@pytest.mark.usefixtures("data")
def test_a_version_may_have_a_threshold(cli):
    """The threshold given to train is stored with the version; predict uses it by default."""
    (Path("grid.toml")).write_text("[features.word]\n[classifier.LinearSVC]\n")
    assert cli("train", "--grid", "grid.toml", "--cv", "2", "--threshold", "0.99").code == 0
    shown = json.loads(cli("versions", "show", "latest", "--json").out)
    assert shown["threshold"] == 0.99
    assert cli("predict", "unknown").out.startswith("(none)\t")
    assert not cli("predict", "unknown", "--threshold", "0").out.startswith("(none)")
    unchanged = cli("train", "--grid", "grid.toml", "--cv", "2", "--threshold", "0.99")
    assert "nothing changed" in unchanged.out + unchanged.err
    assert cli("train", "--grid", "grid.toml", "--threshold", "2").code == 2


def test_a_threshold_of_a_version_that_no_score_reaches(cli, tmp_path):
    """Only a threshold that is asked for has to be a probability; a version keeps its own."""
    published(tmp_path / "models", sample_rows(60), "LogisticRegression", threshold=1.5)
    shown = cli("predict", "great", "--models", tmp_path / "models", "--json")
    assert (shown.code, json.loads(shown.out)["predictions"][0]["label"]) == (0, None)


@pytest.mark.usefixtures("data")
def test_a_version_may_refuse_texts_of_unknown_words(cli):
    """The share given to train is stored with the version; predict uses it, or its own instead."""
    Path("grid.toml").write_text("[features.word]\n[classifier.LinearSVC]\n")
    train = ("train", "--grid", "grid.toml", "--cv", "2", "--abstain-unknown", "60%")
    answer = json.loads(cli(*train, "--json").out)
    assert answer["abstain_unknown"] == 0.6
    condition = "if less than 60.0% of its n-grams are known"
    assert condition in cli("versions", "show", "latest").out
    for file in ("model_card.md", "report.html"):
        assert condition in Path("models/1.0.0", file).read_text("utf-8")
    texts = ("great", "great xylograph", "xylograph")
    answer = json.loads(cli("predict", *texts, "--json").out)["predictions"]
    assert [(one["label"] is None, one["known"]) for one in answer] == [
        (False, 1.0), (True, 0.5), (True, 0.0),
    ]  # fmt: skip
    rows = csv.DictReader(io.StringIO(cli("predict", *texts, "--format", "csv").out))
    assert [(bool(row["label"]), row["known"]) for row in rows] == [
        (True, "1.0"), (False, "0.5"), (False, "0.0"),
    ]  # fmt: skip
    assert "50.0%  of its n-grams are known" in cli("predict", texts[1], "--explain").out
    assert not cli("predict", texts[1], "--abstain-unknown", "0.5").out.startswith("(none)")
    Path("some.csv").write_text("text,known\n" + "\n".join(f"{text},x" for text in texts))
    table = cli("predict", "--file", "some.csv", "--abstain-unknown", "0.1").out
    assert table.splitlines()[0] == "text,known,label,score,predicted_known"
    assert [line.endswith(",0.0") for line in table.splitlines()] == [False, False, False, True]
    assert "nothing changed" in cli(*train).out
    assert "abstain_unknown: 0.6 → 0.7" in cli(*train, "--abstain-unknown", "0.7").out


@pytest.mark.usefixtures("project")
def test_explain_says_what_carried_the_decision(cli):
    """The text answer lists the most important n-grams and the sum; the JSON has all of them."""
    shown = cli("predict", "lovely parcel", "--explain").out
    assert "lovely" in shown
    assert "decision value of" in shown
    [prediction] = json.loads(cli("predict", "lovely parcel", "--explain", "--json").out)[
        "predictions"
    ]
    why = prediction["explanation"]
    assert why["label"] == prediction["label"]
    parts = [each["contribution"] for each in why["contributions"]]
    assert why["decision"] == pytest.approx(why["intercept"] + sum(parts))
    assert {"kind", "ngram", "count", "contribution", "spans"} == set(why["contributions"][0])
    line = cli("predict", "lovely parcel", "--explain", "--format", "jsonl").out
    assert json.loads(line) == prediction
    assert cli("predict", "x", "--explain", "--format", "csv").code == 2


@pytest.mark.usefixtures("project")
def test_explain_marks_the_text_on_a_terminal(terminal, cli):
    """On a terminal the text is coloured, and otherwise unchanged and escaped."""
    seen = terminal("predict", "lovely \x1b[31mparcel", "--explain").out
    assert "\x1b[1;3" in seen
    assert "\x1b[31mparcel" not in seen
    assert "\x1b" not in cli("predict", "lovely \x1b[31mparcel", "--explain").out


@pytest.mark.usefixtures("project")
def test_progress_is_told_on_stderr(cli, monkeypatch):
    """Progress of a slow file or stream is written to stderr, unless --quiet is given."""
    monkeypatch.setattr("textclf.cli.output.progress._SECONDS_BEFORE_TOTAL", 0.0)
    monkeypatch.setattr("textclf.cli.options.texts._BATCH_LINES", 2)
    done = cli("predict", stdin=b"great\nawful\nparcel\n")
    assert "3 texts labelled" in done.err
    assert len(done.out.splitlines()) == 3
    assert cli("predict", "--quiet", stdin=b"great\nawful\nparcel\n").err == ""
    assert cli("predict", "great", "awful", "parcel").err == ""


@pytest.mark.usefixtures("project")
def test_a_long_file_is_labelled_in_order(cli):
    """Lines that are shared among threads keep their order, and get the same labels as alone."""
    texts = ["great lovely", "awful waste", "parcel meeting", ""]
    single = [
        p["label"] for p in json.loads(cli("predict", "--json", "--", *texts).out)["predictions"]
    ]
    Path("many.txt").write_text("".join(f"{text} {n}\n" for n in range(9_000) for text in texts))
    lines = cli("predict", "--file", "many.txt").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == single * 9_000
    assert [line.rpartition(" ")[2] for line in lines[::4]] == [str(n) for n in range(9_000)]


@pytest.mark.usefixtures("project")
def test_only_the_promoted_version_is_read(project, cli):
    """Predict does not read other versions, so they may be damaged."""
    before = cli("predict", "great").out
    for path in (project / "models/1.0.0").iterdir():
        path.write_bytes(b"\x00")
    (project / "models/text_classifier.joblib").write_bytes(b"")
    (project / "models/1.0.1/text_classifier.joblib").write_bytes(b"")
    assert cli("predict", "great").out == before


def test_texts_that_name_files_are_counted(project, cli):
    """A text that is the name of a file is labelled as it is, and counted once in a warning."""
    (project / "notes.txt").write_text("great\n")
    assert "warning: 1 text is the name of a file, and" in cli("predict", "notes.txt").err
    assert "--file notes.txt" in cli("predict", "@notes.txt").err
    assert "2 texts are names of files" in cli("predict", "notes.txt", "data/test.csv", "no").err


def test_what_of_a_table_is_not_read_is_told(project, cli):
    """Titles above the header of a table, and UTF-8 read as something else, are told."""
    (project / "a.csv").write_text("Feedback\ntext,id\ncafé,1\n")
    done = cli("predict", "--file", "a.csv", "--encoding", "cp1252")
    assert "a.csv: the header is on line 2; the lines above it are not read" in done.err
    assert "warning: a.csv looks like UTF-8; read as cp1252" in done.err

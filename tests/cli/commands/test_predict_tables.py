"""`textclf predict` of tables: every format that training reads, with all columns."""

import csv
import gzip
import io
import json
import shlex

import polars as pl
import pytest
from workbooks import ods, xlsx

from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset

ROWS = [("1", "great lovely day", "x, y"), ("2", 'awful "waste"\nof time', ""), ("3", "", "z")]
"""Rows of an identifier, a text and a remark; the last one has no text."""
HEADER = ("id", "review", "remark")
CR = "great lovely\rawful waste\r"


def as_csv(rows=ROWS, delimiter=",", header=HEADER):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows([*([header] if header else []), *rows])
    return out.getvalue()


def as_jsonl(rows=ROWS):
    objects = [dict(zip(HEADER, row, strict=True)) for row in rows]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def as_parquet(**columns):
    pl.DataFrame(columns).write_parquet(out := io.BytesIO())
    return out.getvalue()


def records(text, delimiter=","):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


@pytest.fixture
def labels(project, cli):
    """What the texts are labelled as, one by one."""
    assert (project / "models").is_dir()
    texts = [text for _, text, _ in ROWS[:2]]
    answer = json.loads(cli("predict", "--json", "--", *texts).out)
    return [one["label"] for one in answer["predictions"]] + [""]


TABLES = {
    "commas": ("t.csv", as_csv().encode()),
    "semicolons": ("t.csv", as_csv(delimiter=";").encode()),
    "tabs": ("t.tsv", as_csv(delimiter="\t").encode()),
    "a byte-order mark": ("t.csv", as_csv().encode("utf-8-sig")),
    "UTF-16": ("t.csv", as_csv().encode("utf-16")),
    "CRLF": ("t.csv", as_csv().replace("\n", "\r\n").encode()),
    "quotes after backslashes": ("t.csv", as_csv().replace('""', '\\"').encode()),
    "gzip": ("t.csv.gz", gzip.compress(as_csv().encode())),
    "a title": ("t.csv", f"Reviews of May\n\n{as_csv()}".encode()),
    "sep=": ("t.csv", f"sep=;\n{as_csv(delimiter=';')}".encode()),
    "JSON Lines": ("t.jsonl", as_jsonl().encode()),
    "gzipped JSON Lines": ("t.ndjson.gz", gzip.compress(as_jsonl().encode())),
    "a JSON list": ("t.json", f"[{as_jsonl().strip().replace(chr(10), ',')}]".encode()),
    "JSON Lines by their content": ("t.txt", as_jsonl().encode()),
}
"""Files that hold the rows, by what is special about each."""


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_stays_a_table(project, cli, labels, kind):
    """Its columns are kept, in its format; a row without a text has no label, and is counted."""
    name, content = TABLES[kind]
    (project / name).write_bytes(content)
    done = cli("predict", "--file", name, "--text-column", "review")
    assert done.code == 0
    if "JSON" in kind:
        rows = [json.loads(line) for line in done.out.splitlines()]
    else:
        rows = records(done.out, {"tabs": "\t", "semicolons": ";", "sep=": ";"}.get(kind, ","))
    line_break = "\r\n" if kind == "CRLF" else "\n"
    expected = [tuple(cell.replace("\n", line_break) for cell in row) for row in ROWS]
    assert [tuple(row[column] for column in HEADER) for row in rows] == expected
    assert [row["label"] or "" for row in rows] == labels
    assert [list(row) for row in rows] == [[*HEADER, "label", "score"]] * 3
    assert "1 row without a text" in done.err


def test_parquet_is_read_and_written(project, cli, labels):
    """Row by row, with the types of the columns, and the names of the classes."""
    frame = pl.DataFrame({"id": [1, 2, 3], "review": [text or None for _, text, _ in ROWS]})
    frame.write_parquet(project / "t.parquet")
    assert cli("predict", "-f", "t.parquet", "--text-column", "review", "-o", "o.parquet").code == 0
    written = pl.read_parquet(project / "o.parquet")
    assert written.columns == ["id", "review", "label", "score"]
    assert written.select("id", "review").equals(frame)
    assert [label or "" for label in written["label"]] == labels
    assert written["score"].dtype == pl.Float64
    assert cli("predict", "-f", "t.parquet", "--text-column", "review", "-o", "o.csv").code == 0
    assert [row["label"] for row in records((project / "o.csv").read_text())] == labels


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_sheet_is_read(project, cli, labels, write):
    """As the delimited file that it can be exported as; --sheet names one of several."""
    table = [list(HEADER), *([*row] for row in ROWS)]
    (project / "t.bin").write_bytes(write({"Data": table, "Notes": [["see Data"]]}))
    column = ("-f", "t.bin", "--text-column", "review")
    done = cli("predict", *column, "--sheet", "Data")
    assert [row["label"] for row in records(done.out)] == labels
    assert [row["remark"] for row in records(done.out)] == [row[2] for row in ROWS]
    done = cli("predict", *column)
    assert (done.code, "has 2 sheets with cells" in done.err) == (4, True)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("source", ["t.csv", "t.jsonl", "t.txt"])
def test_the_name_of_the_output_says_its_format(project, cli, source, ending):
    """Whatever the texts come from, also where they are no table."""
    content = {"t.csv": as_csv(ROWS[:2]), "t.jsonl": as_jsonl(ROWS[:2]), "t.txt": "great\nawful\n"}
    (project / source).write_text(content[source])
    column = [] if source == "t.txt" else ["--text-column", "review"]
    done = cli("predict", "-f", source, *column, "-o", f"out.{ending}", "--top-k", "2")
    assert (done.code, done.out) == (0, "")
    path = project / f"out.{ending}"
    if ending == "parquet":
        names = pl.read_parquet(path).columns
    elif ending == "jsonl":
        names = list(json.loads(path.read_text().splitlines()[0]))
    else:
        lines = path.read_text().splitlines()
        names = next(csv.reader(lines, delimiter="\t" if ending == "tsv" else ","))
    assert names == [*(["text"] if source == "t.txt" else HEADER), "label", "score", "scores"]
    assert cli("predict", "-f", source, *column, "-o", path.name).code == 2
    assert cli("predict", "-f", source, *column, "-o", path.name, "--force").code == 0


def test_a_labelled_table_keeps_its_own_labels(project, cli):
    """What would be called as a column that is there gets another name."""
    once = cli("predict", "--file", "data/test.csv").out
    assert once.startswith("text,label,predicted_label,score\n")
    (project / "once.csv").write_text(once)
    again = cli("predict", "--file", "once.csv").out
    names = "text,label,predicted_label,score,predicted_label_2,predicted_score"
    assert again.startswith(f"{names}\n")
    original = records((project / "data/test.csv").read_text())
    assert [row["label"] for row in records(again)] == [row["label"] for row in original]


def test_keys_that_come_late_are_no_columns(project, cli):
    """Objects that become a table of cells have the columns of the first ones."""
    many = '{"text": "great"}\n' * 200
    (project / "t.jsonl").write_text(f'{many}{{"text": "awful", "late": 1}}\n')
    done = cli("predict", "--file", "t.jsonl", "-o", "out.csv")
    assert (done.code, 'has the key "late"' in done.err) == (2, True)
    assert not (project / "out.csv").exists()
    assert cli("predict", "--file", "t.jsonl", "-o", "out.jsonl").code == 0


@pytest.mark.parametrize("name", ["t.ft", "t.txt"])
def test_the_labels_of_fasttext_are_a_column(project, cli, name):
    """Its lines become objects with a text and the label that it has there, whatever its name."""
    (project / name).write_text("__label__good great day\n__label__bad \n__label__bad awful\n")
    done = cli("predict", "--file", name, "--on-bad-rows", "skip")
    written = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["text"], row["label"]) for row in written] == [
        ("great day", "good"),
        ("awful", "bad"),
    ]
    assert list(written[0]) == ["text", "label", "predicted_label", "score"]
    assert f"{name}:2: empty text" in done.err


def test_the_names_of_rows_are_a_column_without_a_name(project, cli):
    """R writes them, and its header does not name them."""
    (project / "t.csv").write_text('"text","n"\n"1","great",3\n"2","awful",4\n')
    lines = cli("predict", "--file", "t.csv").out.splitlines()
    assert [line.split(",")[:3] for line in lines] == [
        ["", "text", "n"],
        ["1", "great", "3"],
        ["2", "awful", "4"],
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_large_table_is_read_in_parts(project, cli, encoding):
    """Long texts on few lines, and a character that the end of a part cuts, do not matter."""
    table = as_csv([(str(n), f"great café {n} " * 50_000, "") for n in range(4)])
    (project / "t.csv").write_text(table, encoding=encoding)
    done = cli("predict", "--file", "t.csv", "--text-column", "review", "-o", "out.jsonl")
    assert (done.code, done.err.count("left out")) == (0, 0)
    written = [json.loads(line) for line in (project / "out.jsonl").read_text().splitlines()]
    assert [(row["id"], len(row["review"])) for row in written] == [
        (str(n), 650_000) for n in range(4)
    ]


def test_parquet_is_read_no_further_than_it_is_wanted(project, cli):
    """The first row that cannot be used ends the command, and the process that reads the file."""
    content = as_parquet(text=[["a list"]] * 1000)
    (project / "t.parquet").write_bytes(content)
    done = cli("predict", "--file", "t.parquet", "--on-bad-rows", "fail")
    assert (done.code, done.out) == (4, "")
    assert "1 bad row in t.parquet" in done.err


def test_parquet_comes_from_stdin(cli, labels):
    """As it comes from a file."""
    content = as_parquet(review=[text for _, text, _ in ROWS[:2]])
    done = cli("predict", "--text-column", "review", stdin=content)
    assert [json.loads(line)["label"] for line in done.out.splitlines()] == labels[:2]


def test_a_table_without_a_header_stays_without(project, cli):
    """The text is the column with that number; label and score come last."""
    (project / "t.csv").write_text(as_csv(ROWS[:2], header=None))
    rows = list(csv.reader(io.StringIO(cli("predict", "-f", "t.csv", "--text-column", "2").out)))
    assert [tuple(row[:3]) for row in rows] == ROWS[:2]
    assert {len(row) for row in rows} == {5}


def test_a_table_comes_from_stdin_where_an_option_says_so(cli, labels):
    """Without one, a stream is one text a line, unless it is JSON Lines."""
    done = cli("predict", "--text-column", "review", stdin=as_csv().encode())
    assert [row["label"] for row in records(done.out)] == labels
    lines = cli("predict", stdin=b"id,text\n1,great\n").out.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["id,text", "1,great"]
    done = cli("predict", stdin=b'{"text": "great", "n": 1e400}\n')
    assert done.out.startswith('{"text": "great", "n": 1e400,"label":')


@pytest.mark.usefixtures("project")
def test_texts_of_a_table_in_other_formats(project, cli):
    """--json, --explain and --format text are about the texts alone."""
    (project / "t.csv").write_text(as_csv(ROWS[:2]))
    column = ("-f", "t.csv", "--text-column", "review")
    told = json.loads(cli("predict", *column, "--json").out)["predictions"]
    assert [one["text"] for one in told] == [text for _, text, _ in ROWS[:2]]
    assert "great lovely day" in cli("predict", *column, "--format", "text").out
    assert cli("predict", *column, "--explain").code == 0


REFUSED = {
    "t.xlsx is a zip archive": ("t.xlsx", b"PK\x03\x04" + bytes(50)),
    "t.txt is a zip archive": ("t.txt", b"PK\x03\x04" + bytes(50)),
    "an SQLite database": ("t.db", b"SQLite format 3\0" + bytes(100)),
    "is not text, but binary data": ("t.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    "compressed by bzip2": ("t.csv.bz2", b"BZh91AY&SY"),
    "t.txt:1: null bytes, as in UTF-16": ("t.txt", "great\nbad\n".encode("utf-16-le")),
    "t.csv:1: null bytes, as in UTF-16": ("t.csv", as_csv().encode("utf-16-le")),
    "is not UTF-8": ("t.csv", "text\ncaf\u00e9 cr\u00e8me\n".encode("latin-1") * 9),
    "t.parquet is damaged": ("t.parquet", b"PAR1" + bytes(50)),
    "t.parquet:1: the text is a list": ("t.parquet", as_parquet(text=[["a"], ["b"]])),
    "columns are id, review": ("t.csv", as_csv().encode()),
    'has no column "text"': ("t.jsonl", as_jsonl().encode()),
    "t.csv is empty": ("t.csv", b""),
    "invalid JSON": ("t.json", b"[{"),
    "Expecting property name": ("t.jsonl", b'{"text": "a"}\n{bad\n'),
    "t.jsonl:1: invalid JSON": ("t.jsonl", b"{bad\n"),
    "t.jsonl:2: not a JSON object": ("t.jsonl", b'{"text": "a"}\n["b"]\n'),
    "t.jsonl:2: the text is a list": ("t.jsonl", b'{"text": "a"}\n{"text": ["b"]}\n'),
    "t.csv:1: malformed quoting in the first line": ("t.csv", b"te\rxt,n\na,b\n"),
    "t.csv:2: malformed quoting: a carriage return": ("t.csv", b"text,n\na\rb,1\nc,2\n"),
    "not a complete gzip file": (
        "t.csv.gz",
        gzip.compress(as_csv(header=("id", "text", "n")).encode() * 999)[:-20],
    ),
}
"""Files that are refused, by what is said of each."""


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_text_is_refused(project, cli, message):
    """Nothing is labelled that is no text, and nothing is written."""
    name, content = REFUSED[message]
    (project / name).write_bytes(content)
    done = cli("predict", "--file", name, "-o", "out.csv")
    assert done.code == 4
    assert message in done.err
    assert not (project / "out.csv").exists()


NAMELESS = {
    "no header": ("t.csv", '4,"a, great"\n4,"awful, day"\n2,b\n', "--text-column 2"),
    "another name": ("t.tsv", "id\tbody\n1\ta, great\n2\tawful, day\n3\tb", "--text-column body"),
    "a single column": ("t.csv", 'review\n"a, great"\n"awful, day"\nb', "--text-column review"),
    "a single column without a header": ("t.csv", '"a, great"\n"awful, day"\nb', "--text-column 1"),
    "another delimiter": ("t.csv", "id~text\n1~a, great\n2~awful, day\n3~b", "--delimiter '~'"),
    "twice": ("t.csv", "text;text\na, great;c\nawful, day;d\nb;e", "--text-column 1 --header"),
    "a key": (
        "t.jsonl",
        '{"id": 1, "body": "a, great"}\n{"id": 2, "body": "awful, day"}\n{"id": 3, "body": "b"}\n',
        "--text-column body",
    ),
    "an inner key": (
        "t.jsonl",
        "\n".join(f'{{"data": {{"text": "{text}"}}}}' for text in ("a, great", "awful, day", "b")),
        "--text-column data.text",
    ),
    "lists": ("t.json", '[["a, great", 1], ["awful, day", 2], ["b", 3]]', "--text-column 1"),
    "a question": (
        "t.csv",
        'on,"Any other remarks that you have, of any kind"\n1,"a, great"\n2,"awful, day"\n3,b\n',
        "--text-column 'Any other remarks that you have, of any kind'",
    ),
}
"""Tables whose texts are not in a column of that name, and the options that read them."""


@pytest.mark.parametrize("table", NAMELESS.values(), ids=NAMELESS)
@pytest.mark.parametrize("command", ["predict --file", "pick"])
def test_a_table_without_a_column_of_texts(project, cli, command, table):
    """The hint names the column that seems to hold the texts; with its options they are read."""
    name, content, options = table
    (project / name).write_text(content)
    told = cli(*command.split(), name)
    assert told.code == 4
    assert f" {options}" in told.err.splitlines()[-1]
    answer = json.loads(cli(*command.split(), name, *shlex.split(options), "--json").out)
    found = answer["picked" if command == "pick" else "predictions"]
    assert {one["text"] for one in found} == {"a, great", "awful, day", "b"}


def test_a_text_may_begin_with_a_brace(project, cli):
    """A line that is no JSON object is a text like any other."""
    (project / "t.txt").write_text("{great\nlovely\n")
    lines = cli("predict", "--file", "t.txt").out.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["{great", "lovely"]


SHAPES = {
    "columns": '{"id": [1, 2], "text": ["a, great", "b"]}',
    "split": '{"columns": ["id", "text"], "data": [[1, "a, great"], [2, "b"]]}',
    "records of a viewer": '{"rows": [{"row": {"text": "a, great"}}, {"row": {"text": "b"}}]}',
    "numbers that are none": '{"rows": [{"text": "a, great", "n": NaN}, {"text": "b", "n": 1}]}',
    "two rows": '{"id": 1, "text": "a, great"}\n{"id": 2, "text": "b"}',
    "the header again": 'id,text\n1,"a, great"\nid,text\n\ufeffid,text\n2,b',
}
"""Tables that training reads, too, some of which have only one line."""


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_the_rows_of_a_table_are_those_of_training(project, cli, content):
    """One object may be a table, and a header is no row wherever it stands again."""
    name = "t.json" if content.startswith("{") else "t.csv"
    (project / name).write_text(content)
    done = cli("predict", "--file", name, "--json", "--on-bad-rows", "skip")
    texts = [one["text"] for one in json.loads(done.out)["predictions"]]
    assert texts == ["a, great", "b"]
    assert ("left out 2 rows" in done.err) == (name == "t.csv")


LABELLED = {
    "numbers that the header does not name": (
        "t.csv",
        '"text","label"\n' + "".join(f'"{n}","great, indeed",x\n' for n in range(1, 20)),
        "--text-column 1 --label-column 2 --header",
    ),
    "rows that end in a delimiter": (
        "t.csv",
        'id,text,label\n1,great,x,\n2,"never, again",y,\n',
        "",
    ),
    "an irregular row": ("t.csv", "great,x\n" * 40 + "bad, bad,y\n", "--text-column 1 --no-header"),
    "semicolons": ("t.csv", "a;b\ngreat;x\nbad;y\n", "--text-column 1 --label-column 2 --header"),
    "a line below the header": ("t.csv", "|text|label|\n|---|:--|\n|great|x|\n|bad|y|\n", ""),
    "the name of a column as a title": ("t.csv", "Text\n\ntext,label\ngreat,x\nbad,y\n", ""),
    "fastText in a table's name": ("t.csv", "__label__x great\n__label__y bad\n", ""),
    "fastText": ("t.txt", "__label__x great\n__label__y bad\n", "--text-column 1"),
    "numbers as they are written": (
        "t.jsonl",
        '{"text": 1.50, "label": "x"}\n{"text": 1e400, "label": "y"}\n',
        "",
    ),
    "doccano": (
        "t.jsonl",
        '{"id": 1, "data": "great", "label": ["x"]}\n{"id": 2, "data": "bad", "label": ["y"]}\n',
        "",
    ),
    "doccano's table": ("t.csv", "id,data,label\n1,great,x\n2,bad,y\n", ""),
    "Label Studio": (
        "t.json",
        json.dumps(
            [
                {"data": {"text": text}, "annotations": [{"result": [choice]}]}
                for text, choice in (
                    ("great", {"value": {"choices": ["x"]}}),
                    ("bad", {"value": {"choices": ["y"]}}),
                )
            ]
        ),
        "",
    ),
    "Argilla": (
        "t.jsonl",
        "".join(
            json.dumps(
                {
                    "fields": {"text": text},
                    "status": "completed",
                    "responses": {"label": [{"value": label, "status": "submitted"}]},
                }
            )
            + "\n"
            for text, label in (("great", "x"), ("bad", "y"))
        ),
        "",
    ),
}
"""Files with labels, and the options with which training and predicting read them."""


@pytest.mark.parametrize("kind", LABELLED)
def test_texts_are_those_that_training_reads(project, cli, kind):
    """Wherever the header, the columns and the texts of a file are, both find the same texts."""
    name, content, options = LABELLED[kind]
    (project / name).write_text(content)
    words = [*shlex.split(options), "--on-bad-rows", "skip"]
    told = json.loads(cli("predict", "--file", name, *words, "--json").out)
    values = dict(zip(words[::2], words[1::2], strict=False))
    reading = ReadOptions(
        values.get("--text-column", "text"),
        "2" if "--no-header" in words else values.get("--label-column", "label"),
        header=True if "--header" in words else None,
        on_bad_rows=OnBadRows.SKIP,
    )
    assert [one["text"] for one in told["predictions"]] == [*read_dataset(name, reading).texts]


def test_names_need_a_header(project, cli):
    """Without a header a column has no name, and the hint gives a position, as in training."""
    (project / "t.csv").write_text("text,n\ngreat,1\n")
    told = cli("predict", "--file", "t.csv", "--no-header")
    assert (told.code, "hint: --text-column 1\n" in told.err) == (2, True)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json"])
@pytest.mark.parametrize(
    "command", ["pick", "predict --json --file", "predict --format text --file", "predict --file"]
)
def test_bytes_that_are_no_text_are_told_of(project, cli, command, name):
    """However a table is written and its texts are labelled, a warning counts what was replaced."""
    rows = [{"id": str(n), "text": f"great day {n} caf\u00e9"} for n in range(300)]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    content = {
        "t.csv": "\n".join(["id,text", *(",".join(row.values()) for row in rows)]),
        "t.jsonl": "\n".join(lines),
        "t.json": "[" + ",\n".join(lines) + "]",
    }[name]
    encoded = content.encode()
    (project / name).write_bytes(encoded.replace("é".encode(), b"\xe9", 1))
    done = cli(*command.split(), name)
    assert done.code == 0
    assert "1 place in the texts could not be decoded as UTF-8 and became \ufffd" in done.err


@pytest.mark.parametrize("policy", ["auto", "skip"])
@pytest.mark.parametrize("command", ["predict --file", "pick"])
def test_where_no_row_can_be_read_none_is_left_out(project, cli, command, policy):
    """It is an error, and no hint says to leave out all of them."""
    (project / "t.jsonl").write_text('{"text": ["a"]}\n{"text": {"b": "c"}}\n')
    done = cli(*command.split(), "t.jsonl", "--on-bad-rows", policy)
    assert (done.code, done.out) == (4, "")
    assert "2 bad rows in t.jsonl\n  t.jsonl:1: the text is a list\n" in done.err
    assert "hint:" not in done.err


def test_a_column_of_bytes_is_named(project, cli):
    """JSON cannot hold the bytes of images, which data sets of Hugging Face have beside texts."""
    frame = pl.DataFrame({"text": ["great"], "image": [b"\xff\x00"]})
    frame.write_parquet(project / "t.parquet")
    done = cli("predict", "--file", "t.parquet")
    assert done.code == 4
    assert done.err == 'error: t.parquet: column "image" holds Binary, not text or numbers\n'


def test_lines_that_end_in_carriage_returns(project, cli):
    """Old Macs wrote them, and each line is a text there, too."""
    (project / "t.txt").write_bytes(CR.encode())
    lines = cli("predict", "--file", "t.txt").out.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["great lovely", "awful waste"]
    (project / "t.csv").write_bytes(f"id,text\r1,great\r2,{'bad'}\r".encode())
    assert [row["id"] for row in records(cli("predict", "--file", "t.csv").out)] == ["1", "2"]


@pytest.mark.parametrize("policy", ["auto", "fail", "skip"])
def test_rows_that_cannot_be_read(project, cli, policy):
    """They are named by their line; few are left out, more only where that was asked for."""
    bad = "id,text\n1,great\n2,bad,extra\n4,fine\n"
    (project / "t.csv").write_text(bad)
    done = cli("predict", "-f", "t.csv", "--on-bad-rows", policy, "-o", "out.csv")
    assert "t.csv:3: 3 columns, not 2" in done.err
    if policy == "skip":
        assert done.code == 0
        rows = records((project / "out.csv").read_text())
        assert [row["id"] for row in rows] == ["1", "4"]
    else:
        assert done.code == 4
        assert not (project / "out.csv").exists()


@pytest.mark.parametrize(
    ("malformed", "reason"),
    [
        ('2,"x" y', "malformed quoting: text after a closing quote"),
        ('2,"never closed', "malformed quoting: the quote is never closed"),
        ("id,text", "the header again"),
    ],
)
@pytest.mark.parametrize("policy", ["auto", "fail"])
def test_a_bad_row_costs_itself_alone(project, cli, policy, malformed, reason):
    """The rows after it are read, wherever it stands in a file that streams past."""
    before, after = '1,"great, quoted"\n' * 8000, "1,great\n\n3,awful,,\n" * 4000
    (project / "t.csv").write_text(f"id,text\n{before}{malformed}\n{after}")
    done = cli("predict", "-f", "t.csv", "--on-bad-rows", policy)
    assert f"t.csv:8002: {reason}" in done.err
    assert done.code == (0 if policy == "auto" else 4)
    if policy == "auto":
        assert len(records(done.out)) == 16_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,n\na,b\n", "t.csv has 2 columns, there is no column 9"),
        ("text\na\n", 'nothing separates a text from its label in "text"'),
    ],
)
def test_a_position_beyond_the_last_column(project, cli, content, message):
    """The number of columns is told, as where training reads them."""
    (project / "t.csv").write_text(content)
    done = cli("predict", "-f", "t.csv", "--text-column", "9")
    assert (done.code, done.out) == (4, "")
    assert message in done.err


def test_the_first_bad_rows_are_shown(project, cli):
    """Of many that are left out, all are counted, and five are named."""
    bad = "".join(f"{n},a,more\n" for n in range(7))
    (project / "t.csv").write_text(f"id,text\n{bad}8,great\n")
    done = cli("predict", "-f", "t.csv")
    assert (done.code, done.err.count("3 columns, not 2")) == (4, 5)
    assert "7 bad rows in t.csv" in done.err


def test_an_argument_that_is_the_name_of_a_file(project, cli):
    """It is labelled as it is written, and a warning says how to label the file."""
    (project / "my reviews.txt").write_text("great\n")
    for name in ("my reviews.txt", "@my reviews.txt", "./my reviews.txt"):
        done = cli("predict", name)
        assert done.code == 0
        assert "--file '" in done.err
        assert "my reviews.txt'" in done.err
    assert "--file" not in cli("predict", "great").err


@pytest.mark.parametrize("option", [["--json"], ["--format", "csv"], ["--explain"]])
@pytest.mark.usefixtures("project")
def test_an_output_file_is_a_table(cli, option):
    """Options that ask for another answer exclude it, and so does a name without a format."""
    done = cli("predict", "great", "-o", "out.csv", *option)
    assert (done.code, "--output writes a table" in done.err) == (2, True)
    done = cli("predict", "great", "-o", "out")
    assert (done.code, "does not say which format" in done.err) == (2, True)


def test_the_output_is_not_the_input(project, cli):
    """Neither by its name nor by redirection, and never in the registry."""
    before = (project / "data/test.csv").read_bytes()
    for path in ("data/test.csv", "models/1.0.0/metadata.json", "models/x.csv"):
        assert cli("predict", "-f", "data/test.csv", "-o", path, "--force").code == 2
    assert (project / "data/test.csv").read_bytes() == before

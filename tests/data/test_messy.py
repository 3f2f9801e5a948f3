"""Files as they come from the wild: small ones of each kind, and the real ones where there."""

import os
from pathlib import Path

import pytest
from data_files import read, refused

from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.errors import DataError

BY_POSITION = {"text_column": "2", "label_column": "1"}


def test_tabs_without_header(tmp_path):
    """Tabs, no header, stray quotes: refused with the positions, and read with them."""
    content = b'ham\tI said "no\nspam\t"Win" now\nham\t"and again\nspam\tcall"\nham\tok "\n'
    message, hint = refused(tmp_path / "sms.tsv", content)
    assert "sms.tsv:1: the first line does not name the columns" in message
    assert hint == "no header? give positions: --text-column 2 --label-column 1"
    dataset = read(tmp_path / "sms.tsv", content, **BY_POSITION)
    assert dataset.texts == ('I said "no', '"Win" now', '"and again', 'call"', 'ok "')
    assert list(dataset.places) == [1, 2, 3, 4, 5]


def test_empty_trailing_columns(tmp_path):
    """Columns without a name may be empty; a text that runs over into them is a bad row."""
    content = (
        b'v1,v2,,,\r\nham,"Ok, then",,,\r\nspam,Win now,,,\r\nham,d, e,,\r\nham,See you,,,\r\n'
    )
    message, hint = refused(tmp_path / "sms.csv", content)
    assert 'no column "text"; its columns are v1, v2' in message
    assert hint == "--text-column v2 --label-column v1"
    options = {"text_column": "v2", "label_column": "v1"}
    message, _ = refused(tmp_path / "sms.csv", content, **options)
    assert "sms.csv:4: 3 columns, the header names 2" in message
    dataset = read(tmp_path / "sms.csv", content, **options, on_bad_rows=OnBadRows.SKIP)
    assert dataset.texts == ("Ok, then", "Win now", "See you")


def test_three_columns_without_header(tmp_path):
    """No header and three columns: positions choose, backslashes are what they are."""
    content = b'"3","Fears","Unions say \\$4, no"\n"4","The Race","A ""second"" team, it is"\n'
    content += b'"3","Prices","Oil is dear"\n"4","The Moon","Men go there"\n'
    message, hint = refused(tmp_path / "news.csv", content)
    assert "it is 3, Fears, Unions" in message
    assert hint.endswith("--text-column 3 --label-column 1")
    dataset = read(tmp_path / "news.csv", content, text_column="3", label_column="1")
    assert dataset.texts[:2] == ("Unions say \\$4, no", 'A "second" team, it is')


def test_single_quotes(tmp_path):
    """Single quotes quote where that, and only that, makes a table of the file."""
    row = b"Sport;'Ein \"Satz\", so.'\r\n"
    content = (row + b"Kultur;'Noch; ''einer'' da'\r\nSport;Ohne\r\n") * 4
    _, hint = refused(tmp_path / "gnad.csv", content)
    assert hint == "no header? give positions: --text-column 2 --label-column 1"
    dataset = read(tmp_path / "gnad.csv", content, **BY_POSITION)
    assert dataset.texts[:3] == ('Ein "Satz", so.', "Noch; 'einer' da", "Ohne")
    late = b"Sport;Ohne\r\n" * 9999 + content
    assert read(tmp_path / "gnad.csv", late, **BY_POSITION).texts[-2] == "Noch; 'einer' da"


def test_apostrophes_are_not_quotes(tmp_path):
    """An apostrophe at the start of a text does not make it a quote character."""
    content = b"'Tis a day,x\nplain,y\n'twas one,x\n\"quoted, too\",y\n"
    dataset = read(tmp_path / "a.csv", content, text_column="1", label_column="2")
    assert dataset.texts == ("'Tis a day", "plain", "'twas one", "quoted, too")


def test_label_in_front_of_text(tmp_path):
    """Latin-1 and no delimiter: the encoding first, then how to make it a table."""
    content = "DESC:def What is a caf\xe9 ?\nHUM:ind Who said : no ?\n".encode("latin-1") * 4
    message, hint = refused(tmp_path / "trec.txt", content)
    assert "trec.txt:1: byte 0xe9 is not UTF-8\n" in message
    assert "cp1252" in hint
    message, hint = refused(tmp_path / "trec.txt", content, encoding="cp1252")
    assert 'nothing separates a text from its label in "DESC:def What is a café ?"' in message
    assert "put a tab in place of the space after it" in hint
    assert hint.endswith("--text-column 2 --label-column 1")
    table = b"\n".join(line.replace(b" ", b"\t", 1) for line in content.splitlines())
    dataset = read(tmp_path / "trec.tsv", table, encoding="cp1252", **BY_POSITION)
    assert dataset.labels[:2] == ("DESC:def", "HUM:ind")


def test_constant_columns_are_not_guessed(tmp_path):
    """A column with one value throughout is neither the text nor the label that a hint names."""
    content = "".join(f"2024,{label},a sentence {n}\n" for n, label in enumerate(["x", "y"] * 9))
    _, hint = refused(tmp_path / "a.csv", content.encode())
    assert hint == "no header? give positions: --text-column 3 --label-column 2"
    _, hint = refused(tmp_path / "b.csv", b"year,kind,body\n" + content.encode())
    assert hint == "--text-column body --label-column kind"
    _, hint = refused(tmp_path / "c.csv", b"kind,body\nx,a sentence\n" + b"x,another one\n" * 9)
    assert hint == "name them by --text-column and --label-column"


def test_at_signs(tmp_path):
    """A byte-order mark, CRLF and `text@label`: the delimiter is hinted at, and works."""
    lines = ["Profit rose , to 8.0 @neutral", "Sales fell ; again @negative", "It is so .@neutral"]
    content = b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in lines).encode()
    message, hint = refused(tmp_path / "bank.txt", content)
    assert "bank.txt:1: nothing separates" in message
    assert hint == "--delimiter @ --text-column 1 --label-column 2"
    options = {"delimiter": "@", "text_column": "1", "label_column": "2"}
    dataset = read(tmp_path / "bank.txt", content, **options)
    assert dataset.texts[0] == "Profit rose , to 8.0 "
    assert dataset.labels == ("neutral", "negative", "neutral")
    named = b"text@label\n" + content.removeprefix(b"\xef\xbb\xbf")
    assert refused(tmp_path / "named.txt", named)[1] == "--delimiter @"
    assert len(read(tmp_path / "named.txt", named, delimiter="@")) == len(lines)
    content = content.replace(b"Sales", b"Sales@home")
    message, _ = refused(tmp_path / "bank.txt", content, **options)
    assert "bank.txt:2: 3 columns, most rows have 2" in message


REAL = [
    ("SMSSpamCollection.tsv.gz", BY_POSITION, 5574, 0),
    ("ag_news_test_noheader.csv.gz", {"text_column": "3", "label_column": "1"}, 7600, 0),
    (
        "phrasebank_50agree_bom_crlf.txt.gz",
        {"delimiter": "@", "text_column": "1", "label_column": "2"},
        4846,
        0,
    ),
    ("gnad10k_test_semicolon.csv.gz", BY_POSITION, 1028, 0),
    ("sms_spam_kaggle.csv.gz", {"text_column": "v2", "label_column": "v1"}, 5521, 51),
]


@pytest.fixture
def messy():
    """Return the folder of the real files."""
    if "TEXTCLF_DATA" not in os.environ:
        pytest.skip("TEXTCLF_DATA does not name a folder of real data sets")
    return Path(os.environ["TEXTCLF_DATA"]) / "messy"


@pytest.mark.parametrize(("name", "options", "rows", "bad"), REAL)
def test_real_file(messy, name, options, rows, bad):
    """Each real file is read in full with the options that its refusal hints at."""
    with pytest.raises(DataError) as caught:
        read_dataset(messy / name)
    for option, value in options.items():
        assert f"--{option.replace('_', '-')} {value}" in caught.value.hint
    dataset = read_dataset(messy / name, ReadOptions(**options, on_bad_rows=OnBadRows.SKIP))
    assert (len(dataset), len(dataset.bad_rows)) == (rows, bad)


def test_real_file_without_delimiter(messy):
    """TREC's file is refused twice: for its encoding, then for its lack of columns."""
    path = messy / "trec_train_latin1.txt.gz"
    with pytest.raises(DataError, match=r":66: byte 0xf0 is not UTF-8"):
        read_dataset(path)
    with pytest.raises(DataError, match="nothing separates") as caught:
        read_dataset(path, ReadOptions(encoding="cp1252"))
    assert "is the first word of a line its label?" in caught.value.hint

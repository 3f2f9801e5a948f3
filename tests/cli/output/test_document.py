"""Documents as text and as Markdown, with text of others escaped."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.cli.output.document import Heading, Items, TableBlock, UserText, sentence, write


@pytest.fixture
def markdown(capsys):
    """Return a document as Markdown."""

    def call(*blocks):
        write(blocks, markdown=True)
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("spam", "`spam`"),
        ("@everyone <b>", "`@everyone <b>`"),
        ("a`b", "``a`b``"),
        ("``", "``` `` ```"),
        ("", '`""`'),
        ("two\nlines\x1b[31m", "`two\\nlines\\x1b[31m`"),
    ],
)
def test_what_is_not_ours_is_a_code_span(markdown, label, shown):
    """Mentions, HTML and line ends have no effect; the fence is longer than any in the text."""
    assert markdown(sentence("label ", UserText(label))) == f"label {shown}\n\n"
    assert markdown(Heading((UserText(label),))) == f"### {shown}\n\n"


def test_a_pipe_ends_no_cell(markdown):
    """Pipes are escaped, even in code, as GitHub's tables require."""
    shown = markdown(TableBlock(["label", "n"], [[UserText("a|b"), 1]], right=["n"]))
    assert shown.splitlines() == ["| label | n |", "| --- | ---: |", "| `a\\|b` | 1 |", ""]


@given(st.text(max_size=30))
def test_any_label_is_one_cell_of_one_line(label):
    """Whatever the label, the row has two cells and the code span is closed."""
    from textclf.cli.output.document import _cell

    cell = _cell(UserText(label))
    assert "\n" not in cell
    assert not re.search(r"(?<!\\)\|", cell)
    fence = re.match("`+", cell)[0]
    assert cell.endswith(fence)
    assert fence not in cell[len(fence) : -len(fence)].replace("`" * (len(fence) + 1), "")


def test_what_is_long_is_folded(markdown):
    """A long list or table is folded."""
    short = markdown(Items("settings", [(UserText("a"), ": ", UserText("b"))]))
    assert short == "**settings**\n\n- `a`: `b`\n\n"
    long = markdown(TableBlock(["n"], [[n] for n in range(40)], title="many"))
    assert long.startswith("<details><summary>many (40)</summary>\n\n| n |\n")
    assert long.endswith("| 39 |\n\n</details>\n\n")


def test_a_warning_is_loud(markdown, capsys):
    """A warning is marked as such in both formats."""
    assert markdown(sentence("odd", is_warning=True)) == "> ⚠️ **Warning:** odd\n\n"
    write([sentence("odd ", UserText("a\x07"), is_warning=True)])
    assert capsys.readouterr().out == "warning: odd a\\x07\n"

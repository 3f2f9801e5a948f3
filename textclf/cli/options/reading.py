"""The options of commands that read labelled rows, and what they read by default."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from textclf.cli.options.options import Encoding
from textclf.cli.options.settings import is_typed, option_to_ignore
from textclf.cli.output.progress import show_reading
from textclf.errors import DataError, UsageError

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset, ReadOptions
    from textclf.metadata.schema import Metadata

DEFAULT_DATA = Path("data/train.csv")
DEFAULT_SHARE = 0.2
"""Share of the rows that is split off for testing where there is no test data."""

Data = Annotated[
    Path,
    typer.Argument(
        metavar="[DATA]", help="Labelled texts: a file, or a folder with a folder per label."
    ),
]
TestFile = Annotated[
    Path | None,
    typer.Option(
        "--test",
        metavar="FILE",
        rich_help_panel="Data",
        help="Test data; by default test.EXT beside train.EXT, if it exists.",
    ),
]


@dataclass(eq=False, repr=False)
class ReadingOptions:
    """The options of every command that reads labelled rows."""

    panel: ClassVar = "Data"

    text_column: Annotated[
        str,
        typer.Option(
            metavar="NAME|N",
            help="Column of the texts, or its position if there is no header.",
        ),
    ] = "text"
    label_column: Annotated[
        str,
        typer.Option(
            metavar="NAME|N",
            help="Column of the labels, or its position if there is no header.",
        ),
    ] = "label"
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHAR", help="Column separator; detected by default.")
    ] = None
    encoding: Encoding = None
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first row names the columns; by default it does unless both are "
            "given by position.",
            show_default=False,
        ),
    ] = None
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sheet of a workbook that has several.")
    ] = None
    on_bad_rows: Annotated[
        Literal["auto", "fail", "skip"],
        typer.Option(
            help="What to do with rows without text or label, or unreadable ones; auto leaves out "
            "1% at most, and fails if there are more."
        ),
    ] = "auto"

    def read_options(self) -> "ReadOptions":
        """Return the options as the core takes them."""
        from textclf.data.dataset import OnBadRows, ReadOptions

        return ReadOptions(
            self.text_column,
            self.label_column,
            self.delimiter,
            self.encoding,
            OnBadRows(self.on_bad_rows),
            self.header,
            self.sheet,
        )

    def options_for_more_rows(self, context: typer.Context, metadata: "Metadata") -> "ReadOptions":
        """Return how rows are read that are added to those of a version.

        As its own first file, but for what is typed.
        """
        from textclf.training.recorded import options_for_more_rows

        options = asdict(self.read_options())
        typed = {name: options[name] for name in options if is_typed(context, name)}
        return options_for_more_rows(metadata, typed)

    def read(self, path: Path, *, quiet: bool) -> "Dataset":
        """Read a data set, and say what was left out of it. Raises DataError."""
        from textclf.data.dataset import read_dataset

        dataset = read_dataset(path, self.read_options())
        show_reading(dataset, quiet=quiet)
        return dataset


@dataclass(eq=False, repr=False)
class TableOptions(ReadingOptions):
    """The options of the commands that read texts to label, from tables among others.

    That of the labels is not listed: it only tells whether a table whose texts are given by
    position has a header, and is accepted because those who train on such a table type it.
    """

    label_column: Annotated[
        str, typer.Option(metavar="NAME|N", hidden=True, help="Column of the labels, not read.")
    ] = "label"
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first row names the columns; by default it does unless the column "
            "of the texts is given by position.",
            show_default=False,
        ),
    ] = None
    on_bad_rows: Annotated[
        Literal["auto", "fail", "skip"],
        typer.Option(
            help="What to do with rows that cannot be read; auto leaves out 1% at most, and fails "
            "if there are more."
        ),
    ] = "auto"


def require_data(data: Path) -> None:
    """Raise DataError if no data was named and the default does not exist."""
    if data == DEFAULT_DATA and not data.exists():
        raise DataError(
            f"no data was named, and the default {data.as_posix()} does not exist",
            hint="name a file with the columns text and label: textclf train reviews.csv",
        )


def test_beside(data: Path) -> Path | None:
    """Return ``x/test.csv.gz`` for ``x/train.csv.gz``, if it exists."""
    name, dot, ending = data.name.partition(".")
    if name != "train":
        return None
    beside = data.with_name(f"test{dot}{ending}")
    return beside if beside.exists() else None


def choose_test_rows(
    context: typer.Context, data: Path, test: Path | None, share: float | None
) -> tuple[Path | None, bool, float]:
    """Return where the test rows come from.

    Returns:
        The test file, if there is one; whether the user named it; and the share to split off if
        there is no test file, or none with labels.

    Raises:
        UsageError: the share is not valid, or both are given.
    """
    if share is not None and not 0 < share < 1:
        raise UsageError("--test-size takes a share between 0 and 1", hint="--test-size 0.2")
    if test and share is not None:
        why = "the test rows come from one place"
        if option_to_ignore(context, "test", "test_size", why) == "test":
            test = None
    if test or share is not None:
        return test, True, share or DEFAULT_SHARE
    return test_beside(data), False, DEFAULT_SHARE

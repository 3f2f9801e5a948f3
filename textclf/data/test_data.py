"""Read the test data that lies beside the training data, if it has labels."""

from pathlib import Path

from textclf.data.columns import NoLabels
from textclf.data.dataset import Dataset, ReadOptions, read_dataset
from textclf.errors import DataError


def read_beside(path: Path, options: ReadOptions) -> tuple[Dataset | None, str | None]:
    """Read test data that nobody has named.

    The data of a competition often comes as ``train.csv`` and a ``test.csv`` without labels, which
    are for the organisers to know.

    Returns:
        The data set; or, if it has no labels, None and a sentence that says so.

    Raises:
        DataError: it cannot be read for another reason; the details say why it is read.
    """
    try:
        return read_dataset(path, options), None
    except NoLabels as error:
        return None, (
            f"{error.message}; so it is not used as test data, although it is beside the training "
            "data: a share of the rows is split off"
        )
    except DataError as error:
        why = "it is read as test data because it is beside the training data"
        error.details = (*error.details, f"{why}; --test-size 20% splits test rows off instead")
        raise

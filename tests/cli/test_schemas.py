"""The JSON Schemas of docs/schema: they are those of the types, and every answer is valid.

``UPDATE_DOCS=1 pytest tests/cli/test_schemas.py`` writes them.
"""

import json
import os
import shutil

import pytest
from answer_schemas import ANSWERS, documents, file_name
from jsonschema import Draft202012Validator
from paths import ROOT

FOLDER = ROOT / "docs/schema"
EXAMPLES = [
    ("train", ("train", "--bump", "patch", "-m", "why", "--max-regression", "0.9")),
    ("train", ("train",)),
    ("train --dry-run", ("train", "--dry-run", "--bump", "patch")),
    ("publish", ("publish", "model.joblib", "--test", "data/test.csv")),
    ("publish --dry-run", ("publish", "model.joblib", "--test", "data/test.csv", "--dry-run")),
    ("check", ("check",)),
    ("check", ("check", "--labels")),
    ("check", ("check", "few.csv")),
    ("pick", ("pick", "data/test.csv")),
    ("predict", ("predict", "so great", "a horrid waste", "--top-k", "2")),
    ("predict", ("predict", "so great", "--threshold", "1")),
    ("predict", ("predict", "so great", "--abstain-unknown", "1")),
    ("predict --explain", ("predict", "so great and lovely", "--explain")),
    ("evaluate", ("evaluate", "data/test.csv")),
    ("evaluate", ("evaluate", "data/test.csv", "--fail-under", "accuracy=0.1")),
    ("versions list", ("versions", "list")),
    ("versions show", ("versions", "show", "latest")),
    ("versions compare", ("versions", "compare", "1.0.0", "1.0.1")),
    ("versions compare --data", ("versions", "compare", "1.0.0", "1.0.1", "--data", "few.csv")),
    ("versions report", ("versions", "report", "1.0.0")),
    ("versions tag", ("versions", "tag", "1.0.0", "prod=eu")),
    ("versions prune", ("versions", "prune", "--keep", "0")),
    ("versions export", ("versions", "export", "1.0.0", "model.tar.gz")),
    ("versions import", ("versions", "import", "1.0.0.tar.gz")),
    ("versions push", ("versions", "push", "1.0.0", "latest", "other")),
    ("versions pull", ("versions", "pull", "--all", "models", "--models", "other")),
    ("mirror", ("mirror", "models", "mirror")),
    ("promote", ("promote", "1.0.0")),
    ("promote", ("promote", "1.0.0", "--require", "accuracy=1", "--data", "few.csv")),
    ("rollback", ("rollback",)),
    ("history", ("history",)),
    ("history --all", ("history", "--all")),
    ("verify", ("verify",)),
    ("verify --repair", ("verify", "--repair")),
    ("reproduce", ("reproduce", "1.0.0")),
    ("doctor", ("doctor",)),
    ("cache", ("cache",)),
    ("warmup", ("warmup",)),
    ("cache clear", ("cache", "clear")),
    ("error", ("promote", "9.9.9")),
    ("error", ("check", "none.csv")),
    ("error", ("--nonsense",)),
]


@pytest.mark.parametrize("name", documents())
def test_the_schemas_are_those_of_the_types(name):
    """Each file is what its types give; a field that is added must be added to the file."""
    document = documents()[name]
    Draft202012Validator.check_schema(json.loads(document))
    if os.environ.get("UPDATE_DOCS"):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / name).write_text(document, "utf-8")
    assert (FOLDER / name).read_text("utf-8") == document


def test_there_are_no_other_schemas():
    """A schema of a command that no longer exists is removed."""
    assert {path.name for path in FOLDER.iterdir()} == documents().keys()


def strict(document):
    """Return a schema that allows no further fields: later versions may add some, tests do not."""
    if isinstance(document, list):
        return [strict(item) for item in document]
    if not isinstance(document, dict):
        return document
    closed = {"additionalProperties": False} if "properties" in document else {}
    return {**closed, **{name: strict(value) for name, value in document.items()}}


@pytest.fixture
def prepared(project, cli):
    """Return a project with events in its history, an archive, and rows that are labelled wrong."""
    (project / "few.csv").write_text("text,label\nso great,negative\na horrid waste,negative\n")
    shutil.copy(project / "models/1.0.0/text_classifier.joblib", "model.joblib")
    cli("versions", "export", "1.0.0", "1.0.0.tar.gz")
    cli("versions", "tag", "1.0.0", "prod=eu")
    cli("promote", "1.0.0", "--require", "accuracy=1", "--data", "few.csv")
    return project


@pytest.mark.parametrize(("name", "command"), EXAMPLES, ids="".join)
@pytest.mark.usefixtures("prepared")
def test_an_answer_is_valid(cli, name, command):
    """What a command prints with --json has the fields of its schema and no others."""
    done = cli(*command, "--json")
    answer = json.loads(done.err.splitlines()[-1] if name == "error" else done.out)
    schema = json.loads((FOLDER / file_name(name)).read_text("utf-8"))
    Draft202012Validator(strict(schema)).validate(answer)


def test_every_schema_has_an_example():
    """No answer is left out; what needs a key or a server has its example with its own tests."""
    elsewhere = {"sign", "mlflow push", "mlflow sync", "mlflow pull", "mlflow pull --dry-run"}
    assert {name for name, _ in EXAMPLES} == ANSWERS.keys() - elsewhere

"""Versions trained again from their metadata: all kinds of them, and all that may differ."""

import csv
import gzip
import json
import random
from dataclasses import replace

import msgspec
import pytest

from textclf.artifact.model_file import to_bytes
from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.errors import DataError, IntegrityError, TextclfError, UsageError
from textclf.metadata.schema import BumpRecord, Metadata, decode, encode
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams, SpaceSource, parse_space, preset_source
from textclf.training.job import SearchSettings, prepare
from textclf.training.recorded import Moved, recorded_job
from textclf.training.reproduce import Outcome, reproduce, same_files
from textclf.training.train import train

SPACE = """
[features.word]
ngram_range = [[1, 1], [1, 2]]
[classifier.LinearSVC]
C = [0.3, 1]
"""
UNION = """
[[space]]
features.word.token_pattern = '\\w+|[^\\w\\s]'
features.word.max_features = 50
features.char_wb.ngram_range = [[2, 3]]
classifier.LogisticRegression.C = [1.0, 1e-4]
classifier.SGDClassifier.alpha = 1e-4
[[space]]
features.word.stop_words = [["the", "a"]]
features.word.min_df = [1, 0.01]
classifier.ComplementNB.alpha = [0.5]
classifier.LinearSVC.penalty = "l1"
classifier.LinearSVC.dual = false
"""
WORDS = {"pos": ["great", "lovely", "superb"], "neg": ["awful", "sad", "broken"]}
FILLERS = ["the", "a", "of", "it", "we", "was", "on", "at", "my", "this", "very", "that"]
BUMP = BumpRecord("auto", "major", ["the first version"], None)


def space(text):
    return parse_space(SpaceSource("grid.toml", text))


def rows(number, seed):
    """Yield texts of two labels that are not too easy to tell apart."""
    chance = random.Random(seed)
    for n in range(number):
        label = ("pos", "neg")[n % 2]
        other = ("neg", "pos")[n % 2] if chance.random() < 0.2 else label
        yield " ".join([*chance.choices(FILLERS, k=5), chance.choice(WORDS[other]), str(n)]), label


def write(path, number=120, seed=0, *, head=("text", "label"), delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerows([head, *rows(number, seed)] if head else rows(number, seed))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the current folder, with data in it."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "train.csv")
    write(tmp_path / "test.csv", 40, seed=1)
    return tmp_path


def trained(
    data="train.csv", test="test.csv", options=None, share=0.2, method="text-hash", **settings
):
    """Return a version as `textclf train` makes it and as its file is read again."""
    options = options or ReadOptions()
    made = SearchSettings(**{"space": space(SPACE), "folds": 3, **settings})
    test_rows = test and read_dataset(test, options)
    rows = read_dataset(data, options)
    job = prepare(rows, test_rows or None, share, options, made, split_method=method)
    metadata, artifact, *_ = train(job, "1.0.0", BUMP, jobs=1)
    published = msgspec.structs.replace(metadata, saved_at="2026-01-02T03:04:05Z")
    return decode(encode(published), Metadata, name="metadata.json"), artifact


def again(metadata, artifact, **moved):
    return reproduce(metadata, artifact, recorded_job(metadata, Moved(**moved)), jobs=1)


# --- every version that train can make ------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "race", "folds": 5},
        {"sample": 60},
        {"sample": 60, "method": "race"},
        {"sample": 1000},
        {"scoring": "f1_macro", "seed": 2**32 - 1},
        {"space": space(UNION)},
        {"space": parse_space(preset_source("default")), "sample": 50_000},
        {"test": None},
        {"test": None, "method": None},  # as before test rows were split off by their text
        {"test": None, "share": 0.3, "seed": 7, "sample": 50},
    ],
    ids=lambda s: " ".join(s) or "plain",
)
@pytest.mark.usefixtures("folder")
def test_every_way_to_search_gives_the_same_bytes(settings):
    """The metadata has all that races, samples, splits, unions and presets need."""
    metadata, artifact = trained(**settings)
    found = again(metadata, artifact)
    assert found.outcome is Outcome.SAME_BYTES
    assert (found.recorded, found.made) == (metadata.artifact.sha256,) * 2
    assert found.predictions.changed_labels == found.predictions.largest_difference == 0
    assert (found.environment, found.params, found.scores) == ([], [], [])


def semicolons(folder):
    path = write(folder / "a.csv", head=("review", "stars"), delimiter=";")
    path.write_text(path.read_text(), "utf-16")
    return "a.csv", ReadOptions("review", "stars", ";", "utf-16")


def positions(folder):
    write(folder / "a.tsv", head=None, delimiter="\t")
    return "a.tsv", ReadOptions("1", "2", "tab")


def bad_rows(folder):
    path = write(folder / "a.csv")
    path.write_text(path.read_text() + ",pos\nnothing,\nfine,neg\n")
    return "a.csv", ReadOptions(on_bad_rows=OnBadRows.SKIP)


def gzipped_lines(folder):
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows(120, 0))
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return "a.jsonl.gz", ReadOptions()


def folders(folder):
    for n, (text, label) in enumerate(rows(60, 0)):
        (folder / "texts" / label).mkdir(parents=True, exist_ok=True)
        (folder / "texts" / label / f"{n}.txt").write_text(text)
    return "texts", ReadOptions()


@pytest.mark.parametrize("kind", [semicolons, positions, bad_rows, gzipped_lines, folders])
def test_every_way_to_read_gives_the_same_bytes(folder, kind):
    """Columns, delimiter, encoding and skipped rows are those of the training."""
    data, options = kind(folder)
    metadata, artifact = trained(data, None, options)
    assert metadata.data.skipped_rows == (2 if kind is bad_rows else 0)
    assert again(metadata, artifact).outcome is Outcome.SAME_BYTES


@pytest.fixture
def version(folder):
    """Return metadata and model of a plain version."""
    assert folder
    return trained()


def edited(metadata, **changes):
    """Return the metadata with changes."""
    return msgspec.structs.replace(metadata, **changes)


# --- the data -------------------------------------------------------------------------------------


def test_data_that_has_moved_is_named(folder):
    """Without --data the file does not exist; with it, the model is the same."""
    metadata, artifact = trained()
    (folder / "elsewhere").mkdir()
    data, test = ((folder / n).rename(folder / "elsewhere" / n) for n in ("train.csv", "test.csv"))
    with pytest.raises(DataError, match=r"^train\.csv does not exist$") as caught:
        recorded_job(metadata)
    assert caught.value.hint == "--data FILE names it where it is now"
    with pytest.raises(DataError, match=r"^test\.csv does not exist$") as caught:
        recorded_job(metadata, Moved([data]))
    assert caught.value.hint == "--test FILE names it where it is now"
    assert again(metadata, artifact, data=[data], test=test).outcome is Outcome.SAME_BYTES


def test_another_file_with_the_same_rows_is_accepted(folder):
    """A compressed file with the same rows gives the same model; same_files reports it."""
    metadata, artifact = trained()
    assert same_files(recorded_job(metadata), metadata)
    packed = folder / "packed.csv.gz"
    packed.write_bytes(gzip.compress((folder / "train.csv").read_bytes()))
    job = recorded_job(metadata, Moved([packed]))
    assert not same_files(job, metadata)
    assert reproduce(metadata, artifact, job).outcome is Outcome.SAME_BYTES


def changed(folder, name, change):
    path = folder / name
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))


CHANGES = {
    "a row more": lambda lines: [*lines, "so good,pos\n"],
    "a row less": lambda lines: lines[:-1],
    "another label": lambda lines: [*lines[:-1], lines[-1].replace("neg", "pos")],
    "another order": lambda lines: [lines[0], *lines[:0:-1]],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_other_rows_are_refused(folder, name, change):
    """One changed label or another order is enough."""
    metadata, _ = trained()
    changed(folder, name, CHANGES[change])
    use = "trained" if name == "train.csv" else "tested"
    with pytest.raises(DataError, match=f"^{name} is not what 1.0.0 was {use} on: ") as caught:
        recorded_job(metadata)
    assert caught.value.exit_code == 4
    assert caught.value.hint.startswith(f"--{'data' if use == 'trained' else 'test'} FILE")
    if use == "trained":
        assert "are the same" in str(caught.value)


def test_swapped_files_are_refused(folder):
    """Training and test data given in the wrong order are other rows."""
    metadata, _ = trained()
    with pytest.raises(
        DataError, match=r"test\.csv is not what 1\.0\.0 was trained on: it has 40 rows"
    ):
        recorded_job(metadata, Moved([folder / "test.csv"], folder / "train.csv"))


def test_all_rows_of_a_split_file_are_checked(folder):
    """The test rows are part of the file; there is no test file to name."""
    metadata, _ = trained(test=None)
    with pytest.raises(UsageError, match="on a part of its training data"):
        recorded_job(metadata, Moved(test=folder / "test.csv"))
    held_out = recorded_job(metadata).test.texts[0]
    changed(folder, "train.csv", lambda lines: [x for x in lines if not x.startswith(held_out)])
    with pytest.raises(DataError, match=r"is not what 1[.]0[.]0 was tested on: it has"):
        recorded_job(metadata)


def test_rows_that_have_become_bad_are_other_rows(folder):
    """The error is about other rows, not about --on-bad-rows, which this command does not have."""
    metadata, _ = trained()
    changed(folder, "train.csv", lambda lines: [*lines[:-1], ",pos\n"])
    with pytest.raises(DataError, match="it has 119 rows \\(recorded: 120\\); about 99%"):
        recorded_job(metadata)


def test_the_same_file_read_differently_is_reported(version):
    """The error says that the recorded file gives other rows now."""
    metadata, _ = version
    record = msgspec.structs.replace(metadata.data, rows_sha256="0" * 64)
    with pytest.raises(DataError, match=r"is the file that 1\.0\.0 was trained on, but it is read"):
        recorded_job(edited(metadata, data=record))


# --- what differs ---------------------------------------------------------------------------------


def made_elsewhere(metadata):
    libraries = {**metadata.environment.libraries, "scikit-learn": "1.0.0"}
    return edited(
        metadata,
        environment=msgspec.structs.replace(metadata.environment, libraries=libraries),
        code=msgspec.structs.replace(metadata.code, sha256="0" * 64),
    )


def test_libraries_that_differ_are_named_first(version):
    """The code comes next; the model may still be the same to the byte."""
    metadata, artifact = version
    found = again(made_elsewhere(metadata), artifact)
    assert found.outcome is Outcome.SAME_BYTES
    assert [change.name for change in found.environment] == ["scikit-learn", "textclf source"]
    assert found.environment[0].before == "1.0.0"


def test_the_same_predictions_with_other_bytes(version):
    """If every test row keeps its label, a slightly different model has the same predictions."""
    metadata, _ = version
    one, nearly = (space(SPACE.replace("0.3, 1", cost)) for cost in ("1", "1.0001"))
    job = recorded_job(metadata)
    _, artifact, *_ = train(
        replace(job, settings=replace(job.settings, space=nearly)), "1.0.0", BUMP, jobs=1
    )
    search = msgspec.structs.replace(metadata.search, space=one)
    found = again(edited(metadata, search=search), artifact)
    assert found.outcome is Outcome.SAME_PREDICTIONS
    assert found.predictions.changed_labels == 0
    assert 0 < found.predictions.largest_difference < 0.01


def test_different_predictions_are_counted(version):
    """Parameters and scores that were not reproduced are listed as well."""
    metadata, _ = version
    weak = SearchSettings(
        space("[features.word]\nmax_features = 2\n[classifier.MultinomialNB]"), folds=3
    )
    job = replace(recorded_job(metadata), settings=weak)
    other, artifact, *_ = train(job, "1.0.0", BUMP, jobs=1)
    scores = msgspec.structs.replace(metadata.search, candidates=other.search.candidates)
    mixed = edited(
        metadata, best_params=other.best_params, test=other.test, search=scores,
        best_cv_accuracy=other.best_cv_accuracy, test_accuracy=other.test_accuracy,
    )  # fmt: skip
    found = again(mixed, artifact)
    assert found.outcome is Outcome.DIFFERENT
    assert found.predictions.changed_labels > 0
    assert "classifier" in [change.name for change in found.params]
    names = [change.name for change in found.scores]
    assert names[:2] == ["cv accuracy", "test accuracy"]
    assert "fold scores of candidate 1" in names


def test_a_recorded_model_without_probabilities_is_compared_by_its_labels(version):
    """Versions had none before textclf calibrated them."""
    metadata, artifact = version
    job = recorded_job(metadata)
    svm = build_pipeline(CandidateParams({"word": {}}, "LinearSVC", {}), 0)
    svm.fit(job.train.texts, job.train.labels)
    before, after = (
        model.predict(job.test.texts) for model in (svm, load_pipeline(artifact, name="model"))
    )
    found = again(metadata, to_bytes(svm))
    assert found.predictions.changed_labels == (before != after).sum()
    assert found.predictions.largest_difference is None


def test_a_recorded_model_that_does_not_work_here_is_different(version):
    """Its predictions are unknown, so it is not known to be the same."""
    metadata, _ = version
    found = again(metadata, b"a model of other libraries")
    assert found.outcome is Outcome.DIFFERENT
    assert found.predictions is None


@pytest.mark.parametrize("what", ["test accuracy", "cv accuracy", "a fold", "a class"])
def test_edited_scores_are_detected(version, what):
    """With the same model and libraries, other recorded scores are an integrity error."""
    metadata, artifact = version
    test, search = metadata.test, metadata.search
    if what == "test accuracy":
        metrics = msgspec.structs.replace(test.metrics, accuracy=0.999)
        forged = edited(metadata, test=msgspec.structs.replace(test, metrics=metrics))
    elif what == "cv accuracy":
        forged = edited(metadata, best_cv_accuracy=0.999)
    elif what == "a fold":
        first, *others = search.candidates
        first = msgspec.structs.replace(first, fold_scores=[1.0, *first.fold_scores[1:]])
        record = msgspec.structs.replace(search, candidates=[first, *others])
        forged = edited(metadata, search=record)
    else:
        best = msgspec.structs.replace(test.metrics.per_class["pos"], f1=0.999)
        classes = {**test.metrics.per_class, "pos": best}
        metrics = msgspec.structs.replace(test.metrics, per_class=classes)
        forged = edited(metadata, test=msgspec.structs.replace(test, metrics=metrics))
    with pytest.raises(IntegrityError, match=r"metadata of 1[.]0[.]0 has been changed") as caught:
        again(forged, artifact)
    assert caught.value.exit_code == 6
    elsewhere = again(made_elsewhere(forged), artifact)
    assert elsewhere.scores, "with other libraries they may have been true"


@pytest.mark.parametrize(
    ("word", "classifier", "why"),
    [
        ({}, {"C": [None]}, r"classifier\.LinearSVC\.C in grid 1: "),
        ({}, {"charm": [1]}, "has no parameter 'charm'"),
        ({"min_df": [1000]}, {}, "no candidate of the search space could be fitted"),
    ],
)
def test_a_version_that_cannot_be_trained_here_is_not_bad_data(version, word, classifier, why):
    """A parameter that the libraries refuse or do not know has the exit code 1 and a hint."""
    metadata, artifact = version
    space_ = [{"features": {"word": word}, "classifier": {"LinearSVC": classifier}}]
    broken = edited(metadata, search=msgspec.structs.replace(metadata.search, space=space_))
    with pytest.raises(TextclfError, match=f"cannot be trained again with .*{why}") as caught:
        again(broken, artifact)
    assert caught.value.exit_code == 1
    assert caught.value.hint == "textclf versions show 1.0.0 lists its libraries"


def test_how_the_data_was_read_must_be_known(version):
    """Reading options that make no sense are damaged metadata."""
    metadata, _ = version
    read = {**metadata.data.read, "on_bad_rows": "pray"}
    odd = edited(metadata, data=msgspec.structs.replace(metadata.data, read=read))
    with pytest.raises(IntegrityError, match="does not say correctly how its data was read"):
        recorded_job(odd)

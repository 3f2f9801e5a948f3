import copyreg
import io
import pickle
import pickletools
import random
import tracemalloc
import warnings

import joblib
import numpy as np
import pytest
from effort import cases
from fitted_models import (
    CLASSIFIERS,
    SGD_LOSSES,
    TEXTS,
    char_wb,
    dumped,
    fitted,
    vectorizer,
    with_probabilities,
    word,
)
from malicious_models import (
    COMPRESSED,
    FOREIGN,
    HARMLESS,
    HEADERS,
    MISFITS,
    NOT_A_MODEL,
    PROGRAMS,
    RUNS_CODE,
    payload,
    program,
    spare,
    with_header,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from textclf.artifact import unpickler
from textclf.artifact.unpickler import load_pipeline, read_foreign
from textclf.data.dataset import ReadOptions, read_dataset
from textclf.errors import IntegrityError, UnsafeModel
from textclf.metadata.schema import BumpRecord
from textclf.metadata.versions import FIRST
from textclf.prediction.predictor import Predictor
from textclf.search.calibration import needs_calibration
from textclf.search.space import BLOCKS, SpaceSource, parse_space
from textclf.search.space import CLASSIFIERS as CLASSIFIER_NAMES
from textclf.training.job import SearchSettings, prepare
from textclf.training.train import train


def load(data):
    return load_pipeline(data, name="1.0.0/model.joblib")


# --- what opens


@pytest.mark.parametrize("labels", ["ab", "abcde"])
@pytest.mark.parametrize("blocks", [[word], [char_wb], [word, char_wb]])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_model_predicts_like_the_one_joblib_loads(classifier, blocks, labels):
    """Each classifier over each kind of features opens and predicts what the original predicts."""
    data = dumped(fitted(classifier(), blocks=[block() for block in blocks], labels=labels))
    pipeline, reference = load(data), joblib.load(io.BytesIO(data))
    assert type(pipeline) is Pipeline
    assert pipeline.predict(TEXTS).tolist() == reference.predict(TEXTS).tolist()
    score = "decision_function" if hasattr(reference, "decision_function") else "predict_proba"
    assert np.array_equal(getattr(pipeline, score)(TEXTS), getattr(reference, score)(TEXTS))


@pytest.mark.parametrize("blocks", [BLOCKS[:1], BLOCKS])
@pytest.mark.parametrize(
    "table",
    [*CLASSIFIER_NAMES, *(f"SGDClassifier]\nloss = '{loss}'\n#" for loss in SGD_LOSSES)],
)
def test_what_train_publishes_predicts_like_the_one_joblib_loads(table, blocks, tmp_path):
    """Every classifier that can be searched, over one block of features and over all, opens."""
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n" + "".join(f"{t},{n % 3}\n" for n, t in enumerate(TEXTS)))
    rows = read_dataset(file, ReadOptions())
    grid = "".join(f"[features.{block}]\n" for block in blocks) + f"[classifier.{table}]\n"
    settings = SearchSettings(parse_space(SpaceSource("grid", grid)), folds=2)
    job = prepare(rows, rows, 0.5, ReadOptions(), settings)
    _, data, *_ = train(job, "1.0.0", BumpRecord("auto", "major", [], None), jobs=1)
    pipeline, reference = load(data), joblib.load(io.BytesIO(data))
    assert pipeline.predict(TEXTS).tolist() == reference.predict(TEXTS).tolist()
    assert np.array_equal(pipeline.predict_proba(TEXTS), reference.predict_proba(TEXTS))


@pytest.mark.parametrize("loss", SGD_LOSSES)
def test_each_loss_of_sgd_opens(loss):
    """SGDClassifier keeps an object of its loss in the file; each loss is known."""
    pipeline = fitted(SGDClassifier(loss=loss, random_state=0))
    assert load(dumped(pipeline)).predict(TEXTS).tolist() == pipeline.predict(TEXTS).tolist()


@pytest.mark.parametrize("labels", ["ab", "abcde"])
@pytest.mark.parametrize(
    "classifier",
    [
        LinearSVC(),
        RidgeClassifier(),
        *(
            SGDClassifier(loss=loss)
            for loss in SGD_LOSSES
            if needs_calibration(SGDClassifier(loss=loss))
        ),
    ],
    ids=str,
)
def test_a_calibrated_model_predicts_like_the_one_joblib_loads(classifier, labels):
    """A classifier with a temperature opens and gives labels and probabilities as the original."""
    data = dumped(with_probabilities(classifier, labels=labels))
    pipeline, reference = load(data), joblib.load(io.BytesIO(data))
    assert type(pipeline["classifier"]) is CalibratedClassifierCV
    assert pipeline.predict(TEXTS).tolist() == reference.predict(TEXTS).tolist()
    assert np.array_equal(pipeline.predict_proba(TEXTS), reference.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"as_objects": True, "classifier": LinearSVC()}, {}),
        ({"classifier": LinearSVC(fit_intercept=False)}, {}),
        ({"classifier": LogisticRegression(class_weight={"label a": 2.0})}, {}),
        ({}, {"max_features": 9}),
        ({}, {"use_idf": False, "stop_words": ["good"]}),
        ({}, {"stop_words": "english", "strip_accents": "unicode"}),
        ({}, {"vocabulary": {"good": 0, "bad": 1}}),
    ],
)
def test_unusual_settings_open(options, settings):
    """Object labels, no intercept, NumPy integers in the vocabulary and the like are data."""
    pipeline = fitted(blocks=[("word", TfidfVectorizer(**settings))], **options)
    assert load(dumped(pipeline)).predict(TEXTS).tolist() == pipeline.predict(TEXTS).tolist()


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("terms", [1, 1000, 1001])
def test_any_size_of_vocabulary_opens(terms, protocol):
    """Pickle writes a mapping by the thousand and a single last item in another way; both open."""
    texts = [f"term{i}" for i in range(terms)] * 2
    pipeline = Pipeline([("features", FeatureUnion([word()])), ("classifier", ComplementNB())])
    pipeline.fit(texts, ["a", "b"] * terms)
    vocabulary = vectorizer(load(dumped(pipeline, protocol=protocol))).vocabulary_
    assert vocabulary == vectorizer(pipeline).vocabulary_


@pytest.mark.parametrize("protocol", [4, 5])
def test_terms_of_any_length_and_characters_open(protocol):
    """A vocabulary of several frames opens, terms of more than 255 bytes among its short ones."""
    unusual = ["x" * 255, "x" * 256, "\xe9" * 127, "\xe9" * 128, "\n", "\x94K", "u", "\udc80"]
    texts = [text for number in range(2000) for text in (f"term {number}", f"{number}" * 40)]
    texts += unusual
    whole_texts = TfidfVectorizer(token_pattern="(?s).+", lowercase=False)
    pipeline = fitted(blocks=[("word", whole_texts)], texts=texts)
    vocabulary = vectorizer(load(dumped(pipeline, protocol=protocol))).vocabulary_
    assert list(vocabulary.items()) == list(vectorizer(pipeline).vocabulary_.items())
    assert set(unusual) < vocabulary.keys()


def test_arrays_are_writable_and_aligned():
    """An opened model's arrays are its own, not views of the file's bytes."""
    weights = load(dumped(fitted()))["classifier"].feature_log_prob_
    assert weights.flags.writeable
    assert weights.flags.aligned


@pytest.mark.parametrize("kind", RUNS_CODE)
def test_a_payload_is_refused_and_does_not_run(kind, tmp_path):
    """A file that would run code is refused, its code does not run, and the hint says so."""
    canary = tmp_path / "canary"
    with pytest.raises(UnsafeModel) as caught:
        load(payload(kind, canary))
    assert not canary.exists()
    assert str(caught.value).startswith("1.0.0/model.joblib holds ")
    assert "not opened" in caught.value.hint


@pytest.mark.parametrize("kind", RUNS_CODE)
def test_the_payloads_are_real(kind, tmp_path):
    """The same bytes do run their code in joblib.load, so that the test above tests something."""
    canary = tmp_path / "canary"
    joblib.load(io.BytesIO(payload(kind, canary)))
    assert canary.exists()


@pytest.mark.parametrize("kind", PROGRAMS)
def test_an_instruction_or_name_outside_the_list_is_refused(kind, tmp_path, monkeypatch):
    """Pickle instructions and names that no model needs are refused, whatever they would do."""
    monkeypatch.chdir(tmp_path)
    copyreg.add_extension("os", "system", 0xF0)
    try:
        with pytest.raises(UnsafeModel):
            load(program(PROGRAMS[kind]))
    finally:
        copyreg.remove_extension("os", "system", 0xF0)
    assert not (tmp_path / "canary").exists()


NEEDED = {
    "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "LONG_BINGET", "NONE", "NEWTRUE",
    "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINBYTES",
    "SHORT_BINUNICODE", "BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "STACK_GLOBAL",
    "NEWOBJ", "REDUCE", "BUILD",
}  # fmt: skip


def test_every_other_instruction_of_pickle_is_refused():
    """Of all instructions there are, those that models do not have are refused whatever follows."""
    spared = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
    assert len(spared) == 68
    assert {"GLOBAL", "INST", "OBJ", "NEWOBJ_EX", "EXT1", "PERSID"} <= spared.keys() - NEEDED
    for opcode in spared.keys() - NEEDED:
        with pytest.raises(UnsafeModel, match="instruction"):
            load(program(spare(spared[opcode])))


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_outside_the_list_is_refused(kind):
    """Whatever textclf does not make is refused, at any place of a model that is else in order."""
    with pytest.raises(UnsafeModel):
        load(dumped(FOREIGN[kind]()))


@pytest.mark.parametrize("kind", MISFITS)
def test_parts_that_do_not_fit_together_are_damage(kind):
    """Columns, weights and labels that contradict each other never reach scipy's unchecked code."""
    with pytest.raises(IntegrityError, match=r"1\.0\.0/model\.joblib is damaged"):
        load(dumped(MISFITS[kind]()))


@pytest.mark.parametrize("fields", HEADERS, ids=str)
def test_an_array_header_that_lies_is_refused_without_a_large_allocation(fields):
    """A header asking for more than the file holds, or for nonsense, is refused at no cost."""
    data = with_header(**fields)
    load(with_header())  # also imports what is needed
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            load(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_model_marked_for_memory_mapping_is_read():
    """``allow_mmap`` in a header changes nothing: the file is read, never mapped."""
    assert type(load(with_header(allow_mmap=True))["classifier"].class_count_) is np.ndarray


def test_arrays_without_padding_are_read():
    """As earlier versions of joblib wrote them."""
    data = with_header(numpy_array_alignment_bytes=None)
    assert (
        load(data).predict(TEXTS).tolist() == joblib.load(io.BytesIO(data)).predict(TEXTS).tolist()
    )


class Reduced:
    """What pickle writes as a call and a state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        """Return the call and the state."""
        return self.reduced


def array(*state):
    """Return what pickle writes as an array with that state."""
    return Reduced(np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, *state))


NUMBER = np.dtype("f8")


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (Reduced(np._core.multiarray.scalar, (NUMBER, bytes(7))), "is damaged"),
        (array((1,), NUMBER, False, [0.5]), "other than numbers and text"),
        (array((2, 2, 2), NUMBER, False, bytes(64)), "is damaged"),
        (array((3,), NUMBER, False, bytes(8)), "is damaged"),
        (array((1,), np.dtype(object), False, b"a"), "is damaged"),
        (array((1,), np.dtype(object), False, [1]), "that are not text"),
    ],
    ids=["a scalar", "numbers in a list", "dimensions", "a length", "objects as bytes", "objects"],
)
def test_an_array_of_a_pickle_that_lies_is_refused(made, error):
    """Whatever pickle itself would make of it."""
    with pytest.raises(IntegrityError, match=error):
        read_foreign(pickle.dumps(made), name="model.pkl")


# --- what is refused: files


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_compressed_file_is_refused_unread(kind):
    """No model is compressed, so nothing is decompressed: neither a model nor a bomb."""
    load(HARMLESS)  # also imports what is needed
    tracemalloc.start()
    with pytest.raises(UnsafeModel, match=r"holds compressed data"):
        load(COMPRESSED[kind])
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_a_file_larger_than_any_model_is_refused_unread(monkeypatch):
    """There is a limit to the size of a model file."""
    monkeypatch.setattr(unpickler, "_MAX_BYTES", 1 << 30)

    class Large(bytes):
        def __len__(self):
            return (1 << 30) + 1

    with pytest.raises(UnsafeModel, match="holds more than 1 GiB"):
        load(Large(HARMLESS))


@pytest.mark.parametrize("kind", NOT_A_MODEL)
def test_what_is_no_model_file_is_named_damaged(kind):
    """Any other file, and a model followed by something, is an error with the file's name."""
    with pytest.raises(IntegrityError, match=r"1\.0\.0/model\.joblib") as caught:
        load(NOT_A_MODEL[kind])
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("error", [RecursionError, MemoryError, SystemError])
def test_running_out_of_something_is_an_integrity_error(error, monkeypatch):
    """Even exhaustion while a file is read is the one documented error."""

    def fail(*_):
        raise error

    monkeypatch.setattr(unpickler, "check_pipeline", fail)
    with pytest.raises(IntegrityError):
        load(dumped(fitted()))


# --- damage


def smallest(classifier=None, **options):
    """The file of a model of two words."""
    small = {"texts": ["good", "bad"], "labels": "ab", "blocks": [("word", TfidfVectorizer())]}
    return dumped(fitted(classifier or LinearSVC(), as_objects=True, **small, **options))


def test_a_file_cut_off_anywhere_is_refused():
    """Of a small model no beginning opens, whatever its length."""
    data = smallest()
    load(data)
    for length in range(len(data)):
        with pytest.raises(IntegrityError):
            load(data[:length])


def test_a_byte_too_many_or_too_few_anywhere_opens_or_is_refused():
    """A file with a byte missing or repeated opens as joblib reads it, or is refused."""
    data = smallest()
    for place in range(len(data)):
        for damaged in (data[:place] + data[place + 1 :], data[: place + 1] + data[place:]):
            opens_as_joblib_does_or_is_refused(damaged)


@pytest.mark.parametrize(
    ("make", "flips"),
    [(smallest, cases(400, 1500)), (lambda: dumped(with_probabilities()), cases(100, 400))],
)
def test_a_flipped_bit_opens_or_is_refused(make, flips):
    """A flipped bit either hits a number or text, and joblib reads the same; or it is refused."""
    data = make()
    chance = random.Random(0)
    for place in chance.sample(range(len(data)), flips):
        damaged = bytearray(data)
        damaged[place] ^= 1 << chance.randrange(8)
        opens_as_joblib_does_or_is_refused(bytes(damaged))


TOKENS = [bytes([opcode]) for opcode in unpickler._Unpickler.dispatch]


@pytest.mark.parametrize("seed", range(4))
def test_instructions_thrown_about_open_or_are_refused(seed):
    """Parts of models cut, moved, repeated and sown with instructions do nothing else."""
    chance = random.Random(seed)
    models = [smallest(), dumped(with_probabilities()), dumped(fitted(SGDClassifier()))]
    for _ in range(cases(100, 300)):
        data = bytearray(chance.choice(models))
        for _ in range(chance.randint(1, 3)):
            start, length = chance.randrange(len(data)), chance.randrange(12)
            other = chance.choice(models)
            place = chance.randrange(len(other))
            data[start : start + chance.choice([0, length])] = chance.choice(
                [chance.choice(TOKENS), other[place : place + length], b""]
            )
        opens_as_joblib_does_or_is_refused(bytes(data))


def opens_as_joblib_does_or_is_refused(data):
    """What opens is a pipeline that can be used, or says that it cannot, and no other to joblib."""
    try:
        pipeline = load(data)
    except IntegrityError:
        return
    assert type(pipeline) is Pipeline
    with warnings.catch_warnings():  # of other versions, where those were hit
        warnings.simplefilter("ignore")
        reference = joblib.load(io.BytesIO(data))
        assert answers(pipeline) == answers(reference)


def answers(pipeline):
    try:
        predictor = Predictor.from_pipeline(pipeline, FIRST)
        return repr(predictor.predict(["good bad", "good", "", "word1 日本語 x"]))
    except IntegrityError as error:
        return str(error)

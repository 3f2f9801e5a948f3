"""Old model files: refused, unless --unsafe-load is typed."""

import os

import joblib
import pytest
from fitted_models import TEXTS, Pipeline, dumped, fitted
from malicious_models import Calls, in_attribute
from registries import filled, publish
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

WARNING = (
    "warning: --unsafe-load: models/1.0.0/text_classifier.joblib is opened without restrictions; "
    "any code in it runs now\n"
)


@pytest.fixture
def keep(empty):
    """Publish a file as the model of 1.0.0, promoted, with the right digest."""

    def call(data):
        registry = filled(empty / "models", versions=0)
        registry.promote(registry.resolve(publish(registry, data=data).version))

    return call


@pytest.fixture
def old(keep):
    """A model as many have one: other steps, compressed."""
    steps = [("counts", CountVectorizer()), ("model", LogisticRegression())]
    model = Pipeline(steps).fit(TEXTS, ["good", "bad"] * 30)
    keep(dumped(model, compress=3))
    return model


@pytest.fixture
def rows(empty):
    """Labelled texts."""
    (empty / "rows.csv").write_text("text,label\n" + "".join(f"{t},good\n" for t in TEXTS[:4]))
    return "rows.csv"


@pytest.mark.usefixtures("old")
def test_an_old_model_is_refused(cli, rows):
    """A model that textclf did not write is refused, and no hint suggests to open it anyway."""
    for command in (["predict", TEXTS[0]], ["evaluate", rows]):
        done = cli(*command)
        assert (done.code, done.out) == (6, "")
        assert "holds compressed data, which a model of textclf never does" in done.err
        assert "unsafe" not in done.err


def test_an_old_model_opens_where_somebody_says_so(old, cli, rows):
    """`--unsafe-load` opens whatever joblib opens, and warns each time."""
    done = cli("predict", *TEXTS[:8], "--unsafe-load", "--quiet")
    assert (done.code, done.err) == (0, WARNING)
    assert [line.split("\t")[0] for line in done.out.splitlines()] == old.predict(
        TEXTS[:8]
    ).tolist()
    done = cli("evaluate", rows, "--unsafe-load")
    assert done.code == 0
    assert done.err.startswith(WARNING)


def test_it_does_run_code(keep, cli, empty):
    """--unsafe-load runs code in the file; without it the file does nothing."""
    keep(dumped(in_attribute(empty / "canary")))
    assert cli("predict", "x").code == 6
    assert not (empty / "canary").exists()
    cli("predict", "x", "--unsafe-load")
    assert (empty / "canary").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not a model", "cannot be opened with the libraries installed here"),
        (dumped({"a": 1}), "is not a scikit-learn Pipeline"),
        (dumped(LogisticRegression()), "is not a scikit-learn Pipeline"),
        (dumped(Calls(os.getcwd)), "is not a scikit-learn Pipeline"),
        (dumped(Pipeline([("a", DummyClassifier())])), "is not a scikit-learn Pipeline"),
        (
            dumped(
                Pipeline([("a", CountVectorizer()), ("b", DummyClassifier())]).fit(
                    TEXTS, [1, 2] * 30
                )
            ),
            "is not a scikit-learn Pipeline that predicts text labels from texts",
        ),
    ],
)
def test_what_cannot_be_used_is_told_all_the_same(keep, cli, data, said):
    """With --unsafe-load, too, a file that cannot be used is an error with exit code 6."""
    keep(data)
    done = cli("predict", "x", "--unsafe-load")
    assert (done.code, done.out) == (6, "")
    assert said in done.err


@pytest.mark.usefixtures("old")
def test_the_digest_is_checked_before(cli, empty):
    """A file that differs from the published one is not opened, even with --unsafe-load."""
    joblib.dump(fitted(), empty / "models/1.0.0/text_classifier.joblib")
    done = cli("predict", "x", "--unsafe-load")
    assert done.code == 6
    assert "is not the file that was published" in done.err


@pytest.mark.parametrize(
    "settings",
    ["unsafe_load = true\n", "[predict]\nunsafe-load = true\n", "[train]\nunsafe_load = true\n"],
)
@pytest.mark.usefixtures("old")
def test_it_is_no_setting(cli, empty, settings):
    """--unsafe-load cannot be set in a file, neither at the top nor for a command."""
    (empty / "textclf.toml").write_text(settings)
    done = cli("predict", "x")
    assert (done.code, done.out) == (2, "")
    assert "cannot be a setting: it must be typed each time" in done.err


@pytest.mark.usefixtures("old")
def test_it_is_no_variable(cli, monkeypatch):
    """--unsafe-load cannot be set in the environment."""
    for name in ("TEXTCLF_UNSAFE_LOAD", "TEXTCLF_PREDICT_UNSAFE_LOAD"):
        monkeypatch.setenv(name, "1")
    assert cli("predict", "x").code == 6

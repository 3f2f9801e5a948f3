"""What a run in MLflow says of a version."""

import re

import msgspec
import pytest
import registries
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from textclf.exporters.mlflow.run import alias_of, describe_run, metric_names


def test_a_run_has_parameters_metrics_tags_and_data_sets():
    """Each class has its metrics; the digests name the metadata and the rows."""
    metadata = registries.metadata()
    run = describe_run(Version(1, 1, 0), metadata, "d" * 64)
    assert (run.name, run.model) == ("textclf 1.1.0", "v1-1-0")
    assert run.tags["textclf.metadata_sha256"] == "d" * 64
    assert run.metrics["cv_accuracy"] == metadata.best_cv_accuracy
    assert run.metrics["test_f1_neg"] == metadata.test.metrics.per_class["neg"].f1
    assert run.params["data.rows_sha256"] == metadata.data.rows_sha256
    assert [data.context for data in run.data] == ["training", "testing"]
    assert all(len(data.digest) <= 36 for data in run.data)


def test_nothing_is_longer_than_mlflow_allows():
    """A parameter that is very long is cut."""
    metadata = msgspec.structs.replace(registries.metadata(), best_params={"x": "y" * 9000})
    assert len(describe_run(Version(1, 0, 0), metadata, "d").params["x"]) == 6000


@given(st.lists(st.text(max_size=300), unique=True, max_size=20))
def test_every_label_has_a_name_of_its_own_that_mlflow_accepts(labels):
    """Whatever the labels hold, also where they differ only in case or in one odd character."""
    names = metric_names(labels)
    assert len({name.casefold() for name in names}) == len(labels)
    assert all(re.fullmatch(r"[\w.-][\w .-]*(?<! )|[\w .-]*_\d+", name, re.ASCII) for name in names)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["spam", "ham"], ["spam", "ham"]),
        (["a/b", "a:b", "a_b"], ["a_b", "a_b_2", "a_b_3"]),
        (["Yes", "yes"], ["Yes", "yes_2"]),
        (["macro", ""], ["macro_2", "_"]),
    ],
)
def test_labels_keep_their_names_where_they_can(labels, names):
    """Only what MLflow does not allow is replaced."""
    assert metric_names(labels) == names


def test_an_alias_has_no_dots():
    """MLflow allows none, and ``v1`` is its own."""
    assert alias_of(Version(10, 0, 2)) == "v10-0-2"


def test_what_is_not_known_is_left_out():
    """Of a pipeline that was fitted elsewhere there are only test rows."""
    metadata = msgspec.structs.replace(
        registries.metadata(), data=None, search=None, best_cv_accuracy=None
    )
    run = describe_run(Version(1, 0, 0), metadata, "d")
    assert not [name for name in run.params if name.startswith(("data.rows", "search."))]
    assert "cv_accuracy" not in run.metrics
    assert [data.context for data in run.data] == ["testing"]


def test_metrics_of_probabilities_are_there_if_the_model_has_them():
    """Of each label that has one."""
    metadata = registries.metadata()
    metrics = msgspec.structs.replace(
        metadata.test.metrics, roc_auc=0.9, average_precision={"neg": 0.8}
    )
    test = msgspec.structs.replace(metadata.test, metrics=metrics)
    run = describe_run(Version(1, 0, 0), msgspec.structs.replace(metadata, test=test), "d")
    assert run.metrics["test_roc_auc"] == 0.9
    assert run.metrics["test_average_precision_neg"] == 0.8
    assert "test_average_precision_pos" not in run.metrics

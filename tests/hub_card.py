"""Model cards as Hugging Face's own library reads them: ``make mlflow-test``."""

import msgspec
import pytest
import reports
from huggingface_hub import ModelCard

from textclf.report.card import card


@pytest.mark.parametrize(
    "path", ["data/test.csv", 'a"b\\c: #d.csv', '"\n---\nlicense: mit\n', "\u2028\u2029", "😀汉字"]
)
def test_the_hub_reads_what_a_card_says(path):
    """Library, task, tags and results, of a test file with any name."""
    made = reports.subject(("neg", "pos"))
    test = msgspec.structs.replace(made.metadata.test, path=path)
    metadata = msgspec.structs.replace(made.metadata, test=test)
    read = ModelCard(card(type(made)(metadata, made.data)).decode()).data
    assert (read.library_name, read.pipeline_tag) == ("sklearn", "text-classification")
    assert (read.license, read.language) == ("unknown", None)
    assert read.model_name == "text classifier 1.0.0"
    metrics = metadata.test.metrics
    assert [(r.metric_name, r.metric_value, r.dataset_name) for r in read.eval_results] == [
        ("Accuracy", metrics.accuracy, path),
        ("Macro F1", metrics.macro_f1, path),
        ("Weighted F1", metrics.weighted_f1, path),
    ]
    assert {r.dataset_revision for r in read.eval_results} == {metadata.test.sha256}

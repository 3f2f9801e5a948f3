"""The release of a version: its result, its callbacks, and what the registry contains then."""

import shutil
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import registries

from textclf.errors import DataError, StoreError, TextclfError
from textclf.metadata.versions import parse_version
from textclf.release import release as flow
from textclf.release.gate import Gate, parse_requirement
from textclf.release.publication import ReleaseCallbacks, ReleaseOptions
from textclf.release.release import ReleaseRequest, release
from textclf.report.files import CARD, DATA, PAGE, page_maker
from textclf.search.space import SpaceSource, parse_space
from textclf.training.job import SearchSettings

SAMPLE = Path(__file__).parents[2] / "data"
SPACE = parse_space(SpaceSource("grid", "[features.word]\n[classifier.ComplementNB]"))
SETTINGS = SearchSettings(SPACE, folds=2)
FIRST = parse_version("1.0.0")


@pytest.fixture
def registry(tmp_path):
    return registries.open_registry(tmp_path / "models")


@pytest.fixture
def request_(tmp_path):
    """Ask for a release from a few rows, tested on a few others."""
    for name, rows in (("train.csv", 120), ("test.csv", 30)):
        lines = (SAMPLE / name).read_text("utf-8").splitlines(keepends=True)
        (tmp_path / name).write_text("".join(lines[: rows + 1]), "utf-8")
    return ReleaseRequest(tmp_path / "train.csv", SETTINGS, test=tmp_path / "test.csv")


class Observer:
    """Records the callbacks of a release in order."""

    def __init__(self, registry):
        self.registry = registry
        self.calls = []
        self.fits = 0

    def callbacks(self):
        """Return its methods as callbacks."""
        return ReleaseCallbacks(
            on_problems=self.on_problems,
            on_plan=self.on_plan,
            search=self.search,
            on_publish=self.on_publish,
        )

    def on_problems(self, problems):
        """Note their number."""
        self.calls.append(f"{len(problems)} problems")

    def on_plan(self, plan, job):
        """Note the number."""
        self.calls.append(f"plan {plan.version}, {len(job.test)} test rows")

    @contextmanager
    def search(self, job):
        """Note the candidates, and count the fits."""
        self.calls.append(f"search of {len(job.candidates())}")
        yield self._on_fit
        self.calls.append("searched")

    def _on_fit(self, _fit):
        self.fits += 1

    def on_publish(self):
        """Note what is published already."""
        self.calls.append(f"publish after {list(map(str, self.registry.versions()))}")


def with_options(request_, **options):
    return replace(request_, options=ReleaseOptions(**options))


def test_a_first_version_is_published_and_promoted(registry, request_):
    """The result has the plan, the metadata, the location and the promotion, and no baseline."""
    result = release(registry, with_options(request_, message="first"))
    assert result.plan.version == FIRST == registry.latest()
    assert result.published == registry.metadata(FIRST)
    assert result.published.message == registry.history()[0].message == "first"
    assert result.path == registry.locate(FIRST)
    assert (result.promotion.version, result.promotion.previous) == ("1.0.0", None)
    assert (result.delta, result.refusal, result.verdict, result.kept) == (None, None, None, None)
    assert (result.job.rows, result.job.test_rows, result.job.fits) == (120, 30, 2)


def test_the_callbacks_are_called_in_order(registry, request_):
    """They get problems, plan and search, and are called before the publication."""
    observer = Observer(registry)
    release(registry, request_, callbacks=observer.callbacks())
    assert observer.calls == [
        "0 problems", "plan 1.0.0, 30 test rows", "search of 1", "searched", "publish after []",
    ]  # fmt: skip
    assert observer.fits == 2


def test_nothing_is_trained_where_nothing_changed(registry, request_):
    """The plan has no number and names the base; nothing else is done."""
    release(registry, request_)
    observer = Observer(registry)
    result = release(registry, request_, callbacks=observer.callbacks())
    assert result.plan.version is None
    assert (result.plan.bump.base, result.published, result.promotion) == ("1.0.0", None, None)
    assert observer.calls == ["0 problems"]
    assert registry.versions() == [FIRST]


def test_a_dry_run_only_plans(registry, request_):
    """It says which number the version would get, and writes nothing."""
    result = release(registry, with_options(request_, dry_run=True))
    assert (result.plan.version, result.published) == (FIRST, None)
    assert registry.versions() == []


def test_a_refused_version_is_published_and_not_promoted(registry, request_):
    """The refusal is returned with its verdict and the command that promotes anyway."""
    release(registry, request_)
    gate = Gate((parse_requirement("accuracy=1"),))
    result = release(registry, with_options(request_, bump="patch", gate=gate))
    assert result.published.version == "1.0.1"
    assert result.promotion is None
    assert result.verdict == result.refusal.verdict
    assert result.refusal.hint.startswith('textclf promote 1.0.1 --force -m "why"')
    assert registry.latest() == FIRST
    assert result.delta.against == "1.0.0"
    assert {change.delta for change in result.delta.metrics} == {0.0}
    forced = with_options(request_, bump="patch", gate=gate, force=True, message="why")
    assert release(registry, forced).verdict.verdict == "forced"
    assert str(registry.latest()) == "1.0.2"


def test_a_version_need_not_be_promoted(registry, request_):
    """Without promotion the gate does not judge, and the alias does not change."""
    gate = Gate((parse_requirement("accuracy=1"),))
    result = release(registry, with_options(request_, promote=False, gate=gate))
    assert (result.promotion, result.refusal, result.verdict) == (None, None, None)
    assert registry.latest() is None


def test_the_baseline_is_scored_on_the_new_test_rows(registry, request_, tmp_path):
    """Rows that the promoted version was trained on are reported; on the same rows nothing is."""
    assert release(registry, request_).delta is None
    seen = replace(request_, test=tmp_path / "train.csv")
    delta = release(registry, seen).delta
    assert (delta.against, delta.train_overlap, delta.unavailable_reason) == ("1.0.0", 1.0, None)
    assert len(delta.per_class) == 3


def test_a_baseline_that_cannot_be_opened_has_a_reason(registry, request_, tmp_path):
    """The release goes on, without differences."""
    release(registry, request_)
    scorer = tmp_path / "models/1.0.0/scorer.safetensors"
    scorer.write_bytes(b"\xff" * scorer.stat().st_size)
    other = replace(request_, test=None, test_share=0.5)
    delta = release(registry, other).delta
    assert delta.metrics == delta.per_class == []
    assert "scorer.safetensors" in delta.unavailable_reason


def test_the_pages_are_made_for_the_number_that_the_version_gets(registry, request_, monkeypatch):
    """They do not show the planned number if another process has taken it."""
    train = flow.train

    def slow(*args, **settings):
        done = train(*args, **settings)
        release_other()
        return done

    def release_other():
        monkeypatch.setattr(flow, "train", train)
        release(registry, request_)

    monkeypatch.setattr(flow, "train", slow)
    result = release(registry, request_, report=partial(page_maker, texts=False))
    assert result.published.version != "1.0.0"
    version = parse_version(result.published.version)
    assert f"Version {version}".encode() in registry.file(version, PAGE)
    assert f"# Text classifier {version}".encode() in registry.file(version, CARD)
    assert registry.file(version, DATA)


def test_data_that_cannot_be_trained_on_is_refused(registry, request_, tmp_path):
    """The error names the file, and the hint the command that shows all problems."""
    (tmp_path / "train.csv").write_text("text,label\ngood,x\nbad,x\nworse,x\n")
    with pytest.raises(DataError, match=r"train\.csv") as said:
        release(registry, request_)
    assert said.value.hint.startswith("textclf check ")
    assert registry.versions() == []


def test_a_registry_that_cannot_be_written_is_refused_before_training(
    registry, request_, tmp_path, monkeypatch
):
    """The error is raised before the search starts."""
    (tmp_path / "models").write_text("a file")
    monkeypatch.setattr(flow, "train", lambda *_, **__: pytest.fail("it was trained"))
    with pytest.raises(StoreError):
        release(registry, request_)


def test_what_fails_after_the_publication_says_how_to_go_on(registry, request_, tmp_path):
    """A version that is published stays, and the hint names its promotion."""
    release(registry, request_)
    promotions = tmp_path / "models/.registry/promotions"
    shutil.rmtree(promotions)
    promotions.write_text("damaged")
    with pytest.raises(TextclfError) as said:
        release(registry, with_options(request_, bump="patch"))
    assert said.value.hint == "1.0.1 is published; to promote it: textclf promote 1.0.1"


def test_what_is_only_published_does_not_depend_on_what_is_promoted(registry, request_, tmp_path):
    """A promoted version that is damaged stays for verify to name."""
    release(registry, request_)
    (tmp_path / "models/1.0.0/text_classifier.joblib").write_bytes(b"")
    (tmp_path / "models/text_classifier.joblib").unlink()
    result = release(registry, with_options(request_, promote=False, bump="patch"))
    assert (str(result.plan.version), result.kept) == ("1.0.1", None)
    assert not (tmp_path / "models/text_classifier.joblib").exists()

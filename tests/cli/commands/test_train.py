"""`textclf train`: files, version numbers, errors and progress."""

import hashlib
import json

import pytest
import registries

from textclf.metadata.versions import parse_version
from textclf.search.writing import WORDS_WITH_MARKS

GRID = """\
[features.word]
ngram_range = [[1, 1]]

[classifier.LinearSVC]
C = [0.5, 1]
"""


def files(folder):
    """Return every file below a folder with its digest."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_dry_run_writes_nothing_and_says_the_number(project, cli):
    """--dry-run says what would be published, and changes no file."""
    before = files(project)
    done = cli("train", "--dry-run", "--bump", "minor", "-m", "x")
    assert done.code == 0
    assert done.out.startswith("would publish 1.1.0 (minor by --bump; nothing changed since 1.0.1)")
    answer = json.loads(cli("train", "--dry-run", "--bump", "major", "--json").out)
    assert (answer["dry_run"], answer["version"]) == (True, "2.0.0")
    assert (answer["candidates"], answer["fits"], answer["rows"]) == (8, 40, 60)
    assert files(project) == before


def test_dry_run_makes_no_folder(data, cli):
    """--dry-run before the first version does not create the models folder."""
    assert "would publish 1.0.0" in cli("train", "--dry-run").out
    assert not (data / "models").exists()


def test_unchanged_makes_no_version(project, cli):
    """If nothing changed there is no new version, exit code 0, and a hint how to force one."""
    before = files(project)
    done = cli("train")
    assert (done.code, done.out) == (0, "nothing changed since 1.0.1: no new version\n")
    assert done.err == "hint: --bump patch publishes a version anyway\n"
    answer = json.loads(cli("train", "--json").out)
    assert (answer["version"], answer["published"], answer["promoted"]) == ("1.0.1", False, True)
    assert files(project) == before


@pytest.mark.parametrize(
    ("bump", "number"), [("patch", "1.0.2"), ("minor", "1.1.0"), ("major", "2.0.0")]
)
def test_an_explicit_bump_overrides(project, cli, bump, number):
    """--bump publishes even if nothing changed; earlier versions stay as they are."""
    before = {name: digest for name, digest in files(project / "models").items() if name[0] == "1"}
    answer = json.loads(cli("train", "--bump", bump, "--json").out)
    assert answer["version"] == number
    assert answer["bump"]["requested"] == answer["bump"]["applied"] == bump
    assert before.items() <= files(project / "models").items()


def test_auto_says_which_rule_fired(project, cli, write_data):
    """Auto names its reasons: patch for some rows, minor for the search, major for new data."""
    train = project / "data/train.csv"
    train.write_text(train.read_text() + "splendid and superb,positive\n")
    assert "would publish 1.0.2 (patch: some training rows" in cli("train", "--dry-run").out
    assert "1.1.0 (minor: seed: 0 → 7" in cli("train", "--dry-run", "--seed", "7").out
    train.write_text(train.read_text() + "hm,odd\n" * 5)
    assert "2.0.0 (major: labels changed: added odd" in cli("train", "--dry-run").out
    write_data(train, 60, seed=5)
    assert "2.0.0 (major: a new data set" in cli("train", "--dry-run").out


@pytest.mark.usefixtures("project")
def test_auto_is_told_where_another_bump_is_asked(cli):
    """A smaller bump than auto would choose is made, with a hint."""
    done = cli("train", "--seed", "7", "--bump", "patch")
    assert "published 1.0.2" in done.out
    assert "hint: auto would make this a minor version" in done.err


@pytest.mark.usefixtures("project")
def test_from_goes_on_from_an_older_line(cli):
    """--from an older version takes the next number of its line and records its base."""
    assert cli("train", "--bump", "major", "-q").code == 0
    answer = json.loads(cli("train", "--from", "v1.0.0", "--bump", "patch", "--json").out)
    assert answer["version"] == "1.0.2"
    assert answer["bump"]["base"] == "1.0.0"
    assert json.loads(cli("train", "--bump", "patch", "--json").out)["version"] == "2.0.1"


def test_no_promote_leaves_latest(project, cli):
    """It publishes and does not change the alias or the log; the next training says so, too."""
    alias = (project / "models/text_classifier.joblib").read_bytes()
    done = cli("train", "--bump", "patch", "--no-promote")
    assert "hint: not promoted; to promote it: textclf promote 1.0.2" in done.err
    assert "promoted" not in done.out
    assert (project / "models/text_classifier.joblib").read_bytes() == alias
    assert len(json.loads(cli("history", "--json").out)) == 2
    answer = json.loads(cli("train", "--bump", "patch", "--no-promote", "--json").out)
    assert answer["promoted"] is False
    unchanged = cli("train", "--from", "1.0.2")
    assert "nothing changed since 1.0.2: no new version" in unchanged.out
    assert "hint: 1.0.2 is not promoted; to promote it: textclf promote 1.0.2" in unchanged.err


@pytest.mark.usefixtures("project")
def test_the_message_is_kept(cli):
    """The message given with -m is in the metadata, the list and the promotion log."""
    message = 'caf\u00e9 "quoted"\n\x1b[31mred'
    assert cli("train", "--bump", "patch", "-m", message).code == 0
    assert json.loads(cli("versions", "show", "1.0.2", "--json").out)["message"] == message
    assert json.loads(cli("history", "--json").out)[-1]["message"] == message
    shown = cli("versions", "list").out + cli("history").out + cli("versions", "show", "1.0.2").out
    assert "\x1b" not in shown
    assert "\\n\\x1b[31mred" in shown


def test_test_rows_come_from_the_sibling_a_file_or_a_split(data, cli, write_data):
    """test.csv beside train.csv is used; --test names another; --test-size splits some off."""

    def plan(*options):
        answer = json.loads(cli("train", "--dry-run", "--json", *options).out)
        return answer["rows"], answer["test_rows"]

    write_data(data / "other.csv", 9, seed=3)
    assert plan() == (60, 12)
    assert plan("--test", "other.csv") == (60, 9)
    assert plan("--test-size", "0.25") == (43, 17)
    (data / "data/test.csv").unlink()
    assert plan() == (45, 15)
    (data / "data/train.csv").rename(data / "data/rows.csv")
    write_data(data / "data/test.csv", 9, seed=3)
    assert plan("data/rows.csv") == (45, 15)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id,text\n1,a\n2,b\n", 'has no column "label"; its columns are id, text'),
        ("text\na\nb\n", 'has no column "label"; its columns are text'),
        ("text,label\na,\nb,\n", "no row of data/test.csv has a label"),
    ],
)
def test_a_test_file_without_labels_is_not_used(data, cli, content, problem):
    """A test.csv as competitions have it: train and check say why it is read, and split instead."""
    (data / "data/test.csv").write_text(content)
    done = cli("train", "--dry-run", "--json")
    assert json.loads(done.out)["test_rows"] == 15
    why = "so it is not used as test data, although it is beside the training data"
    assert f"{why}: a share of the rows is split off" in done.err
    assert problem in done.err
    done = cli("check", "--json")
    assert [one["kind"] for one in json.loads(done.out)["problems"]] == ["unlabelled-test"]
    named = cli("train", "--dry-run", "--test", "data/test.csv")
    assert (named.code, "lies beside" in named.err) == (4, False)


def test_a_test_file_that_cannot_be_read_says_why_it_is(data, cli):
    """Another fault of a test.csv that nobody named is an error, with the way around the file."""
    (data / "data/test.csv").write_bytes(b"\0\xff")
    done = cli("train", "--dry-run")
    assert done.code == 4
    assert "because it is beside the training data; --test-size 20% splits" in done.err


@pytest.mark.parametrize("command", ["train --dry-run", "check"])
@pytest.mark.parametrize("name", ["test.csv", "held_out.csv"], ids=["beside", "named"])
@pytest.mark.parametrize("content", ["Comment,Kind\na,b\n", "a,b\nc,b\n"], ids=["names", "none"])
def test_test_data_has_the_columns_of_the_training_data(data, cli, command, name, content):
    """Options name the columns of both, so the hint is not to name those of the test data."""
    (data / "data" / name).write_text(content)
    named = ["--test", f"data/{name}"] if name != "test.csv" else []
    done = cli(*command.split(), *named)
    assert (done.code, f"data/{name}" in done.err) == (4, True)
    assert 'hint: call its columns "text" and "label", as in the training data' in done.err


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "1.5", "nan", "inf", "x"])
@pytest.mark.usefixtures("data")
def test_a_test_size_that_is_no_share_is_refused(cli, share):
    """--test-size takes a share between 0 and 1, exclusive."""
    done = cli("train", "--dry-run", "--test-size", share)
    assert (done.code, done.out) == (2, "")
    assert "--test-size" in done.err


@pytest.mark.usefixtures("data")
def test_a_split_that_leaves_a_label_out_is_bad_data(cli):
    """A share that is too small for the labels is refused with a hint."""
    done = cli("train", "--test-size", "0.01")
    assert done.code == 4
    assert "hint: use more rows, a test file (--test FILE) or another --test-size" in done.err


def test_a_grid_is_searched(data, cli):
    """--grid defines the candidates, and the winner is one of them."""
    (data / "grid.toml").write_text(GRID)
    answer = json.loads(cli("train", "--grid", "grid.toml", "--json").out)
    assert [c["params"]["classifier__C"] for c in answer["search"]["candidates"]] == [0.5, 1]
    assert answer["best_params"]["classifier__C"] in (0.5, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ngram_range", "ngram_rang", "grid.toml:2: unknown name 'features.word.ngram_rang'"),
        ("LinearSVC", "LinearSVM", "grid.toml:4: unknown name 'classifier.LinearSVM'"),
        ("C = [0.5, 1]", "C = [0.5, -1]", "grid.toml:5: "),
        ("C = [0.5, 1]", 'C = "big"', "grid.toml:5: "),
        ("C = [0.5, 1]", "CC = 1", "grid.toml:5: LinearSVC has no parameter 'CC'"),
        (
            "C = [0.5, 1]",
            "C = []",
            "grid.toml:5: the list of classifier.LinearSVC.C has no alternatives",
        ),
        ("C = [0.5, 1]", "C = 0.5 1", "grid.toml:5: not TOML"),
        ("[[1, 1]]", "[1, 2]", "grid.toml:2: ngram_range takes pairs of numbers"),
        ("[features.word]", "[feature.word]", "grid.toml:1: unknown name 'feature'"),
    ],
)
def test_an_error_in_the_grid_is_named_with_its_line(data, cli, old, new, said):
    """What scikit-learn would refuse is refused before training, with file and line."""
    (data / "grid.toml").write_text(GRID.replace(old, new))
    done = cli("train", "--grid", "grid.toml")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not (data / "models").exists()


@pytest.mark.parametrize("grid", ["none.toml", "data", "binary.toml"])
def test_a_grid_that_cannot_be_read(data, cli, grid):
    """A search space that does not exist, is a folder or is not text is a usage error."""
    (data / "binary.toml").write_bytes(b"\xff\xfe\x00")
    done = cli("train", "--grid", grid)
    assert done.code == 2
    assert grid in done.err


def test_bad_rows_stop_or_are_skipped_and_counted(data, cli):
    """Bad rows are an error; with --on-bad-rows skip they are left out and counted."""
    train = data / "data/train.csv"
    train.write_text(train.read_text() + ",positive\nno label,\n")
    assert cli("train").code == 4
    assert not (data / "models").exists()
    done = cli("train", "--on-bad-rows", "skip", "--json")
    answer = json.loads(done.out)
    assert (answer["data"]["rows"], answer["data"]["skipped_rows"]) == (60, 2)
    assert "warning: left out 2 rows of 62 that cannot be used: data/train.csv:62: " in done.err
    assert [row["reason"] for row in answer["data"]["bad_rows"]] == ["empty text", "no label"]


def test_labels_with_one_row_are_named_and_can_be_left_out(data, cli):
    """A label with one row is warned of by name, refused or left out; reproduce leaves it out."""
    train = data / "data/train.csv"
    train.write_text(train.read_text() + "one,rare\n")
    done = cli("train", "--dry-run", "--json")
    assert "warning: the data has 1 label with fewer rows than the 5 folds" in done.err
    assert "rare: 1 row" in done.err
    assert cli("train", "--min-rows-per-label", "2").code == 4
    done = cli("train", "--drop-small-labels", "--json")
    record = json.loads(done.out)["data"]
    assert (record["rows"], record["dropped_labels"]) == (60, {"rare": 1})
    assert "warning: left out 1 row of data/train.csv with labels that have too few" in done.err
    assert cli("reproduce", "1.0.0", "--exact").code == 0


def test_an_overlap_with_the_test_rows_is_warned_of(data, cli):
    """Test rows that are also training rows are warned of, with their lines."""
    train, test = data / "data/train.csv", data / "data/test.csv"
    test.write_text(test.read_text() + train.read_text().splitlines()[1] + "\n")
    done = cli("train", "--dry-run")
    assert "warning: the test set shares 1 text with the training set" in done.err
    assert "data/test.csv:14" in done.err
    assert done.code == 0


def test_data_that_cannot_be_trained_on_is_refused(data, cli):
    """One label only, or fewer rows than folds, is bad data; the hint names `check`."""
    (data / "one.csv").write_text("text,label\n" + "".join(f"t{n},a\n" for n in range(30)))
    done = cli("train", "one.csv")
    assert done.code == 4
    assert "a classifier needs two labels" in done.err
    assert "hint: textclf check one.csv" in done.err
    assert cli("train", "--cv", "50").code == 4
    assert not (data / "models").exists()


def test_a_foreign_model_in_the_aliass_place_is_kept(data, cli):
    """Promoting over a file that textclf did not write keeps that file and says where."""
    (data / "models").mkdir()
    (data / "models/text_classifier.joblib").write_bytes(b"somebody's model")
    done = cli("train", "--json")
    kept = done.err.rsplit("kept as ", 1)[1].strip()
    assert (data / kept).read_bytes() == b"somebody's model"
    model = (data / "models/1.0.0/text_classifier.joblib").read_bytes()
    assert (data / "models/text_classifier.joblib").read_bytes() == model
    assert json.loads(done.out)["promoted"] is True


@pytest.mark.usefixtures("data")
def test_progress_in_a_pipe_is_plain_lines(cli, monkeypatch):
    """In a pipe, progress is plain lines: fits done, the best score so far, time left."""
    for name in ("_SECONDS_BETWEEN_LINES", "_TICK"):
        monkeypatch.setattr(f"textclf.cli.output.progress.{name}", 0.0)
    done = cli("train")
    lines = [line for line in done.err.splitlines() if "/40 fits" in line]
    assert len(lines) > 1
    assert lines[-1].startswith("40/40 fits, best ")
    assert "\r" not in done.err


@pytest.mark.usefixtures("data")
def test_force_color_makes_no_animation_in_a_pipe(cli, monkeypatch):
    """In a pipe there is no animation, even with FORCE_COLOR."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = cli("train")
    assert done.code == 0
    assert "\x1b" not in done.out + done.err


def test_what_scikit_learn_warns_of_is_told_once(data, cli):
    """Each warning of scikit-learn is one line on stderr with the number of candidates."""
    (data / "grid.toml").write_text(GRID.replace("C = [0.5, 1]", "max_iter = [1, 1000]"))
    done = cli("train", "--grid", "grid.toml", "--json")
    assert done.code == 0
    assert done.err.count("Liblinear failed to converge") == 1
    assert "warning: 1 of 2 candidates: " in done.err


def test_no_candidate_that_fits_is_an_error(data, cli):
    """If no candidate can be fitted, nothing is published and the error gives the reason."""
    (data / "grid.toml").write_text(GRID.replace("[[1, 1]]", "[[1, 1]]\nmin_df = 10000"))
    done = cli("train", "--grid", "grid.toml")
    assert done.code == 4
    assert "no candidate of the search space could be fitted" in done.err
    assert not (data / "models/1.0.0").exists()


@pytest.mark.usefixtures("data")
def test_a_models_folder_that_is_not_text_is_told_escaped(cli):
    """Escape sequences in the name of the models folder are shown escaped."""
    done = cli("train", "--models", "m\x1b[31m")
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "m\\x1b[31m/1.0.0/text_classifier.joblib" in done.out


def test_a_models_folder_that_is_not_utf_8(data, cli):
    """A models folder whose name is not UTF-8 works, and the JSON is valid."""
    odd = b"caf\xe9".decode(errors="surrogateescape")
    answer = json.loads(cli("train", "--models", odd, "--json").out)
    assert answer["path"] == "caf\\udce9/1.0.0/text_classifier.joblib"
    assert (data / odd / "1.0.0/metadata.json").is_file()


@pytest.mark.parametrize("command", ["train", "check"])
def test_without_data_it_is_said_what_to_give(tmp_path, monkeypatch, cli, command):
    """Without data the error says what a data file looks like."""
    monkeypatch.chdir(tmp_path)
    done = cli(command)
    assert done.code == 4
    assert "the default data/train.csv does not exist" in done.err
    assert "hint: name a file with the columns text and label" in done.err
    assert list(tmp_path.iterdir()) == []


PLAN = ("train", "--dry-run", "--json", "--bump", "minor")


def test_a_preset_is_a_search_space_of_textclf(project, cli):
    """Each preset has its number of candidates; --preset and --grid exclude each other."""
    counts = [
        json.loads(cli(*PLAN, "--preset", name).out)["candidates"]
        for name in ("fast", "default", "thorough")
    ]
    assert counts == sorted(set(counts))
    bare = json.loads(cli(*PLAN).out)["candidates"]
    assert bare == counts[1]
    (project / "grid.toml").write_text(GRID)
    both = cli("train", "--grid", "grid.toml", "--preset", "fast")
    assert both.code == 2
    assert "exclude each other" in both.err


THINGS = ("房间", "电池", "这本书", "iPhone", "屏幕", "耳机", "早餐", "快递")
SAID = {"好": ("很好用", "不贵", "比想象中好"), "差": ("不好用", "太贵了", "没有想象中好")}


def chinese(path, *, english=0):
    """Write Chinese reviews without spaces, whose words are in both labels, and some in English."""
    rows = [
        f"{start}{thing}{said}。,{label}"
        for label, sayings in SAID.items()
        for said in sayings
        for thing in THINGS
        for start in ("", "我的")
    ]
    rows += [f"the room number {n} was {s},{s}" for n in range(english // 2) for s in SAID]
    path.write_text("\n".join(["text,label", *rows]), "utf-8")


def test_where_words_have_no_spaces_presets_search_characters(data, cli):
    """`train` says so and why, records that space, and the version explains and reproduces."""
    chinese(data / "zh.csv")
    done = cli("train", "zh.csv", "--preset", "fast", "--cv", "2")
    why = "character n-grams, since most of the texts are written without spaces between words"
    assert f"\n  {why} (Han)\n" in done.out
    shown = json.loads(cli("versions", "show", "latest", "--json").out)
    assert [list(grid["features"]) for grid in shown["search"]["space"]] == [["char"]]
    assert shown["best_cv_accuracy"] > 0.9
    assert cli("train", "zh.csv", "--preset", "fast", "--cv", "2").out.startswith("nothing changed")
    explained = cli("predict", "--explain", "我的早餐太贵了").out
    assert explained.startswith("差")
    assert "'太贵了'" in explained or "'太贵'" in explained
    assert cli("reproduce", "latest").code == 0


def test_where_vowel_signs_are_combining_marks_presets_search_whole_words(data, cli):
    """`train` says so, records the pattern, and the version explains whole words and reproduces."""
    said = {"अच्छा": ("अच्छी", "बढ़िया", "सुंदर"), "बुरा": ("ख़राब", "बेकार", "महँगी")}
    rows = [f"{n} {film} {word} थी।,{label}" for label, words in said.items() for word in words
            for film in ("फ़िल्म", "कहानी", "किताब") for n in range(3)]  # fmt: skip
    (data / "hi.csv").write_text("\n".join(["text,label", *rows]), "utf-8")
    done = cli("train", "hi.csv", "--preset", "fast", "--cv", "2")
    why = "words with their combining marks, such as vowel signs, which 100% of the texts have"
    assert f"\n  {why}\n" in done.out
    shown = json.loads(cli("versions", "show", "latest", "--json").out)
    [grid] = shown["search"]["space"]
    assert grid["features"]["word"]["token_pattern"] == [WORDS_WITH_MARKS]
    assert "  बेकार\n" in cli("predict", "--explain", "किताब बेकार थी।").out
    assert cli("reproduce", "latest").code == 0


def test_texts_with_and_without_spaces_get_both_kinds_of_n_grams(data, cli):
    """A plan says so, too, and what --grid says is searched as it is."""
    chinese(data / "mixed.csv", english=96)
    plan = cli("train", "mixed.csv", "--preset", "fast", "--dry-run").out
    assert "8 candidates" in plan
    assert "word and character n-grams, since some of the texts are written" in plan
    (data / "grid.toml").write_text(GRID)
    assert "characters" not in cli("train", "mixed.csv", "--grid", "grid.toml", "--dry-run").out


def unequal(path, largest):
    """Write a label with as many rows and one with two; return how they are trained on."""
    rows = [f"text {n} of many,common" for n in range(largest)] + ["some words,rare", "words,rare"]
    path.write_text("\n".join(["text,label", *rows]))
    return "train", path.name, "--test", path.name, "--preset", "fast", "--cv", "2", "-q"


@pytest.mark.parametrize(("largest", "is_balanced"), [(39, 0), (40, 1), (398, 1), (399, 0)])
def test_very_unequal_labels_of_few_rows_are_weighted_too(data, cli, largest, is_balanced):
    """From twenty times the rows on, and up to 200 for each label, a preset has such candidates."""
    plan = cli(*unequal(data / "u.csv", largest), "--dry-run").out
    assert f"{8 if is_balanced else 4} candidates" in plan
    assert ("class_weight=balanced, since" in plan) == is_balanced


def test_balanced_weights_are_recorded_and_reproduced(data, cli):
    """The candidates of a preset with balanced weights are in the metadata, as searched."""
    found = json.loads(cli(*unequal(data / "u.csv", 40), "--json").out)["search"]
    weights = [one["params"].get("classifier__class_weight") for one in found["candidates"]]
    assert weights == [None] * 4 + ["balanced"] * 4
    assert cli("reproduce", "latest").code == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--search", "race", "--scoring", "f1_macro"], "cannot use --scoring f1_macro"),
        (["--backend", "dask"], "needs the address of a scheduler"),
        (["--scheduler", "host:8786"], "needs --backend dask"),
        (["--jobs", "0"], "--jobs takes a number"),
    ],
)
def test_flags_that_do_not_go_together(cli, flags, says):
    """Contradicting options are refused before anything is read."""
    outcome = cli("train", *flags)
    assert outcome.code == 2
    assert says in outcome.err
    assert outcome.err.count("error:") == 1


@pytest.mark.usefixtures("project")
def test_a_sample_is_told(cli):
    """The output says how many rows are searched, and that all rows train the model."""
    outcome = cli("train", "--sample", "40", "--cv", "2", "--seed", "3")
    assert outcome.code == 0
    assert "a sample of 40 rows, and the model is trained on all 60" in outcome.err


def test_after_the_highest_number_a_training_says_how_to_go_on(project, cli):
    """An empty folder reserves its number alone; a logged version at the end has no successor."""
    (project / "models/999999999.0.0").mkdir()
    planned = cli("train", "--bump", "major", "--dry-run")
    assert planned.code == 0
    assert "2.0.0" in planned.out
    registry = registries.open_registry(project / "models")
    registry.events.append_event("imported", parse_version("999999999.0.0"))
    refused = cli("train", "--bump", "major", "--dry-run")
    assert (refused.code, refused.out) == (1, "")
    assert "no major number follows 999999999.0.0" in refused.err
    assert "hint: textclf train --from VERSION --bump minor" in refused.err
    going_on = cli("train", "--from", "1.0.1", "--bump", "minor", "--dry-run")
    assert (going_on.code, "1.1.0" in going_on.out) == (0, True)

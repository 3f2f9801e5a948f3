"""Settings from files, the environment and flags."""

import pytest


def models_named_by(done):
    """Return the folder that an empty `versions list` names."""
    assert done.code == 0
    return done.err.removeprefix("hint: no versions in ").split(" yet")[0]


@pytest.fixture
def settings(empty):
    """Write textclf.toml."""
    return (empty / "textclf.toml").write_text


@pytest.fixture
def shared(empty):
    """Write pyproject.toml."""
    return (empty / "pyproject.toml").write_text


def test_a_flag_beats_the_environment_beats_the_file(settings, cli, monkeypatch):
    """--models, then TEXTCLF_MODELS, then the file, then the default."""
    assert models_named_by(cli("versions", "list")) == "models"
    settings('models = "of-file"\n')
    assert models_named_by(cli("versions", "list")) == "of-file"
    monkeypatch.setenv("TEXTCLF_MODELS", "of-environment")
    assert models_named_by(cli("versions", "list")) == "of-environment"
    assert models_named_by(cli("versions", "list", "--models", "of-flag")) == "of-flag"


def test_pyproject_is_read_where_there_is_no_textclf_toml(settings, shared, cli):
    """[tool.textclf] applies only if there is no textclf.toml."""
    shared('[tool.other]\nx = 1\n[tool.textclf]\nmodels = "of-pyproject"\n')
    assert models_named_by(cli("versions", "list")) == "of-pyproject"
    settings("")
    assert models_named_by(cli("versions", "list")) == "models"


def test_a_table_holds_for_its_command_only(settings, cli):
    """A command's table takes precedence over the top level, and applies to that command only."""
    settings('models = "all"\n[versions]\nmodels = "only-versions"\n')
    assert models_named_by(cli("versions", "list")) == "only-versions"
    assert cli("promote", "1.0.0", "--models", "x").code == 3
    assert cli("verify").out.startswith("all does not exist")


def test_a_table_may_be_written_in_capitals(settings, cli):
    """Names of commands and options may be written in capitals."""
    settings('MODELS = "all"\n[Versions]\nModels = "only-versions"\n')
    assert models_named_by(cli("versions", "list")) == "only-versions"


def test_dashes_and_underscores_are_alike(data, settings, cli):
    """`dry-run` and `dry_run` name the same option; flags are booleans."""
    settings("[train]\ndry-run = true\ntest_size = 0.5\n")
    assert "tested on 33 rows" in cli("train").out
    settings('[train]\ndry_run = true\ntest-size = 0.5\nscoring = "f1_macro"\n')
    done = cli("train", "--test-size", "0.2")
    assert "tested on 15 rows" in done.out
    assert not (data / "models").exists()


EXCLUDING = [
    ('test = "data/test.csv"', "test-size = 0.2", "tested on 15 rows"),
    ("test-size = 0.2", 'test = "data/test.csv"', "tested on 12 rows"),
    ('grid = "grid.toml"', 'preset = "fast"', "; 4 candidates"),
    ('preset = "fast"', 'grid = "grid.toml"', "; 1 candidate "),
]
"""A setting, an option that excludes it, and what is said where that is typed."""


def test_of_two_that_exclude_each_other_the_typed_one_counts(data, settings, cli):
    """Two that are both settings are refused like two that are both typed."""
    (data / "grid.toml").write_text("[features.word]\n[classifier.ComplementNB]\n")
    for setting, other, said in EXCLUDING:
        settings(f"[train]\n{setting}\n")
        name, value = other.replace('"', "").split(" = ")
        assert said in cli("train", "--dry-run", f"--{name}", value).out
        settings(f"[train]\n{setting}\n{other}\n")
        done = cli("train", "--dry-run")
        assert (done.code, "exclude each other" in done.err) == (2, True)


def test_a_default_data_set_can_be_set(data, settings, cli):
    """The training data can be set like an option."""
    (data / "data").rename(data / "elsewhere")
    settings('data = "elsewhere/train.csv"\n')
    assert "60 rows" in cli("check").out


def test_json_and_quiet_can_be_set(settings, cli):
    """--json and --quiet can be set for all commands."""
    settings("json = true\nquiet = true\n")
    done = cli("versions", "list")
    assert (done.out, done.err) == ("[]\n", "")


def test_what_must_be_typed_is_no_setting(settings, cli):
    """`version` sets predict --version, and never the argument of promote."""
    settings('version = "1.0.0"\n')
    done = cli("promote")
    assert done.code == 2
    assert "missing argument 'VERSION'" in done.err
    settings('[promote]\nversion = "1.0.0"\n')
    assert cli("promote").code == 2


@pytest.mark.usefixtures("project")
def test_data_at_the_top_is_not_what_a_gate_is_judged_by(settings, cli):
    """`data` at the top level is training data; --data of other commands has its own table."""
    settings('data = "data/train.csv"\n')
    assert "metric" in cli("versions", "compare", "1.0.0", "1.0.1").out
    assert "scored on" not in cli("promote", "1.0.0", "--require", "accuracy=0").out
    settings('data = "data/train.csv"\n[promote]\ndata = "data/test.csv"\n')
    assert "scored on 12 rows" in cli("promote", "1.0.1", "--require", "accuracy=0").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'model = "x"\n',
            ["textclf.toml: no command has an option 'model'", "did you mean 'models'?"],
        ),
        ("[trian]\nseed = 1\n", ["there is no command 'trian'", "did you mean 'train'?"]),
        ("[train]\nsede = 1\n", ["train has no option 'sede'", "did you mean 'seed'?"]),
        ("[promote]\nseed = 1\n", ["promote has no option 'seed'"]),
        ("zzz = 1\n", ["no command has an option 'zzz'", "hint: see textclf --help"]),
        ("seed = \n", ["textclf.toml: not TOML", "line 1"]),
        ('seed = "abc"\n', ["textclf.toml: seed: 'abc' is not a valid"]),
        ("[train]\nseed = -1\n", ["textclf.toml: seed: -1 is not in the range"]),
        ("jobs = 1.5\n", ["textclf.toml: jobs: '1.5' is not a valid int"]),
        ("cv = true\n", ["textclf.toml: cv: "]),
        ("require = [[1]]\n", ["textclf.toml: require: takes one value, not a list or a table"]),
        ('require = "f1"\n', ["'f1' is not a requirement"]),
        ("max_regression = 2\n", ["textclf.toml: max_regression: '2' is not between 0 and 1"]),
        ("seed = [1, 2]\n", ["textclf.toml: seed: takes one value, not a list or a table"]),
        ('models = ["a"]\n', ["textclf.toml: models: takes one value, not a list or a table"]),
        ('scoring = "nope"\n', ["textclf.toml: scoring: 'nope' is not one of"]),
        ('json = "maybe"\n', ["textclf.toml: json: 'maybe' is not a valid boolean"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(settings, cli, text, said):
    """Unknown keys, wrong types and broken TOML are errors of usage that name the file."""
    settings(text)
    done = cli("train", "--dry-run")
    assert (done.code, done.out) == (2, "")
    assert all(part in done.err for part in said), done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool = 3\n[project]\n", None),
        ("[tool]\ntextclf = 3\n", "pyproject.toml: tool.textclf is not a table"),
        (
            '[tool.textclf]\nmodls = "x"\n',
            "[tool.textclf] of pyproject.toml: no command has an option",
        ),
        ("[tool.textclf\n", "pyproject.toml: not TOML"),
    ],
)
def test_odd_pyprojects(shared, cli, text, said):
    """A pyproject.toml without a valid table is ignored or refused."""
    shared(text)
    done = cli("versions", "list")
    assert done.code == (2 if said else 0)
    assert (said or "no versions") in done.err


def test_settings_that_are_not_utf_8(empty, cli):
    """Bytes that are not UTF-8 are not TOML."""
    (empty / "textclf.toml").write_bytes(b'models = "caf\xe9"\n')
    done = cli("versions", "list")
    assert done.code == 2
    assert "textclf.toml: not TOML" in done.err


@pytest.mark.parametrize(
    "name", ["scheduler", "backend", "unsafe_load", "unsafe-load", "on_promote", "webhook"]
)
@pytest.mark.parametrize("table", ["", "[train]\n"])
@pytest.mark.parametrize("file", ["textclf.toml", "pyproject.toml"])
def test_what_runs_foreign_code_is_no_setting(project, cli, name, table, file):
    """A settings file cannot send the data to a cluster or turn off the restricted loader."""
    table = table if file == "textclf.toml" else table.replace("[", "[tool.textclf.")
    head = "[tool.textclf]\n" if file == "pyproject.toml" and not table else ""
    (project / file).write_text(f'{head}{table}{name} = "tcp://127.0.0.1:9"\n')
    done = cli("train")
    assert (done.code, done.out) == (2, "")
    assert f"{name} cannot be a setting: it must be typed each time" in done.err

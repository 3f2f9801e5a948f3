"""The alias: `textclf promote` and `textclf rollback`."""

import json


def test_promote_and_rollback(project, cli):
    """Promoting says what changed and how to go back; repeating it changes nothing."""
    promoted = json.loads(cli("promote", "1.0.0", "--json").out)
    assert promoted == {"version": "1.0.0", "previous": "1.0.1", "changed": True, "gate": None}
    again = json.loads(cli("promote", "1.0.0", "--json").out)
    assert (again["version"], again["changed"]) == ("1.0.0", False)
    assert cli("promote", "1.0.0").out == "1.0.0 is already promoted; nothing changed\n"
    back = cli("rollback", "-m", "too sad")
    assert back.out == "promoted 1.0.1 (was 1.0.0); back: `textclf rollback`\n"
    assert cli("rollback", "-q").out == "promoted 1.0.0 (was 1.0.1)\n"
    version = project / "models/1.0.0/text_classifier.joblib"
    assert (project / "models/text_classifier.joblib").read_bytes() == version.read_bytes()
    assert json.loads(cli("history", "--json").out)[3]["message"] == "too sad"

"""`textclf serve` where it cannot start; tests/server has the rest."""

import sys

import pytest


def test_options_that_cannot_be_served_with(project, cli):
    """They are usage errors, before anything listens."""
    with (project / "data/train.csv").open("rb") as file:
        number = str(file.fileno())
        for options, said in (
            (["--allow-promote"], "--allow-promote needs an API key"),
            (["--fd", number], f"--fd {number} is not a socket"),
            (["--api-key", "k\n"], "the API key (TEXTCLF_API_KEY) has a line break"),
            (["--port", "99999"], "(env var: 'TEXTCLF_PORT', 'AIP_HTTP_PORT'): 99999 is not from"),
        ):
            done = cli("serve", *options)
            assert (done.code, done.out, said in done.err) == (2, "", True)


@pytest.mark.usefixtures("project")
def test_without_the_extra(cli, monkeypatch):
    """The message names the library and what installs it."""
    monkeypatch.delitem(sys.modules, "textclf.server.run", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = cli("serve")
    assert (done.code, "needs uvicorn, which is not installed" in done.err) == (2, True)
    assert "hint: pip install '.[serve]'" in done.err

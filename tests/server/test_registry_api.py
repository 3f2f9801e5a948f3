"""The registry over HTTP, for programs: what the command line says, in the same words."""

import hashlib
import json
import os

import msgspec
import pytest
from paths import ROOT
from predictors import published
from served import serving

from textclf.cli.app import run
from textclf.metadata.versions import parse_version
from textclf.server.app import api_routes
from textclf.server.openapi import document


@pytest.fixture(scope="module")
def registry(tmp_path_factory, sample):
    """Three versions; 1.1.0 is promoted and tagged."""
    root = tmp_path_factory.mktemp("api") / "models"
    for classifier in ("LinearSVC", "ComplementNB", "LinearSVC"):
        registry, _ = published(root, sample, classifier=classifier)
    registry.promote(parse_version("1.1.0"), message="better <b>")
    registry.tag(parse_version("1.1.0"), {"owner": "ada"})
    return registry


def command_line(registry, capsys, *arguments):
    """Return what a command says as JSON."""
    assert run([*arguments, "--json", "--models", str(registry.store.root)]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/v1/versions", ["versions", "list"]),
        ("/v1/versions/1.1.0", ["versions", "show", "1.1.0"]),
        ("/v1/versions/latest", ["versions", "show", "latest"]),
        ("/v1/compare?a=1.0.0&b=1.1.0", ["versions", "compare", "1.0.0", "1.1.0"]),
    ],
)
def test_answers_are_those_of_the_command_line(served, registry, capsys, path, command):
    """Field by field; a list has the next page beside it."""
    answer = served.get(path).json()
    said = answer.get("versions", answer)
    assert said == command_line(registry, capsys, *command)


def test_the_history_is_that_of_the_command_line_newest_first(served, registry, capsys):
    """With refusals and tags."""
    entries = command_line(registry, capsys, "history", "--all")
    assert served.get("/v1/history").json()["entries"] == entries[::-1]
    assert served.get("/v1/history?after=2").json()["entries"] == entries[::-1][2:]


def test_the_history_is_paged(served):
    """`next` leads through all of it, on the pages for people as well."""
    everything = served.get("/v1/history").json()["entries"]
    paged, after = [], 0
    while after is not None:
        answer = served.get(f"/v1/history?limit=2&after={after}").json()
        assert len(answer["entries"]) <= 2
        paged, after = paged + answer["entries"], answer["next"]
    assert paged == everything
    assert b"history?after=2&amp;limit=2" in served.get("/history?limit=2").body


def test_the_latest_version_is_the_promoted_one(served):
    """Not the newest; with who promoted it and why."""
    latest = served.get("/v1/latest").json()
    assert (latest["version"], latest["from"], latest["message"]) == (
        "1.1.0",
        "1.2.0",
        "better <b>",
    )


def test_without_a_promoted_version_there_is_no_latest(tmp_path, sample):
    """Although one is served."""
    registry, _ = published(tmp_path, sample, promote=False)
    with serving(registry, version="1.0.0") as served:
        answer = served.get("/v1/latest")
    assert (answer.status, answer.json()["error"]) == (404, "no version has been promoted yet")


def test_lists_are_paged_sorted_and_searched(served):
    """All of it in the URL; `next` leads through all pages."""

    def numbers(**parameters):
        asked = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = served.get(f"/v1/versions?{asked}").json()
        return [version["version"] for version in answer["versions"]], answer["next"]

    assert numbers(limit=2) == (["1.2.0", "1.1.0"], "1.1.0")
    assert numbers(limit=2, after="1.1.0") == (["1.0.0"], None)
    assert numbers(order="asc") == (["1.0.0", "1.1.0", "1.2.0"], None)
    assert numbers(q="owner=ada") == (["1.1.0"], None)
    assert numbers(q="1.2") == (["1.2.0"], None)
    assert numbers(q="nothing") == ([], None)
    assert set(numbers(sort="macro_f1")[0]) == {"1.0.0", "1.1.0", "1.2.0"}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/versions?limit=0", 422, "limit"),
        ("/v1/versions?limit=x", 422, "limit"),
        ("/v1/versions?sort=age", 422, "sort is one of"),
        ("/v1/versions?order=up", 422, "order"),
        ("/v1/versions?nope=1", 422, "nope"),
        ("/v1/versions?after=9.9.9", 404, "9.9.9"),
        ("/v1/versions/9.9.9", 404, "9.9.9"),
        ("/v1/versions/..%2f..%2fetc", 404, "no such path"),
        ("/v1/versions/1.0", 404, "'1.0' is not a version"),
        ("/v1/compare?a=1.0.0", 422, "two versions"),
        ("/v1/compare?a=1.0.0&b=9.9.9", 404, "9.9.9"),
        ("/v1/compare?a=1.0.0&b=1.1.0&c=1", 422, "has no parameter c; it has a, b"),
        ("/v1/history?after=x", 422, "after"),
        ("/v1/history?after=-1", 422, "after"),
        ("/v1/history?limit=0", 422, "limit"),
        ("/history.json?nope=1", 422, "nope"),
        ("/v1/versions/1.0.0/files/nope", 404, "no file nope"),
        ("/v1/versions/1.0.0/files/..%2fmetadata.json", 404, "no such path"),
    ],
)
def test_what_is_not_there_is_told(served, path, status, said):
    """In a sentence."""
    answer = served.get(path)
    assert answer.status == status
    assert said in answer.json()["error"]


def test_files_are_those_of_the_version(served, registry):
    """Byte for byte; who has one already gets only its digest back."""
    root = registry.store.root / "1.0.0"
    for path in root.iterdir():
        answer = served.get(f"/v1/versions/1.0.0/files/{path.name}")
        assert answer.body == path.read_bytes()
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'
        assert "immutable" in answer.headers["cache-control"]
        etag = answer.headers["etag"]
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            again = served.get(f"/v1/versions/1.0.0/files/{path.name}", if_none_match=known)
            assert (again.status, again.body) == (304, b"")


def test_a_damaged_version_is_named_and_the_others_are_listed(tmp_path, sample):
    """Also a file of it is refused."""
    for _ in range(2):
        registry, _ = published(tmp_path, sample)
    (tmp_path / "1.0.0" / "metadata.json").write_bytes(b"{")
    with serving(registry) as served:
        answer = served.get("/v1/versions").json()
        assert [version["version"] for version in answer["versions"]] == ["1.1.0"]
        assert "1.0.0" in answer["problems"][0]
        (tmp_path / "1.1.0" / "text_classifier.joblib").write_bytes(b"x")
        answer = served.get("/v1/versions/1.1.0/files/text_classifier.joblib")
        assert answer.status == 500
        assert "1.1.0" in answer.json()["error"]


def test_the_description_in_the_docs_is_current():
    """Clients are generated from docs/openapi.json; UPDATE_DOCS=1 writes it."""
    path = ROOT / "docs/openapi.json"
    current = msgspec.json.format(msgspec.json.encode(document(api_routes())), indent=2) + b"\n"
    if os.environ.get("UPDATE_DOCS"):
        path.write_bytes(current)
    assert path.read_bytes() == current


def test_every_route_is_described(served):
    """In /openapi.json, with schemas that the answers fit; and on a page."""
    described = served.get("/openapi.json").json()
    api = api_routes()
    assert all(route.summary for route in api)
    assert {(route.template, route.method.lower()) for route in api} == {
        (path, method) for path, methods in described["paths"].items() for method in methods
    }
    request = described["components"]["schemas"]["PredictRequest"]
    assert set(request["properties"]) == {
        "texts",
        "top_k",
        "explain",
        "threshold",
        "abstain_unknown",
    }
    assert b"/v1/predict" in served.get("/docs").body


@pytest.mark.parametrize("name", ["latest", "v1.0.0"])
def test_a_file_of_a_version_that_is_not_named_by_its_number_is_not_kept(served, name):
    """Another version may have that name tomorrow."""
    answer = served.get(f"/v1/versions/{name}/files/metadata.json")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")

"""The web pages."""

import re
import shutil
import threading
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from predictors import published
from sample_data import sample_rows
from served import Served, served_on_a_socket, serving
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from waiting import wait_until

import textclf
from textclf.metadata.versions import parse_version
from textclf.release.gate import Gate, parse_requirement
from textclf.server import app_for, version_index
from textclf.server.pages import versions
from textclf.server.settings import ServerSettings

PAGES = ["/", "/versions", "/versions/1.0.0", "/compare", "/compare?a=1.0.0&b=1.1.0", "/history"]
HOSTILE = '<script>alert(1)</script>" onload=x &amp; \u202e'


@pytest.fixture(scope="module")
def registry(tmp_path_factory, sample):
    """Two versions; the first is promoted again, for a reason that would like to be markup."""
    root = tmp_path_factory.mktemp("pages") / "models"
    published(root, sample)
    registry, _ = published(root, sample, classifier="ComplementNB")
    registry.promote(parse_version("1.0.0"), message=HOSTILE)
    return registry


class Elements(HTMLParser):
    """The elements and attributes of a page; complains of what is not closed."""

    VOID = {"meta", "link", "input", "br", "col"}  # noqa: RUF012

    def __init__(self, page):
        super().__init__()
        self.open, self.found, self.text = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        """Keep an element."""
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Require that it is the one that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep a text."""
        self.text.append(data)


def page(served, path, **headers):
    answer = served.get(path, **headers)
    assert answer.status == 200
    return Elements(answer.body.decode())


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_from_elsewhere_and_run_nothing(served, path):
    """No script, no style but the server's own, and a policy that says so."""
    elements = page(served, path)
    assert not [attributes for tag, attributes in elements.found if tag in ("script", "style")]
    for tag, attributes in elements.found:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        for name in ("href", "src", "action"):
            assert attributes.get(name, "#").startswith(("./", "../", "#")), (tag, attributes)
    policy = served.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_pages_can_be_used_with_a_keyboard_and_a_screen_reader(served, path):
    """A language, a title, one first heading, named controls, and a way past the navigation."""
    elements = page(served, path).found
    assert ("html", {"lang": "en"}) in elements
    assert [tag for tag, _ in elements].count("h1") == 1
    assert any(tag == "a" and attributes.get("href") == "#content" for tag, attributes in elements)
    labels = sum(tag == "label" for tag, _ in elements)
    assert labels == sum(tag in ("input", "select", "textarea") for tag, _ in elements)


@pytest.mark.parametrize("path", [*PAGES, "/versions?sort=rows&order=asc&limit=1&metric=rows"])
def test_every_page_is_data_too(served, path):
    """At the same URL with .json."""
    where, _, query = path.partition("?")
    answer = served.get(f"{where}.json?{query}")
    if "metric=rows" in path:
        assert answer.status == 422
    else:
        assert answer.json()


def test_what_people_write_stays_text(served):
    """A reason with markup in it is shown as it was typed."""
    for path in ("/", "/history"):
        answer = served.get(path).body.decode()
        assert "<script>" not in answer
        assert "alert(1)" in answer


def test_the_promoted_version_comes_first(served):
    """Not the newest: with who promoted it, when, and why."""
    text = " ".join(page(served, "/").text)
    assert "1.0.0" in text
    assert "Promoted" in text
    assert "macro F1" in text


def test_a_text_is_labelled_with_its_n_grams_marked(served, predictor):
    """The marks are those of the explanation; the text comes back as it was sent."""
    body = b"text=waste+of+money%2C+broke%0D%0Aafter+two+%3Cb%3E+days"
    answer = served.request("POST", "/", body).body.decode()
    text = "waste of money, broke\nafter two <b> days"
    expected = predictor.explain(text)
    [heading] = re.findall(r'<h2 id="result"><bdi>(.*?)</bdi>', answer)
    assert heading == expected.prediction.label
    [marked] = re.findall(r'<p class="marked">(.*?)</p>', answer, re.DOTALL)
    assert "".join(Elements(marked).text) == text
    assert "<ins" in marked
    assert "&lt;b&gt;" in marked


def test_the_list_links_to_sorted_pages(served):
    """A second click on a head turns the order round; the state is in the URL."""
    body = served.get("/versions?sort=rows").body.decode()
    assert 'href="./versions?sort=rows&amp;order=asc"' in body
    assert 'href="./versions?sort=macro_f1"' in body
    first = served.get("/versions?limit=1").body.decode()
    [after] = re.findall(r'href="\./versions\?limit=1&amp;after=([^"]+)">Next', first)
    assert after == "1.1.0"
    assert "1.0.0" in served.get(f"/versions?limit=1&after={after}").body.decode()


def test_the_comparison_warns_of_different_test_rows(served):
    """And names what changed."""
    body = served.get("/compare?a=1.0.0&b=1.1.0").body.decode()
    assert "1.0.0 → 1.1.0" in body


def test_the_links_of_pages_lead_on_below_any_path(registry):
    """In another application, where the key is asked for, too; all that is reached is there."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = app_for(registry.store.root, ServerSettings(api_key="k", allow_promote=True))
    outer = Starlette(routes=[Mount("/some/where", app)])
    with served_on_a_socket(outer) as port:
        served = Served(None, port)
        assert served.get("/some/where/").status == 401
        found, new = set(), {"/some/where/"}
        while new:
            found |= new
            seen = {path: served.get(path, x_api_key="k") for path in new}
            assert {answer.status for answer in seen.values()} == {200}, seen
            new = {link for path in new for link in links(path, seen[path].body)} - found
        assert {path.partition("?")[0].removeprefix("/some/where") for path in found} >= {
            "/", "/versions", "/versions.json", "/versions/1.0.0", "/versions/1.1.0.json",
            "/compare", "/history", "/history.json", "/docs", "/openapi.json",
        }  # fmt: skip
        answer = served.request("POST", "/some/where/", b"text=great", x_api_key="k")
        assert (answer.status, b"<ins" in answer.body) == (200, True)
        answer = served.request(
            "POST", "/some/where/versions/1.0.0/promote", b"message=x", x_api_key="k"
        )
        assert urljoin("/some/where/versions/1.0.0/promote", answer.headers["location"]) in found


def links(path, body):
    elements = Elements(body.decode()).found if body.startswith(b"<!") else []
    targets = {
        attributes.get("href") or attributes.get("action")
        for tag, attributes in elements
        if tag in ("a", "link") or attributes.get("method") == "get"
    }
    return {urljoin(path, target).partition("#")[0] for target in targets - {None}}


def test_a_page_that_is_not_there_says_so_as_a_page(served):
    """With the status for programs."""
    for path in ("/versions/9.9.9", "/compare?a=9.9.9&b=latest", "/versions?sort=x"):
        answer = served.get(path)
        assert answer.status in (404, 422)
        assert b"This page cannot be shown" in answer.body


def test_the_style_sheet_can_be_kept_for_ever(served):
    """Its name changes with its content."""
    [path] = re.findall(r'href="\.(/static/[^"]+)"', served.get("/").body.decode())
    answer = served.get(path)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_pages_change_nothing_unless_they_may(served, registry):
    """There is no form, and no route behind it."""
    assert b"Promote" not in served.get("/versions/1.1.0").body.replace(b"Promoted", b"")
    answer = served.request("POST", "/versions/1.1.0/promote", b"message=x")
    assert answer.status in (404, 405)
    assert str(registry.latest()) == "1.0.0"


@pytest.fixture
def promoting(tmp_path, sample):
    """A server that may promote what has an accuracy of at least 0.1."""
    published(tmp_path, sample)
    registry, _ = published(tmp_path, sample, classifier="ComplementNB")
    gate = Gate((parse_requirement("accuracy>=0.1"),))
    with serving(registry, api_key="k", allow_promote=True, gate=gate) as served:
        yield served, registry


def post(served, path, body=b"message=because", **headers):
    host = f"127.0.0.1:{served.port}"
    headers = {"x_api_key": "k", "origin": f"http://{host}", **headers}
    return served.request("POST", path, body, **{k: v for k, v in headers.items() if v})


def test_a_page_promotes_and_rolls_back_through_the_gate(promoting):
    """With the reason in the log; the server answers with the version at once."""
    served, registry = promoting
    body = served.get("/versions/1.0.0", x_api_key="k").body
    assert b'action="../versions/1.0.0/promote"' in body
    answer = post(served, "/versions/1.0.0/promote")
    assert (answer.status, answer.headers["location"]) == (303, "../../")
    assert served.service.model.version == "1.0.0"
    assert registry.history()[-1].message == "because"
    assert registry.history()[-1].gate.verdict == "passed"
    assert b"Roll back to 1.1.0" in served.get("/", x_api_key="k").body
    assert post(served, "/rollback").status == 303
    assert str(registry.latest()) == "1.1.0"
    assert b"rolled back" in served.get("/history", x_api_key="k").body


def test_a_form_that_is_sent_twice_rolls_back_once(promoting):
    """The version on the button is promoted, whatever was promoted since the page was shown."""
    served, registry = promoting
    assert b"Roll back to 1.0.0" in served.get("/", x_api_key="k").body
    for _ in range(2):
        assert post(served, "/rollback", b"message=because&to=1.0.0").status == 303
    for name in ("1.1.0", "1.0.0"):
        registry.promote(parse_version(name))
    body = served.get("/", x_api_key="k").body
    assert b"Roll back to 1.1.0" in body
    assert b'<input type="hidden" name="to" value="1.1.0">' in body
    for _ in range(3):
        post(served, "/rollback", b"message=because&to=1.1.0")
        assert str(registry.latest()) == "1.1.0"
    answer = post(served, "/rollback", b"message=because&to=9.9.9")
    assert (answer.status, b"Nothing was promoted" in answer.body) == (404, True)


def test_a_page_promotes_in_the_channel_that_the_server_follows(tmp_path, sample):
    """The others stay as they are."""
    published(tmp_path, sample)
    registry, _ = published(tmp_path, sample)
    registry.promote(parse_version("1.0.0"), channel="staging")
    with serving(registry, version="staging", api_key="k", allow_promote=True) as served:
        assert b"/1.1.0/promote" in served.get("/versions/1.1.0", x_api_key="k").body
        assert post(served, "/versions/1.1.0/promote").status == 303
        assert served.service.model.version == "1.1.0"
        assert post(served, "/rollback").status == 303
    assert str(registry.promoted("staging")) == "1.0.0"
    assert str(registry.latest()) == "1.1.0"


def test_the_gate_refuses_on_a_page_too(promoting):
    """The page says why, and the log has it."""
    served, registry = promoting
    served.service.promoter.__dict__["gate"] = Gate((parse_requirement("accuracy>=1.0"),))
    answer = post(served, "/versions/1.0.0/promote")
    assert answer.status == 409
    assert b"Nothing was promoted" in answer.body
    assert b"accuracy" in answer.body
    assert str(registry.latest()) == "1.1.0"
    history = served.get("/history", x_api_key="k").body
    assert b"refused" in history
    assert b"accuracy" in history


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": None},
    ],
)
def test_another_site_cannot_promote_with_a_users_password(promoting, headers):
    """A browser says where a form comes from."""
    served, registry = promoting
    assert post(served, "/versions/1.0.0/promote", **headers).status == 403
    assert str(registry.latest()) == "1.1.0"


def test_a_page_promotes_behind_a_proxy_that_names_another_host(promoting):
    """Browsers say themselves that a form was sent from the page's own site."""
    served, registry = promoting
    headers = {"origin": "https://ml.example.com", "sec_fetch_site": "same-origin"}
    assert post(served, "/versions/1.0.0/promote", **headers).status == 303
    assert str(registry.latest()) == "1.0.0"


def test_a_promotion_needs_a_reason_and_a_key(promoting):
    """Neither may be empty."""
    served, registry = promoting
    assert post(served, "/versions/1.0.0/promote", b"message=+").status == 422
    for unreadable in (b"\xff", b"a=1&" * 30):
        assert b"the form cannot be read" in post(served, "/rollback", unreadable).body
    assert post(served, "/versions/1.0.0/promote", x_api_key=None).status == 401
    assert str(registry.latest()) == "1.1.0"


def test_a_banner_says_that_the_promoted_version_is_not_served(tmp_path, sample):
    """On every page, with the reason."""
    published(tmp_path, sample)
    registry, _ = published(tmp_path, sample)
    registry.promote(parse_version("1.0.0"))
    with serving(registry, reload_interval=1000) as served:
        registry.promote(parse_version("1.1.0"))
        shutil.rmtree(tmp_path / "1.1.0")
        served.service.reloader.check()
        for path in ("/", "/versions"):
            body = served.get(path).body.decode()
            assert "Version 1.0.0 is served" in body
            assert 'role="alert"' in body


def test_a_version_that_was_removed_while_it_is_served_has_no_figures(tmp_path, sample):
    """The server goes on with it; a list of nothing says so."""
    published(tmp_path, sample)
    registry, _ = published(tmp_path, sample)
    with serving(registry, version="1.0.0") as served:
        assert "macro F1" in " ".join(page(served, "/").text)
        shutil.rmtree(tmp_path / "1.0.0")
        wait_until(lambda: "macro F1" not in " ".join(page(served, "/").text))
        assert "0 versions" in " ".join(page(served, "/versions?q=nothing").text)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"threshold": 0.99}, "the score is below the threshold"),
        ({"abstain_unknown": 0.5}, "of the n-grams are known, and that or the score"),
    ],
)
def test_a_text_without_a_label_says_why(tmp_path, sample, limits, said):
    """By the limits of the version."""
    registry, _ = published(tmp_path, sample, "ComplementNB", **limits)
    with serving(registry) as served:
        answer = served.request("POST", "/", b"text=qwertz").body.decode()
    assert "no label: " in answer
    assert said in answer


def test_a_list_that_takes_long_is_shown_as_it_was(registry, monkeypatch):
    """Rather than let every page wait; the newer one follows."""
    monkeypatch.setattr(version_index, "_FRESH", 0.0)
    monkeypatch.setattr(version_index, "_PATIENCE", 0.01)
    index = version_index.VersionIndex(registry)
    before, go_on, numbers = index.listing(), threading.Event(), registry.numbers
    monkeypatch.setattr(registry, "numbers", lambda: go_on.wait(20) and numbers())
    assert index.listing() is before
    go_on.set()
    wait_until(lambda: index.listing() is not before)
    assert [v.version for v in index.listing().versions] == ["1.1.0", "1.0.0"]


def test_the_points_of_a_chart_are_no_stops_of_the_keyboard(served):
    """There may be hundreds, and the table has the same links."""
    points = [
        attributes
        for tag, attributes in page(served, "/versions").found
        if tag == "a" and attributes.get("tabindex") == "-1"
    ]
    assert len(points) == 2
    assert served.get("/favicon.ico").status == 204


def test_a_chart_of_many_versions_ends_with_the_newest(served, monkeypatch):
    """Whichever are left out between."""
    monkeypatch.setattr(versions, "_POINTS", 1)
    assert "1.1.0" in served.get("/versions").body.decode().partition("</svg>")[0]


def test_what_is_not_known_of_a_published_pipeline_is_unknown(tmp_path, sample):
    """Every page shows versions without search and training rows, and marks untrusted ones."""
    registry, _ = published(tmp_path / "models", sample)
    texts, labels = sample_rows(100)
    forest = make_pipeline(CountVectorizer(max_features=50), RandomForestClassifier(2))
    for classifier in (make_pipeline(CountVectorizer(), MultinomialNB()), forest):
        textclf.publish(
            classifier.fit(texts, labels),
            test=(texts, labels),
            models=registry,
            promote=classifier is not forest,
        )
    with serving(registry) as served:
        shown = " ".join(page(served, "/versions?metric=best_cv_accuracy&sort=rows").text)
        assert "untrusted" in shown
        assert "unknown" in shown
        assert "unknown" in " ".join(page(served, "/").text)
        for path in ("/versions/3.0.0", "/compare?a=1.0.0&b=2.0.0", "/compare?a=2.0.0&b=3.0.0"):
            assert "nown" in " ".join(page(served, path).text)
        listed = served.get("/v1/versions").json()["versions"]
        assert [one["untrusted"] for one in listed] == [True, False, False]
        assert listed[0]["best_cv_accuracy"] is None

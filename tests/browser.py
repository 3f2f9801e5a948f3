"""The report and the pages of a server in a real browser: ``make browser``.

Skips, with a reason, where there is no Chromium.

What is measured is measured by a script in a copy of the page without its policy; the page itself
runs none.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
import reports
from devtools import browsing
from paths import ROOT
from predictors import published
from sample_data import sample_rows
from served import serving

import textclf
from textclf.metadata.versions import parse_version
from textclf.report.page import comparison, page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MEASURE = """
<script>
addEventListener("load", () => {
  const box = (e) => e.getBoundingClientRect();
  const clipped = [...document.querySelectorAll("svg[role] text")].filter((text) => {
    const inner = box(text), outer = box(text.ownerSVGElement);
    return inner.left < outer.left - 1 || inner.right > outer.right + 1
      || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
  });
  const style = getComputedStyle(document.body);
  document.documentElement.dataset.measured = JSON.stringify({
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    clipped: clipped.map((text) => text.textContent),
    scrolling: [...document.querySelectorAll(".scroll")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.getAttribute("aria-label")),
    letters: Math.min(...[...document.querySelectorAll("svg.fixed text")].map(
      (text) => parseFloat(getComputedStyle(text).fontSize)
                * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))),
    background: style.backgroundColor, ink: style.color, font: style.fontFamily,
  });
});
</script>
"""


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The command that runs Chromium without a window."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        pytest.skip("this machine has no Chromium")
    profile = tmp_path_factory.mktemp("profile")
    flags = [
        "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}",
    ]  # fmt: skip
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # it refuses root otherwise
    return [program, *flags]


@pytest.fixture(scope="session")
def chromium(command):
    """Run Chromium; return what it writes to stdout and to stderr."""

    def run(path, *more):
        done = subprocess.run(
            [*command, *more, path.as_uri()],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout, done.stderr

    return run


@pytest.fixture
def measured(chromium, tmp_path):
    """Show a page in a window of a width, light or dark, and measure it."""

    def call(html, width=1200, *, dark=False):
        text = re.sub("<meta http-equiv[^>]*>", "", html.decode())
        path = tmp_path / "measured.html"
        path.write_text(text.replace("</body>", f"{MEASURE}</body>"), "utf-8")
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        out, _ = chromium(path, scheme, f"--window-size={width},900", "--dump-dom")
        return json.loads(re.search('data-measured="([^"]*)"', out)[1].replace("&quot;", '"'))

    return call


LABELS = {
    "2": ("ham", "spam"),
    "3": ("negative", "neutral", "positive"),
    "20": tuple(f"comp.sys.ibm.pc.hardware.{n}" for n in range(20)),
    "77": tuple(f"balance_not_updated_after_cheque_or_cash_deposit_{n}" for n in range(77)),
    "hostile": ("x" * 1000, "\u202e<b>", "WWW " * 40, "汉字" * 60, "a\nb"),
}


@pytest.mark.parametrize("number", LABELS)
def test_the_browser_has_nothing_to_complain_of(chromium, tmp_path, number):
    """The policy lets the style in and nothing is refused; a style of another digest is."""
    html = page(reports.subject(LABELS[number], text="<script>alert(1)</script>"))
    path = tmp_path / "page.html"
    path.write_bytes(html)
    log = "--enable-logging=stderr"
    assert "CONSOLE" not in chromium(path, log, "--dump-dom")[1]
    path.write_bytes(html.replace(b"<style>", b"<style> "))
    assert "Content Security Policy" in chromium(path, log, "--dump-dom")[1]


@pytest.mark.parametrize("width", [500, 1200])
@pytest.mark.parametrize("number", LABELS)
def test_no_page_is_wider_than_its_window_and_no_label_is_cut(measured, number, width):
    """Tables and matrices scroll by themselves; all letters of a drawing are in it and legible."""
    found = measured(page(reports.subject(LABELS[number])), width)
    assert (found["width"], found["overflow"], found["clipped"]) == (width, 0, [])
    assert found["letters"] >= 8.99


@pytest.mark.parametrize("number", ["2", "20", "77"])
def test_nothing_scrolls_beside_empty_space(measured, number):
    """On a usual screen every table and matrix is seen whole."""
    found = measured(page(reports.subject(LABELS[number])), 1280)
    assert found["scrolling"] == []


def test_two_versions_side_by_side_fit_too(measured):
    """The page about two versions, in a small window."""
    a = reports.subject(LABELS["20"])
    b = reports.subject(LABELS["20"], version="1.1.0")
    found = measured(comparison(a, b), 500)
    assert (found["overflow"], found["clipped"]) == (0, [])


def test_a_dark_screen_gets_a_dark_page(measured):
    """Ink and paper change places, and are far apart in both."""
    html = page(reports.subject())
    light, dark = measured(html), measured(html, dark=True)

    def brightness(colour):
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    assert brightness(light["background"]) - brightness(light["ink"]) > 180
    assert brightness(dark["ink"]) - brightness(dark["background"]) > 180


def test_it_prints(chromium, tmp_path):
    """A page for paper comes out, of more than one sheet, whatever the screen's colours."""
    path, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    path.write_bytes(page(reports.subject(LABELS["77"])))
    chromium(path, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) > 3


class Address(str):
    """The address of a page, where others have the path of a file."""

    __slots__ = ()

    def as_uri(self):
        """Return it."""
        return self


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server of two versions with messages that would like to break the page."""
    root = tmp_path_factory.mktemp("served") / "models"
    for _ in range(2):
        registry, _ = published(root, sample_rows(200))
    registry.promote(
        parse_version("1.0.0"), message="\u05e9\u05dc\u05d5\u05dd <script>" + "x" * 300
    )
    with serving(registry) as running:
        yield running


PAGES = ("/", "/versions", "/versions/1.1.0", "/compare?a=1.0.0&b=1.1.0", "/history", "/docs")


@pytest.mark.parametrize("width", [500, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_a_server_is_wider_than_its_window(measured, served, path, width):
    """Messages and numbers wrap, tables scroll by themselves."""
    html = served.get(path).body.decode()
    style = served.get(re.search(r'href="\.{1,2}(/static/[^"]+)"', html)[1]).body.decode()
    found = measured(
        re.sub("<link[^>]*>", lambda _: f"<style>{style}</style>", html).encode(), width
    )
    assert (found["width"], found["overflow"], found["clipped"]) == (width, 0, [])


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_has_nothing_to_complain_of_a_server(chromium, served, path):
    """The policy lets the style in, and nothing is missing."""
    address = Address(f"http://127.0.0.1:{served.port}{path}")
    assert "CONSOLE" not in chromium(address, "--enable-logging=stderr", "--dump-dom")[1]


@pytest.fixture(scope="module")
def opened(command, served):
    """A page of the server in a browser that obeys commands."""
    with browsing(command) as page:
        page.address = f"http://127.0.0.1:{served.port}"
        page.show(1280)
        yield page


FOCUSED = """(() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  return e === document.body ? null : {
    number: [...document.querySelectorAll("*")].indexOf(e),
    name: e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    visible: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0
             && box.left < innerWidth && box.top < innerHeight,
  };
})()"""
STOPS = """[...document.querySelectorAll(
  "a[href], button, input, select, textarea, summary, [tabindex]")].filter(
  (e) => e.tabIndex >= 0 && e.checkVisibility()).map(
  (e) => [...document.querySelectorAll("*")].indexOf(e))"""


@pytest.mark.parametrize("path", PAGES)
def test_the_tab_key_reaches_everything_in_its_order_and_shows_where_it_is(opened, path):
    """Each stop has a name, an outline and a place on the screen; after the last, it leaves."""
    opened.open(opened.address + path)
    stops, seen = opened.run(STOPS), []
    for _ in stops:
        opened.press("Tab")
        seen.append(opened.run(FOCUSED))
    assert [stop["number"] for stop in seen] == stops
    assert [stop for stop in seen if not (stop["name"].strip() and stop["outlined"])] == []
    assert [stop for stop in seen if not stop["visible"]] == []


def test_a_text_is_tried_by_the_keyboard_alone(opened):
    """Past the navigation, into the text, and Enter on the button; then back to a version."""
    opened.open(f"{opened.address}/")
    opened.press("Tab")
    assert opened.run("document.activeElement.className") == "skip"
    opened.press("Enter")
    while opened.run("document.activeElement.tagName") != "TEXTAREA":
        opened.press("Tab")
    opened.write("this is great")
    opened.press("Tab")
    opened.press("Enter")
    opened.await_load()
    assert opened.run("document.querySelector('#result bdi').textContent") == "positive"
    assert opened.run("document.querySelector('textarea').value") == "this is great"
    assert opened.run("document.querySelectorAll('.marked ins').length") > 0


CONTRAST = """(() => {
  const numbers = (c) => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((n, i) => i < 3 ? n : n / 255);
  };
  const over = (top, under) => top.slice(0, 3).map((n, i) => n * top[3] + under[i] * (1 - top[3]));
  const paper = (e) => {
    const own = numbers(getComputedStyle(e).backgroundColor);
    return over(own, e.parentElement ? paper(e.parentElement) : [255, 255, 255]);
  };
  const light = (c) => c.map((n) => n / 255).map(
    (n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4
  ).reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
  const faint = [];
  for (const e of document.querySelectorAll("body *:not(svg *)")) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!text || !e.checkVisibility()) continue;
    const under = paper(e), ink = over(numbers(getComputedStyle(e).color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${e.tagName} ${e.textContent.slice(0, 30)} ${ratio}`);
  }
  return faint;
})()"""


SMALL_LETTERS = """[...document.querySelectorAll("svg text")].filter(
  (t) => parseFloat(getComputedStyle(t).fontSize)
         * Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b) < 8.9).map((t) => t.textContent)"""


@pytest.mark.parametrize("dark", [False, True])
def test_pages_are_legible_on_a_phone_light_and_dark(opened, dark):
    """Nothing is too wide, letters are large enough, and all text has WCAG's contrast (AA)."""
    opened.show(390, dark=dark)
    try:
        for path in PAGES:
            opened.open(opened.address + path)
            assert legible(opened) == (0, [], []), path
        opened.open(f"{opened.address}/")
        opened.run("document.querySelector('textarea').value = 'great, but a waste of money'")
        opened.run("document.querySelector('form.try').requestSubmit()")
        opened.await_load()
        assert legible(opened) == (0, [], [])
    finally:
        opened.show(1280)


def legible(page):
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return page.run(wider), page.run(CONTRAST), page.run(SMALL_LETTERS)


def test_the_readme_shows_the_page(command, tmp_path, monkeypatch):
    """A picture of the first page with a text; UPDATE_DOCS=1 takes it again."""
    picture = ROOT / "docs" / "page.png"
    monkeypatch.setenv("LOGNAME", "ada")
    data = {"test": ROOT / "data/test.csv", "models": tmp_path}
    textclf.train(ROOT / "data/train.csv", preset="fast", message="first try", **data)
    with serving(textclf.open_registry(tmp_path)) as running, browsing(command) as page:
        page.show(900, height=300)
        page.open(f"http://127.0.0.1:{running.port}/")
        page.run("document.querySelector('textarea').value = 'Great, but it broke after two days.'")
        page.run("document.querySelector('form.try').requestSubmit()")
        page.await_load()
        assert page.run("document.querySelector('h1').textContent") == "Version 1.0.0"
        if os.environ.get("UPDATE_DOCS"):
            page.picture(picture)
    assert "docs/page.png" in (ROOT / "README.md").read_text("utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")

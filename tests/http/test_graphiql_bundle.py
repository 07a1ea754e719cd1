"""Is the committed GraphQL IDE complete, small enough, and free of anything that needs the internet?"""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "app" / "static" / "graphiql"
SOURCE = ROOT / "graphiql"
BASE = "/static/graphiql/"
LARGEST_BUNDLE = 6_000_000

FOREIGN_CODE = re.compile(
    r"""(?:import\s*\(|import\s*|from\s*|importScripts\s*\(|new\s+Worker\s*\()\s*["'`](?:https?:)?//"""
)
MACHINE_PATH = re.compile(r"/home/|/root/|/Users/")
# Standards named by address, and pages that a person may follow a link to; nothing is loaded from them.
MENTIONED_HOSTS = {
    "code.visualstudio.com",
    "commonmark.org",
    "en.wikipedia.org",
    "github.com",
    "json-schema.org",
    "microsoft.com",
    "prettier.io",
    "react.dev",
    "www.onegraph.com",
    "www.w3.org",
}


class Page(HTMLParser):
    """What index.html loads, what it is called, and the code written into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.texts: dict[str, str] = {}
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.loads += [value for name, value in attrs if name in ("src", "href") and value]
        self.inline += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts[self._tag] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""


@pytest.fixture(scope="module")
def page() -> Page:
    return Page((BUNDLE / "index.html").read_text("utf-8"))


def bundled(suffix: str) -> list[Path]:
    return sorted(BUNDLE.rglob(f"*{suffix}"))


def local(url: str) -> Path:
    assert url.startswith(BASE), f"{url} is not served from {BASE}"
    return BUNDLE / url.removeprefix(BASE)


def test_every_file_the_page_loads_is_in_the_bundle(page: Page) -> None:
    missing = [url for url in page.loads if not local(url).is_file()]
    assert missing == []
    assert {Path(url).suffix for url in page.loads} == {".svg", ".js", ".css"}


def test_the_page_has_its_title_and_no_inline_code(page: Page) -> None:
    assert page.texts["title"] == "revgraph · GraphiQL"
    assert page.inline == []
    assert {"script", "style"} & page.texts.keys() == set()


@pytest.mark.parametrize("sheet", bundled(".css"), ids=lambda path: path.name)
def test_style_sheets_load_only_files_of_the_bundle(sheet: Path) -> None:
    text = sheet.read_text("utf-8")
    urls = [url.strip("\"' ") for url in re.findall(r"url\(([^)]*)\)", text)]
    assert [url for url in urls if not url.startswith("data:image/") and not local(url).is_file()] == []
    assert "@import" not in text


@pytest.mark.parametrize("script", bundled(".js"), ids=lambda path: path.name)
def test_scripts_load_only_files_of_the_bundle(script: Path) -> None:
    text = script.read_text("utf-8")
    named = re.findall(r"""["'`](?:\./|(?:/static/graphiql/)?assets/)([\w.-]+\.(?:js|css))["'`]""", text)
    assert [name for name in named if not (BUNDLE / "assets" / name).is_file()] == []
    assert FOREIGN_CODE.findall(text) == []
    assert MACHINE_PATH.findall(text) == []
    assert set(re.findall(r"https?://([\w-]+(?:\.[\w-]+)+)", text)) <= MENTIONED_HOSTS


def test_the_three_workers_are_served_by_us() -> None:
    workers = {path.name.partition("-")[0] for path in bundled(".js") if ".worker-" in path.name}
    assert workers == {"editor.worker", "graphql.worker", "json.worker"}


def test_the_bundle_stays_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLE.rglob("*") if path.is_file()) < LARGEST_BUNDLE


@pytest.mark.parametrize("name", ["tour.graphql", "headers.jsonc"])
def test_the_bundle_was_built_from_the_committed_texts(name: str) -> None:
    scripts = "".join(path.read_text("utf-8") for path in bundled(".js")).replace("\\", "")
    lines = (SOURCE / "src" / name).read_text("utf-8").splitlines()
    assert [line for line in lines if line.strip() not in scripts] == []


def test_requests_of_the_ide_carry_the_header_against_cross_site_posts() -> None:
    scripts = "".join(path.read_text("utf-8") for path in bundled(".js"))
    assert re.search(r"""headers:\{["'`]x-revgraph-client["'`]:["'`]graphiql["'`]\}""", scripts)


def test_the_lock_file_names_no_download_address() -> None:
    lock = (SOURCE / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock

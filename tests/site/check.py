"""Look at the built site in Chromium: ``python tests/site/check.py site [DIRECTORY FOR PICTURES]``.

It serves the site on the loopback interface, and fails if a link or an anchor leads nowhere, if a page asks any other
host for anything, if a script complains, if a page is wider than a narrow screen, or if the search does not find what
it should. Without a browser it looks at the links alone, and says so.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: What is searched for, and a page that has to be among what is found.
SEARCHES = {
    "throttled": "troubleshooting/throttled.html",
    "ForbiddenByRbac": "troubleshooting/missing-role.html",
    "SAFEKV_TIMEOUT": "settings.html",
    "VaultThrottled": "reference/errors.html",
    "gunicorn": "how-to/workers.html",
    "with_secret": "how-to/rotation.html",
    "SKV101": "migrate.html",
    "OpenTelemetry": "monitoring.html",
}
SHOWN = (
    "index.html",
    "tutorial.html",
    "how-to/rotation.html",
    "reference/errors.html",
    "reference/commands.html",
    "reference/api/secrets.html",
    "explanation/architecture.html",
    "explanation/cache-states.html",
    "explanation/lane.html",
    "migrate.html",
    "benchmarks.html",
    "troubleshooting/throttled.html",
    "doctor.html",
)
LINKS = "[...document.querySelectorAll('.md-search-result__link')].map(link => link.pathname)"
FOUND = f"wanted => {LINKS}.includes('/' + wanted)"
SCREENS = {"wide": (1280, 900), "narrow": (390, 844)}


def main() -> int:
    site = Path(sys.argv[1])
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    wrong = list(broken_links(site))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"no browser ({', '.join(BROWSERS)}): only links were looked at")
    else:
        with served(site) as url:
            wrong += looked_at(url, browser, pictures)
    print("\n".join(wrong) or "all is well")
    return 1 if wrong else 0


# -- links


class Page(HTMLParser):
    """The anchors of a page, and where it leads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "__top"}
        self.links: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)
            elif value and name in ("href", "src"):
                self.links.add(value)


def broken_links(site: Path) -> Iterator[str]:
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links are from the root of wherever the site is put
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                yield f"{path.relative_to(site.resolve())}: {link} leads nowhere"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path.relative_to(site.resolve())}: {link} has no such anchor"


# -- the browser


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def looked_at(url: str, browser: str, pictures: Path | None) -> list[str]:
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []

    def note_request(request: Any) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            wrong.append(f"asks for {request.url}")

    def note_failure(error: Any) -> None:
        wrong.append(f"a script fails: {error}")

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for screen, (width, height) in SCREENS.items():
            for scheme in ("light", "dark"):
                context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                context.on("request", note_request)
                page = context.new_page()
                page.on("pageerror", note_failure)
                for shown in SHOWN:
                    wrong += seen(page, f"{url}/{shown}", width)
                    if pictures:
                        pictures.mkdir(parents=True, exist_ok=True)
                        name = shown.removesuffix(".html").replace("/", "-")
                        page.screenshot(path=pictures / f"{name}-{screen}-{scheme}.png")
                if (screen, scheme) == ("wide", "light"):
                    wrong += searched(page, url)
                context.close()
        chromium.close()
    return wrong


def seen(page: Any, address: str, width: int) -> Iterator[str]:
    answer = page.goto(address)
    if answer.status != 200:
        yield f"{address}: {answer.status}"
    overflow = page.evaluate("document.documentElement.scrollWidth")
    if overflow > width:
        yield f"{address}: {overflow} pixels wide on a screen of {width}"
    pictures = page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
    yield from (f"{address}: {picture} cannot be shown" for picture in pictures)


def searched(page: Any, url: str) -> Iterator[str]:
    """Type each of the words, as a reader does, and see whether the page is among the first that are found."""
    from playwright.sync_api import TimeoutError as Timeout

    query = "input[data-md-component=search-query]"
    page.goto(f"{url}/index.html")
    for words, wanted in SEARCHES.items():
        page.click(query)
        page.fill(query, "")
        page.type(query, words, delay=20)
        try:
            page.wait_for_function(FOUND, arg=wanted, timeout=20_000)
        except Timeout:
            yield f"a search for {words} does not find {wanted}, but {page.evaluate(LINKS)[:5]}"


if __name__ == "__main__":
    raise SystemExit(main())

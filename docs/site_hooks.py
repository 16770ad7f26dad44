"""What MkDocs does not do by itself. It calls these functions while it builds the site; see ``mkdocs.yml``.

- The pages of ``troubleshooting/`` come into the navigation as their index groups them.
- Pages link to files outside ``docs/`` (``CHANGELOG.md``, examples), as is right where the repository is read. Here
  those files become pages of the site, below ``source/``, and the links lead to them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\]\((?![a-z]+:|#|/)([^)#\s]+)((?:#[^)\s]*)?)\)")
_GROUP = re.compile(r"^## (.+)$|^- \[(.+)\]\(([\w-]+\.md)\)", re.M)


def on_config(config: Any) -> Any:
    config.nav = [_expanded(entry) for entry in config.nav]
    return config


def _expanded(entry: dict[str, Any]) -> dict[str, Any]:
    ((title, target),) = entry.items()
    if target == "troubleshooting/README.md":
        return {title: [target, *_groups()]}
    return {title: site_path(posixpath.normpath(f"docs/{target}"))} if isinstance(target, str) else entry


def _groups() -> list[dict[str, list[dict[str, str]]]]:
    found: list[dict[str, list[dict[str, str]]]] = []
    for heading, title, page in _GROUP.findall((ROOT / "docs/troubleshooting/README.md").read_text("utf-8")):
        if heading:
            found.append({heading: []})
        else:
            next(iter(found[-1].values())).append({title: f"troubleshooting/{page}"})
    return found


def on_files(files: Files, *, config: Any) -> Files:
    """Add the files outside ``docs/`` that pages link to, and those that these link to."""
    todo = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(todo)
    while todo:
        for target in _targets(todo.pop()):
            if target not in seen and not target.startswith("docs/"):
                seen.add(target)
                page = File.generated(config, site_path(target), content=_content(ROOT / target))
                page.inclusion = InclusionLevel.NOT_IN_NAV
                files.append(page)
                todo += [target] if target.endswith(".md") else []
    return files


def _targets(path: str) -> Iterator[str]:
    """The files that a page links to. Paths are relative to the root of the repository."""
    for target, _ in _LINK.findall((ROOT / path).read_text("utf-8")):
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if (ROOT / resolved).is_file():
            yield resolved


def _content(path: Path) -> str:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        return text
    return f"# {path.name}\n\n````{path.suffix[1:] or 'text'}\n{text}````\n"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    here = page.file.src_uri
    page.meta.update(_for_the_search(here))
    origin = here.removeprefix("source/") if here.startswith("source/") else f"docs/{here}"

    def led(match: re.Match[str]) -> str:
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(origin), match[1]))
        if not (ROOT / resolved).is_file():
            return match[0]  # for MkDocs to complain about
        return f"]({posixpath.relpath(site_path(resolved), posixpath.dirname(here) or '.')}{match[2]})"

    return _LINK.sub(led, markdown)


def _for_the_search(path: str) -> dict[str, Any]:
    """What the search is told of a page: who looks for an error is in a hurry, and nobody looks for sources."""
    if path.startswith("source/"):
        return {"search": {"exclude": True}}
    folder, name = posixpath.split(path)
    if folder == "troubleshooting" and name != "README.md":
        return {"search": {"boost": 2}, "tags": [name.removesuffix(".md")]}
    return {}


def site_path(path: str) -> str:
    """Where a file of the repository is on the site."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"

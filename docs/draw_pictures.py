"""Draw the pictures of the explanations: ``docs/explanation/architecture.svg`` and ``cache-states.svg``.

    python docs/draw_pictures.py

They are committed; a test compares them with what this draws. They have a background of their own, so that they can be
read on light pages and on dark ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent / "explanation"

INK, QUIET = "#1f2430", "#5b6475"
#: Fill and edge.
BLUE, GREEN, AMBER, RED, GREY = (
    ("#e8ecfb", "#3f51b5"),
    ("#e3f4e8", "#2e7d4f"),
    ("#fdf1d8", "#b27300"),
    ("#fbe5e3", "#b3372b"),
    ("#eef0f3", "#7a8394"),
)
Colour = tuple[str, str]


def pictures() -> dict[str, str]:
    """Every picture, by its file's name."""
    return {"architecture.svg": _architecture(), "cache-states.svg": _cache_states()}


def main() -> None:
    for name, drawn in pictures().items():
        (FOLDER / name).write_text(drawn, "utf-8")


# -- parts


def _svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">\n'
        f"<title>{escape(title)}</title>\n"
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{QUIET}"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _box(x: int, y: int, w: int, h: int, colour: Colour, *lines: str, bold: bool = True, dashed: bool = False) -> str:
    """A box with lines in its middle, the first of them bold."""
    fill, edge = colour
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    shape = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="{fill}" stroke="{edge}"{dash}/>'
    top = y + h / 2 - 8.5 * (len(lines) - 1) + 5
    texts = (
        _text(x + w // 2, top + 17 * number, line, bold=bold and number == 0, size=14 if number == 0 else 12)
        for number, line in enumerate(lines)
    )
    return "\n".join((shape, *texts))


def _text(
    x: float, y: float, text: str, *, bold: bool = False, size: int = 12, colour: str = INK, anchor: str = "middle"
) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{x:g}" y="{y:g}" font-size="{size}"{weight} fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"


def _arrow(path: str, *, both: bool = False) -> str:
    start = ' marker-start="url(#tip)"' if both else ""
    return f'<path d="{path}" fill="none" stroke="{QUIET}" stroke-width="1.5" marker-end="url(#tip)"{start}/>'


def _note(x: float, y: float, *lines: str, anchor: str = "middle") -> str:
    return "\n".join(
        _text(x, y + 14 * number, line, colour=QUIET, size=11, anchor=anchor) for number, line in enumerate(lines)
    )


# -- the pictures


def _architecture() -> str:
    doors = ("secrets", "keys", "keys.crypto", "certificates", "identity")
    steps = ("Translate", "SDK's policies", "Resilience", "SDK's challenge", "transport")
    x = [40 + 138 * number for number in range(5)]
    parts = [
        _box(40, 20, 250, 44, GREY, "your application"),
        _box(310, 20, 420, 44, GREY, "safekv commands, pytest fixtures, integrations", bold=False),
        _arrow("M100 64V176"),
        _arrow("M230 64V104"),
        _arrow("M520 64V104"),
        _box(200, 106, 250, 44, BLUE, "config", "load, resolve, watch"),
        _box(470, 106, 260, 44, BLUE, "envelope", "rings, records, files, streams"),
        _arrow("M325 150V176"),
        _arrow("M600 150V176"),
        _text(40, 172, "doors", colour=QUIET, size=11, anchor="start"),
        *(_box(x[number], 178, 128, 36, BLUE, name, bold=False) for number, name in enumerate(doors)),
        _note(385, 231, "subclasses of the SDK's classes, sync and aio"),
        _arrow("M385 238V258"),
        '<rect x="24" y="260" width="722" height="206" rx="8" fill="none" stroke="#7a8394" stroke-dasharray="5 4"/>',
        _text(40, 282, "one connection for each process, vault and identity", bold=True, anchor="start", size=13),
        _box(40, 294, 250, 40, GREEN, "cache", "read first, refreshed ahead"),
        _box(306, 294, 200, 40, GREEN, "lane, breaker, budget", "decide; never wait or send"),
        _box(522, 294, 208, 40, GREEN, "tokens", "one source, asked once"),
        *(_box(x[number], 366, 128, 36, AMBER, name, bold=False) for number, name in enumerate(steps)),
        *(_arrow(f"M{x[number] + 128} 384H{x[number + 1]}") for number in range(4)),
        _arrow("M380 334V366"),
        _arrow("M548 334V366"),
        _note(x[0] + 64, 418, "errors that", "say what to do"),
        _note(x[2] + 64, 418, "turns, deadlines,", "what is repeated"),
        _note(x[4] + 64, 418, "one pool of", "TLS connections"),
        _arrow("M656 440V492"),
        _note(385, 456, "the SDK's pipeline, with three parts of safekv: Translate, Resilience, transport"),
        _box(400, 494, 330, 40, GREY, "Key Vault or Managed HSM"),
        _box(40, 494, 330, 40, GREY, "the emulator, as a server or in process", bold=False, dashed=True),
        _arrow("M640 440V478H205V492"),
    ]
    return _svg(770, 554, "From an application through doors, connection and the SDK's pipeline to a vault", parts)


def _cache_states() -> str:
    parts = [
        _box(24, 160, 110, 50, GREY, "nothing", "kept", dashed=True),
        _box(250, 160, 130, 50, GREEN, "FRESH", "served"),
        _box(500, 160, 150, 50, GREEN, "REFRESHING", "served"),
        _box(500, 340, 150, 50, AMBER, "STALE", "stands in"),
        _box(770, 250, 130, 50, AMBER, "EXPIRED", "has to be read"),
        _box(250, 30, 130, 50, GREEN, "PINNED", "served"),
        _box(250, 340, 130, 50, BLUE, "NEGATIVE", "said again"),
        _box(770, 430, 130, 50, RED, "GONE", "dropped"),
        _arrow("M134 185H250"),
        _note(190, 177, "read"),
        _arrow("M90 160V55H250"),
        _note(168, 32, "read of an", "explicit version"),
        _arrow("M90 210V365H250"),
        _note(168, 342, "no such secret", "(404)"),
        _arrow("M380 176H500"),
        _note(440, 152, "from 64 to 80 %", "of ttl on"),
        _arrow("M500 196H380"),
        _note(440, 211, "read in the", "background"),
        _arrow("M380 45H575V160"),
        _note(480, 37, "after 80 to 100 % of pinned_ttl"),
        _arrow("M530 160V68H380"),
        _note(456, 83, "may still be read"),
        _arrow("M650 185H835V250"),
        _note(740, 162, "ttl is over: nobody", "asked for it"),
        _arrow("M770 264H345V210"),
        _note(700, 258, "read"),
        _arrow("M575 210V340"),
        _note(583, 298, "ttl is over, and the", "vault cannot be reached", anchor="start"),
        _arrow("M500 365H440V290H315V210"),
        _note(433, 306, "the vault", "answers", anchor="end"),
        _arrow("M790 300V356H650"),
        _note(784, 330, "reading fails for", "what will pass", anchor="end"),
        _arrow("M650 376H850V300"),
        _note(755, 390, "no try has failed for a minute"),
        _arrow("M885 300V430"),
        _note(879, 410, "the same", anchor="end"),
        _arrow("M575 390V448H770"),
        _note(670, 441, "ttl + max_stale is over"),
        _arrow("M315 390V464H770"),
        _note(440, 458, "negative_ttl is over"),
        _note(460, 512, "From every state: a write, invalidate() or an event drops what is kept; so does a refusal"),
        _note(460, 527, "(401, 403, 404, disabled). GONE is as good as nothing kept: the next call reads the vault."),
    ]
    return _svg(920, 544, "The states of what the cache keeps of a secret", parts)


if __name__ == "__main__":
    main()

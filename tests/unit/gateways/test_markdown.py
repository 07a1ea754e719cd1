"""Markdown as HTML: what is shown, and what never gets through."""

import asyncio
import re

import pytest

from app.gateways.markdown import SHOWN, html, render


def test_structure_is_kept() -> None:
    text = "# Title\n\nSome *text* and ~~old~~.\n\n```python\nx = 1\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"
    assert render(text) == (
        "<h1>Title</h1>\n<p>Some <em>text</em> and <s>old</s>.</p>\n"
        '<pre><code class="language-python">x = 1\n</code></pre>\n'
        "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n"
    )


def test_links_say_that_they_lead_away() -> None:
    link = '<p><a href="https://example.test/a" rel="nofollow noopener">go</a></p>\n'
    assert render("[go](https://example.test/a)") == link
    assert render('<a href="https://example.test/a" rel="opener" target="_top">go</a>') == link


def test_relative_links_and_pictures_are_cut_off() -> None:
    assert render("[docs](docs/a.md)") == '<p><a rel="nofollow noopener">docs</a></p>\n'
    assert render("![logo](logo.png)") == '<p><img alt="logo"></p>\n'
    assert render("![logo](//evil.test/x.png)") == '<p><img alt="logo"></p>\n'


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe src='https://evil.test'></iframe>",
    "<style>*{display:none}</style>",
    "<p style='position:fixed'>x</p>",
    "<form action=/graphql><input name=q></form>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "[x](javascript:alert(1))",
    "[x](<JaVaScRiPt:alert(1)>)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<base href='https://evil.test'>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<code class='language-x overlay'>x</code>",
    "<!--<img src=x onerror=alert(1)>-->",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_acts_gets_through(text: str) -> None:
    shown = render(text)
    tags = re.findall(r"<[^>]*>", shown)
    assert not [tag for tag in tags if re.search(r"(?i)\son|style|script:|data:|class=|javascript", tag)]
    forbidden = r"(?i)</?(script|style|iframe|svg|math|form|input|base|meta|noscript|object|embed|link)\b"
    assert not re.search(forbidden, shown)


async def test_long_texts_are_cut_and_leave_the_loop_free() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    assert len(await html("a" * (SHOWN + 50))) == SHOWN + len("<p></p>\n")
    assert await html("[" * 40_000) == "<p>" + "[" * 40_000 + "</p>\n"
    ticking.cancel()
    assert ticks > 5

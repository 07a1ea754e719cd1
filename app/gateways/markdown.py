"""How is somebody's Markdown shown safely? CommonMark with tables to HTML, of which only harmless parts stay.

Links and pictures lead to http, https and mailto, never to a script; relative ones are cut off, because they
point into the package and not at the page that shows them.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

SHOWN = 100_000
"""Characters of a text that are rendered: the hostile one takes two seconds for so many."""
LINK_REL = "nofollow noopener"
SCHEMES = {"http", "https", "mailto"}
TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "s"),
    *("strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "img": {"alt", "height", "src", "title", "width"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}


def _kept(tag: str, name: str, value: str) -> str | None:
    """The language of a block of code, and no other class, which would take the page's looks."""
    if (tag, name) == ("code", "class"):
        return value if value.startswith("language-") and " " not in value else None
    return value


_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=_kept,
    link_rel=LINK_REL,
    url_schemes=SCHEMES,
    url_relative="deny",
)


# One thread: rendering holds the interpreter's lock, and more threads would take more turns from the loop.
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="markdown")


async def html(text: str) -> str:
    """The HTML of the first 100,000 characters of ``text``, made off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, render, text[:SHOWN])


@lru_cache(maxsize=64)
def render(text: str) -> str:
    """Kept for the last ones, because what people look at is asked for again."""
    return _CLEANER.clean(_PARSER.render(text))

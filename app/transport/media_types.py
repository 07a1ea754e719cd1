"""Which media type does the client accept best?"""

from functools import lru_cache
from typing import NamedTuple

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
UTF_8 = ("utf-8", "utf8")
USUAL_LENGTH = 200
"""Of Accept headers that are remembered; clients send a few, and short ones."""


class _Range(NamedTuple):
    name: str
    quality: float

    def specificity(self, media_type: str) -> int:
        """2 for the type itself, 1 for its family, 0 for any, -1 for no match."""
        family = media_type.partition("/")[0] + "/*"
        return {media_type: 2, family: 1, "*/*": 0}.get(self.name, -1)


def choose(accept: str | None) -> str | None:
    """GRAPHQL or JSON, the preferred one; None when the client accepts neither.

    Without a preference it is JSON, as clients expect that know of no other, unless GRAPHQL is named.
    """
    if accept is None or not accept.strip():
        return JSON
    return _usual_choice(accept) if len(accept) <= USUAL_LENGTH else _choose(accept)


def _choose(accept: str) -> str | None:
    ranges = _parse(accept)
    graphql, json = _quality(GRAPHQL, ranges), _quality(JSON, ranges)
    if max(graphql, json) <= 0:
        return None
    named = any(range_.name == GRAPHQL for range_ in ranges)
    return GRAPHQL if graphql > json or (graphql == json and named) else JSON


_usual_choice = lru_cache(maxsize=256)(_choose)


def prefers_html(accept: str | None) -> bool:
    """Whether a page is asked for by name, as browsers do, and no JSON is liked better."""
    named = {range_.name: range_.quality for range_ in _parse(accept or "")}
    html = named.get(HTML, 0.0)
    return html > 0 and html >= max(named.get(GRAPHQL, 0.0), named.get(JSON, 0.0))


def is_json(content_type: str) -> bool:
    """Whether a request body of this type is JSON in UTF-8."""
    return content_type == JSON or _is_json(content_type)


def _is_json(content_type: str) -> bool:
    name, parameters = split(content_type)
    return name == JSON and parameters.get("charset", "utf-8").lower() in UTF_8


def split(value: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters: names in lower case, values without quotes."""
    name, *rest = value.split(";")
    pairs = [part.partition("=") for part in rest]
    return name.strip().lower(), {key.strip().lower(): text.strip().strip('"') for key, _, text in pairs}


def _parse(accept: str) -> list[_Range]:
    ranges = []
    for part in accept.split(","):
        name, parameters = split(part)
        readable = parameters.get("charset", "utf-8").lower() in UTF_8
        if name and readable:
            ranges.append(_Range(name, _weight(parameters.get("q", "1"))))
    return ranges


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _quality(media_type: str, ranges: list[_Range]) -> float:
    matches = [(range_.specificity(media_type), range_.quality) for range_ in ranges]
    return max(
        ((specificity, quality) for specificity, quality in matches if specificity >= 0), default=(0, 0.0)
    )[1]

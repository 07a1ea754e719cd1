"""Under which categories, tags and readable name does a pack appear that states none?"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

RULES = Path(__file__).with_name("categories.toml")
MAX_CATEGORIES = 3
GENERAL = "general"


def categories_of(name: str) -> tuple[str, ...]:
    """At most three, in the order of the rules; 'general' when no rule knows a part of the name."""
    matching = [
        category
        for category, keywords in _rules()["categories"].items()
        if any(f"-{keyword}-" in f"-{name}-" for keyword in keywords)
    ]
    return tuple(matching[:MAX_CATEGORIES]) or (GENERAL,)


def tags_of(name: str) -> tuple[str, ...]:
    """The telling parts of the name, each once."""
    ignored = set(_rules()["tags"]["ignored"])
    parts = (part for part in name.split("-") if part not in ignored and not part.isdecimal())
    return tuple(dict.fromkeys(part for part in parts if len(part) > 1))


def display_name(name: str) -> str:
    """'soc2-audit-pack' is shown as 'SOC 2 Audit Pack', a version such as v26-9-1 as v26.9.1."""
    words = _rules()["words"]
    parts = re.sub(r"\bv(\d+)-(\d+)-(\d+)\b", r"v\1.\2.\3", name).split("-")
    return " ".join(words.get(part, part if "." in part else part[:1].upper() + part[1:]) for part in parts)


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(RULES.read_text(encoding="utf-8"))

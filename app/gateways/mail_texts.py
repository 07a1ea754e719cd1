"""What do our mails say? Each has two templates: a text, begun with ``Subject: …``, and the same in HTML."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

TEMPLATES = resources.files("app").joinpath("mail_templates")


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


def render(name: str, **facts: Any) -> Letter:
    """The subject is one line, whatever the facts hold; in HTML they are text, and never markup."""
    head, _, text = _texts().get_template(f"{name}.txt").render(**facts).partition("\n\n")
    subject = " ".join(head.removeprefix("Subject:").split())
    html = _pages().get_template(f"{name}.html").render(subject=subject, **facts)
    return Letter(subject, text.strip("\n") + "\n", html)


@cache
def _texts() -> Environment:
    return _environment(autoescape=False)  # an escaped "&amp;" would be shown as it is


@cache
def _pages() -> Environment:
    return _environment(autoescape=True)


_environment: Callable[..., Environment] = partial(
    Environment,
    loader=FunctionLoader(lambda name: TEMPLATES.joinpath(name).read_text(encoding="utf-8")),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

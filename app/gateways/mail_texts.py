"""What do our mails say? Plain texts from templates: a first line ``Subject: …``, an empty line, the text."""

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

TEMPLATES = resources.files("app").joinpath("mail_templates")


def render(name: str, **facts: Any) -> tuple[str, str]:
    """(subject, text); the subject is one line, whatever the facts hold."""
    head, _, text = _environment().get_template(name).render(**facts).partition("\n\n")
    return " ".join(head.removeprefix("Subject:").split()), text.strip("\n") + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_read),
        autoescape=False,  # noqa: S701 - plain text: an escaped "&amp;" would be shown as it is
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _read(name: str) -> str:
    return TEMPLATES.joinpath(f"{name}.txt").read_text(encoding="utf-8")

"""What does a pack.toml say, and is all of it usable?"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.domain.errors import InvalidInput
from app.domain.slugs import category, clean_line, clean_text, slug, tag
from app.domain.versions import parse_version
from app.gateways.packs.sources import PackDefect

MAX_FILE_BYTES = 1_000_000
MAX_DESCRIPTION = 50_000
MAX_LINE = 200
MAX_LABELS = 30

Table = dict[str, Any]


class Rule(Protocol):
    """A rule of the domain: the accepted form of a text, or InvalidInput."""

    def __call__(self, text: str, /, *, field: str) -> str: ...


class Clean(Protocol):
    def __call__(self, text: str, /, *, field: str, limit: int, minimum: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Release:
    version: str
    changelog: str | None
    released: date | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """``releases`` are sorted by precedence and contain ``version`` as the last."""

    name: str
    version: str
    description: str
    license: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    author: str | None
    repository: str | None
    releases: tuple[Release, ...]


def read_manifest(path: Path) -> Manifest:
    """Raises ``PackDefect`` with the key at fault, ``OSError`` when the file cannot be read."""
    pack = _pack_table(read_text(path))
    version = _version(_required(pack, "version"), "version")
    return Manifest(
        name=_accepted("name", slug, _required(pack, "name")),
        version=version,
        description=_required(pack, "description", limit=MAX_DESCRIPTION, clean=clean_text),
        license=_optional(pack, "license"),
        categories=_labels(pack, category, "category", "categories"),
        tags=_labels(pack, tag, "tags"),
        author=_optional(pack, "author"),
        repository=_repository(pack),
        releases=_releases(pack, current=version),
    )


def read_text(path: Path) -> str:
    """A small UTF-8 file; a byte order mark is dropped."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise PackDefect(f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PackDefect(f"{path.name} is not UTF-8 text (byte {error.start})") from error


def read_readme(path: Path) -> str | None:
    try:
        return clean_text(read_text(path), field="readme", limit=MAX_FILE_BYTES) or None
    except InvalidInput as error:
        raise PackDefect(f"{path.name}: {error.message}") from error


def _pack_table(text: str) -> Table:
    try:
        table = tomllib.loads(text).get("pack")
    except RecursionError as error:
        raise PackDefect("pack.toml is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and int() on a number of more than 4,300 digits
        raise PackDefect(f"pack.toml is not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise PackDefect("pack.toml has no [pack] table")
    return table


def _required(table: Table, key: str, *, limit: int = MAX_LINE, clean: Clean = clean_line) -> str:
    text = _optional(table, key, limit=limit, clean=clean)
    if text is None:
        raise PackDefect(f"pack.toml: '{key}' is missing or empty")
    return text


def _optional(table: Table, key: str, *, limit: int = MAX_LINE, clean: Clean = clean_line) -> str | None:
    value = table.get(key)
    if value is None:
        return None
    return _accepted(key, partial(clean, limit=limit, minimum=0), _text(value, key)) or None


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
        kind = kinds.get(type(value), "a date or time")
        raise PackDefect(f"pack.toml: '{key}' must be text in quotes, not {kind}")
    return value


def _accepted(key: str, rule: Rule, text: str) -> str:
    """What a rule of the domain makes of ``text``, its refusal as a defect of ``key``."""
    try:
        return rule(text, field=key)
    except InvalidInput as error:
        raise PackDefect(f"pack.toml: '{key}': {error.message}") from error


def _version(text: str, key: str) -> str:
    try:
        return str(parse_version(text))
    except InvalidInput as error:
        raise PackDefect(f"pack.toml: '{key}' {text!r}: {error.message}") from error


def _labels(table: Table, rule: Rule, *keys: str) -> tuple[str, ...]:
    """Each once; a single text counts as a list of one."""
    labels = [_accepted(key, rule, _text(item, key)) for key in keys for item in _items(table, key)]
    if len(labels) > MAX_LABELS:
        raise PackDefect(f"pack.toml: '{keys[-1]}' has more than {MAX_LABELS} entries")
    return tuple(dict.fromkeys(labels))


def _items(table: Table, key: str) -> list[Any]:
    value = table.get(key, [])
    return value if isinstance(value, list) else [value]


def _repository(table: Table) -> str | None:
    address = _optional(table, "repository", limit=500)
    # It becomes a link in the dashboard, where javascript: and data: addresses would run.
    if address and not re.fullmatch(r"https?://[^\s\"'<>]+", address):
        raise PackDefect("pack.toml: 'repository' must be an http(s) address")
    return address


def _releases(pack: Table, *, current: str) -> tuple[Release, ...]:
    entries = pack.get("versions", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PackDefect("pack.toml: versions must be [[pack.versions]] tables")
    releases: dict[str, Release] = {}
    for entry in entries:
        release = _release(entry)
        if release.version in releases:
            raise PackDefect(f"pack.toml: version {release.version} is listed twice")
        releases[release.version] = release
    releases.setdefault(current, Release(version=current, changelog=None, released=None))
    # Versions that differ in build metadata alone are of equal precedence: the current one comes last.
    ordered = sorted(releases.values(), key=lambda one: (parse_version(one.version), one.version == current))
    if ordered[-1].version != current:
        raise PackDefect(f"pack.toml: {ordered[-1].version} is listed, but 'version' is the older {current}")
    return tuple(ordered)


def _release(entry: Table) -> Release:
    version = _version(_required(entry, "version"), "versions.version")
    changelog = _optional(entry, "changelog", limit=MAX_DESCRIPTION, clean=clean_text)
    return Release(version=version, changelog=changelog, released=_date(entry.get("released"), version))


def _date(value: object, version: str) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise PackDefect(f"pack.toml: 'released' of {version} must be a date such as 2026-05-01") from error

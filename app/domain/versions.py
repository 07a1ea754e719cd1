"""Which version of a package is the newer one?

Semantic Versioning 2.0.0 (semver.org, item 11): numbers by value, a prerelease before its release,
build metadata without weight.
"""

from semver import Version

from app.domain.errors import InvalidInput

MAX_LENGTH = 64


def parse_version(text: str, *, field: str = "version") -> Version:
    """A full version of at most 64 characters; InvalidInput says what is wrong with others."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(field, f"A version has at most {MAX_LENGTH} characters: this one has {len(text)}.")
    if text[:1] in ("v", "V"):
        raise InvalidInput(field, "Write the version without a leading 'v': 1.2.3 rather than v1.2.3.")
    try:
        return Version.parse(text)
    except ValueError as error:
        message = (
            "Write a semantic version: three numbers without leading zeros, such as 1.2.3 or 1.2.3-beta.1."
        )
        raise InvalidInput(field, message) from error


def sort_key(text: str) -> str:
    """ASCII text of at most 200 characters whose binary order is the order of versions.

    Compared byte by byte (SQLite's BINARY, PostgreSQL's ``COLLATE "C"``; other collations break it). Where
    only build metadata differs, which semver does not order, the metadata's own binary order decides.
    """
    version = parse_version(text)
    core = "".join(_number(str(part)) for part in (version.major, version.minor, version.patch))
    # '-' sorts before '~': a prerelease before its release.
    rest = "-" + _prerelease(version.prerelease) if version.prerelease else "~"
    return f"{core}{rest}{'+' + version.build if version.build else ''}"


def _prerelease(identifiers: str) -> str:
    """Numeric (1) before alphanumeric (2) identifiers, and the end (0) before any further one."""
    return "".join(_identifier(each) for each in identifiers.split(".")) + "0"


def _identifier(text: str) -> str:
    # '!' sorts before every character that an identifier may have, so that 'a' comes before 'a-b'.
    return "1" + _number(text) if text.isdigit() else f"2{text}!"


def _number(digits: str) -> str:
    """Length first: among numbers without leading zeros the longer one is the greater."""
    return f"{len(digits):02d}{digits}"

"""Do two archives of one version differ in more than what the catalogue shows beside them?

The archive holds pack.toml and README.md too. A corrected description must not look like other goods under an
old version, so these two do not count.
"""

import hashlib
import tarfile
from pathlib import Path

SHOWN = frozenset({"pack.toml", "readme.md"})


def same_goods(one: Path, other: Path) -> bool:
    """Whether both hold the same files, pack.toml and README.md aside; False for what is no archive."""
    try:
        return _members(one) == _members(other)
    except (tarfile.TarError, EOFError, OSError):
        return False


def _members(path: Path) -> dict[str, tuple[int, str]]:
    with tarfile.open(path, mode="r:gz") as archive:
        return {
            name: (member.mode, _digest(archive, member))
            for member in archive
            if (name := member.name.partition("/")[2]).lower() not in SHOWN
        }


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return hashlib.file_digest(file, "sha256").hexdigest() if file else ""  # type: ignore[arg-type]  # it is readable

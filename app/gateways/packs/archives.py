"""Which bytes does a buyer of one version download?

The same files give the same bytes on every machine and day, so that importing twice changes nothing and the
SHA-256 of an archive can be checked against the source.
"""

import gzip
import hashlib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.gateways.packs.sources import PackSource, PackVersion

# 1 January 1980: the first day that zip tools know, and late enough that tar does not warn of it.
FIXED_MTIME = 315_532_800


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """``size`` in bytes, ``sha256`` in lower-case hexadecimal."""

    size: int
    sha256: str


def write_archive(pack: PackSource, version: str, target: BinaryIO | Path | str) -> ArchiveInfo:
    """Streams ``<name>-<version>/…`` as .tar.gz into an open file or a path; memory stays bounded.

    Raises ``LookupError`` for a version without files and ``OSError`` when a file changed or vanished since
    the pack was read; what was written at a path is then removed.
    """
    release = pack.release(version)
    if not release.files:
        raise LookupError(f"{pack.name} {version} has no files")
    prefix = f"{pack.name}-{version}"
    if not isinstance(target, Path | str):
        return _write(release, prefix, target)
    path = Path(target)
    try:
        with path.open("wb") as file:
            return _write(release, prefix, file)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _write(release: PackVersion, prefix: str, file: BinaryIO) -> ArchiveInfo:
    measured = _Measured(file)
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=measured, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in release.files:
            _add(archive, release.folder / path, f"{prefix}/{path.as_posix()}")
    return ArchiveInfo(size=measured.size, sha256=measured.digest.hexdigest())


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size = status.st_size
        member.mode = 0o755 if status.st_mode & 0o100 else 0o644
        member.mtime = FIXED_MTIME
        archive.addfile(member, file)


class _Measured:
    """Passes bytes on to a file, counting and hashing them."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self.file.flush()

"""Which files belong to a pack, and are all of them safe to hand out?"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from app.gateways.packs.sources import PackDefect

MAX_FILES = 10_000
MAX_BYTES = 200_000_000
LEFT_OUT = frozenset({".git", ".hg", ".svn", ".DS_Store", "__pycache__"})


def scan_files(folder: Path) -> tuple[Path, ...]:
    """All files below ``folder``, relative to it and sorted; raises ``PackDefect`` or ``OSError``."""
    root = folder.resolve()
    found: list[Path] = []
    size = 0
    for count, path in enumerate(_walk(folder), start=1):
        if count > MAX_FILES:
            raise PackDefect(f"has more than {MAX_FILES:,} files and folders")
        relative = path.relative_to(folder)
        _check_name(relative)
        _check_link(path, relative, root)
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            continue
        _check_file(path, relative, status)
        size += status.st_size
        if size > MAX_BYTES:
            raise PackDefect(f"is larger than {MAX_BYTES // 1_000_000} MB")
        found.append(relative)
    return tuple(sorted(found, key=Path.as_posix))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in (*folders, *files):
            if name not in LEFT_OUT:
                yield Path(parent, name)


def _raise(error: OSError) -> None:
    raise error


def _check_name(relative: Path) -> None:
    text = relative.as_posix()
    # A backslash is a separator to whoever unpacks on Windows; undecodable bytes arrive as surrogates.
    if "\\" in text or not text.isprintable():
        raise PackDefect(f"file name {text!a} has characters that are not safe in an archive")


def _check_link(path: Path, relative: Path, root: Path) -> None:
    if not path.is_symlink():
        return
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        raise PackDefect(f"'{relative.as_posix()}' is a link that leads out of the pack")
    if not target.is_file():
        raise PackDefect(f"'{relative.as_posix()}' is a link to something that is no file of the pack")


def _check_file(path: Path, relative: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PackDefect(f"'{relative.as_posix()}' is no regular file (a pipe, a socket or a device)")
    if not os.access(path, os.R_OK):
        raise PackDefect(f"'{relative.as_posix()}' cannot be read: permission denied")

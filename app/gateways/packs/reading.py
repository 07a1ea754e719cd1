"""Which packs does a folder hold, and what is wrong with the others?"""

import os
from collections.abc import Iterator
from pathlib import Path

from app.gateways.packs.files import scan_files
from app.gateways.packs.labels import categories_of, display_name, tags_of
from app.gateways.packs.manifest import Manifest, Release, read_manifest, read_readme
from app.gateways.packs.sources import BadPack, PackDefect, PackSource, PackVersion

MANIFEST = "pack.toml"
VERSIONS = "versions"


def read_packs(folder: Path) -> Iterator[PackSource | BadPack]:
    """One answer per sub-folder with a pack.toml, by name, read as the iterator advances.

    Only ``folder`` itself can fail: ``NotADirectoryError`` and the like are raised at the call.
    """
    candidates = sorted(path.name for path in folder.iterdir() if os.path.lexists(path / MANIFEST))
    return _read_each(folder, candidates)


def _read_each(folder: Path, names: list[str]) -> Iterator[PackSource | BadPack]:
    taken: dict[str, str] = {}
    for name in names:
        pack = _read_one(folder, name)
        if isinstance(pack, PackSource):
            owner = taken.setdefault(pack.name, name)
            if owner != name:
                pack = _bad(name, f"its name '{pack.name}' is already taken by the folder '{owner}'")
        yield pack


def _read_one(parent: Path, name: str) -> PackSource | BadPack:
    folder = parent / name
    try:
        if not folder.resolve().is_relative_to(parent.resolve()):
            raise PackDefect("the folder is a link that leads out of the catalogue")
        return _source(folder)
    except PackDefect as defect:
        return _bad(name, str(defect))
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        return _bad(name, f"cannot be read: {error}")


def _bad(name: str, reason: str) -> BadPack:
    printable = (text.encode(errors="backslashreplace").decode() for text in (name, reason))
    return BadPack(*printable)


def _source(folder: Path) -> PackSource:
    # The files come first: a pack.toml that is a link or a pipe is refused before anything opens it.
    found = scan_files(folder)
    if Path(MANIFEST) not in found:
        raise PackDefect(f"{MANIFEST} is not a file")
    manifest = read_manifest(folder / MANIFEST)
    versions = tuple(_version(folder, found, release, manifest) for release in manifest.releases)
    return PackSource(
        name=manifest.name,
        display_name=display_name(manifest.name),
        version=manifest.version,
        description=manifest.description,
        readme=_readme(folder, found),
        license=manifest.license,
        categories=manifest.categories or categories_of(manifest.name),
        tags=manifest.tags or tags_of(manifest.name),
        author=manifest.author,
        repository=manifest.repository,
        folder=folder,
        files=versions[-1].files,
        versions=versions,
    )


def _readme(folder: Path, found: tuple[Path, ...]) -> str | None:
    for path in found:
        if path.as_posix().lower() == "readme.md":
            return read_readme(folder / path)
    return None


def _version(folder: Path, found: tuple[Path, ...], release: Release, manifest: Manifest) -> PackVersion:
    if release.version == manifest.version:
        root, files = folder, _current(found, manifest)
    else:
        root = folder / VERSIONS / release.version
        files = _below(found, Path(VERSIONS, release.version))
    return PackVersion(
        version=release.version,
        changelog=release.changelog,
        released=release.released,
        folder=root,
        files=files,
    )


def _current(found: tuple[Path, ...], manifest: Manifest) -> tuple[Path, ...]:
    """All files but those of the older versions; a 'versions' folder with another meaning stays in."""
    older = [Path(VERSIONS, release.version) for release in manifest.releases[:-1]]
    return tuple(path for path in found if not any(path.is_relative_to(other) for other in older))


def _below(found: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    return tuple(path.relative_to(folder) for path in found if path.is_relative_to(folder))

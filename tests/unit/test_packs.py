"""Is every pack of a folder read or refused for a reason, and is its archive always the same?"""

import gzip
import hashlib
import io
import json
import os
import socket
import tarfile
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from jinja2 import Environment

from app.gateways.packs import (
    ArchiveInfo,
    BadPack,
    PackSource,
    PackTableError,
    PackVersion,
    files,
    read_packs,
    read_prices,
    write_archive,
)
from app.gateways.packs.labels import categories_of, display_name, tags_of

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "app" / "sample"
REAL = ROOT.parent / "shared" / "catalog"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/catalog is not there")

GOOD = 'name = "good"\nversion = "1.0.0"\ndescription = "A pack."\n'


def make_pack(parent: Path, body: str = GOOD, *, folder: str = "good", head: str = "[pack]\n") -> Path:
    path = parent / folder
    path.mkdir()
    (path / "pack.toml").write_text(head + body, encoding="utf-8")
    return path


def the_good(parent: Path) -> PackSource:
    [pack] = read_packs(parent)
    assert isinstance(pack, PackSource), pack
    return pack


def the_reason(parent: Path) -> str:
    [pack] = read_packs(parent)
    assert isinstance(pack, BadPack), pack
    assert pack.name == "good"
    return pack.reason


def sample_packs() -> dict[str, PackSource]:
    packs = list(read_packs(SAMPLE / "catalog"))
    assert [pack for pack in packs if isinstance(pack, BadPack)] == []
    return {pack.name: pack for pack in packs if isinstance(pack, PackSource)}


# The sample catalogue


def test_the_sample_has_fourteen_packs_of_five_authors() -> None:
    packs = sample_packs()
    assert list(packs) == [
        "api-style-guide",
        "dbt-metrics-pack",
        "docs-site-theme",
        "fastapi-saas-starter",
        "github-actions-ci-kit",
        "helm-service-baseline",
        "invoice-pdf-templates",
        "nextjs-storefront-theme",
        "postgres-runbooks",
        "qualified-invoice-japan",
        "stripe-webhook-recipes",
        "support-prompt-pack",
        "terraform-landing-zone",
        "transactional-email-templates",
    ]
    assert Counter(pack.author for pack in packs.values()) == {
        "fieldnotes": 3,
        "ledgerline": 3,
        "northbeam": 2,
        "papercrane": 3,
        "quietops": 3,
    }
    assert sum(len(pack.versions) for pack in packs.values()) == 24


def test_every_sample_version_can_be_downloaded_and_is_documented() -> None:
    for pack in sample_packs().values():
        assert 20 <= len((pack.readme or "").splitlines()) <= 60, pack.name
        for release in pack.versions:
            assert all((release.files, release.changelog, release.released)), (pack.name, release.version)


def test_one_sample_pack_is_read_completely() -> None:
    folder = SAMPLE / "catalog" / "helm-service-baseline"
    pack = sample_packs()["helm-service-baseline"]
    current = (
        Path("Chart.yaml"),
        Path("README.md"),
        Path("pack.toml"),
        Path("templates/deployment.yaml"),
        Path("templates/network-policy.yaml"),
        Path("templates/service.yaml"),
        Path("values.yaml"),
    )
    assert pack == PackSource(
        name="helm-service-baseline",
        display_name="Helm Service Baseline",
        version="0.5.0",
        description=(
            "One Helm chart for all your stateless services: deployment with probes and a locked-down "
            "security context, service, disruption budget and a network policy that starts from nothing. The "
            "values file fits on one screen, and what is not obvious in it has a reason next to it."
        ),
        readme=(folder / "README.md").read_text(encoding="utf-8").rstrip(),
        license="Apache-2.0",
        categories=("infrastructure",),
        tags=("kubernetes", "helm", "chart", "security", "baseline"),
        author="quietops",
        repository="https://git.example.com/quietops/helm-service-baseline",
        folder=folder,
        files=current,
        versions=(
            PackVersion(
                version="0.4.0",
                changelog="Deployment, service and disruption budget.",
                released=date(2026, 6, 25),
                folder=folder / "versions" / "0.4.0",
                files=(
                    Path("Chart.yaml"),
                    Path("README.md"),
                    Path("templates/deployment.yaml"),
                    Path("templates/service.yaml"),
                    Path("values.yaml"),
                ),
            ),
            PackVersion(
                version="0.5.0",
                changelog=(
                    "- New: network policy; only the namespaces you list may call the service.\n"
                    "- The disruption budget is left out for a single replica, where it would block every "
                    "node upgrade."
                ),
                released=date(2026, 9, 3),
                folder=folder,
                files=current,
            ),
        ),
    )


def test_the_sample_prices_belong_to_sample_packs() -> None:
    prices = read_prices(SAMPLE / "prices.toml")
    assert prices == {
        "docs-site-theme": ("24.00", "USD"),
        "fastapi-saas-starter": ("49.00", "USD"),
        "invoice-pdf-templates": ("29.00", "USD"),
        "nextjs-storefront-theme": ("59.00", "EUR"),
        "qualified-invoice-japan": ("3200", "JPY"),
        "stripe-webhook-recipes": ("39.00", "USD"),
        "support-prompt-pack": ("15.00", "USD"),
        "terraform-landing-zone": ("149.00", "USD"),
        "transactional-email-templates": ("19.00", "USD"),
    }
    assert prices.keys() < sample_packs().keys()


def test_the_samples_files_are_in_working_order() -> None:
    readers: dict[str, Callable[[str], object]] = {
        ".py": lambda text: compile(text, "sample", "exec"),
        ".json": json.loads,
        ".jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
        ".toml": tomllib.loads,
        ".html": Environment(autoescape=True).parse,
    }
    read = [path for path in (SAMPLE / "catalog").rglob("*") if path.suffix in readers]
    for path in read:
        readers[path.suffix](path.read_text(encoding="utf-8"))
    assert len(read) == 56


# Good packs


def test_a_minimal_pack_has_derived_labels_and_nothing_made_up(tmp_path: Path) -> None:
    make_pack(tmp_path, GOOD + 'surprise = 1\n[extra]\nkey = "kept out"\n')
    pack = the_good(tmp_path)
    assert (pack.license, pack.author, pack.repository, pack.readme) == (None, None, None, None)
    assert (pack.categories, pack.tags, pack.display_name) == (("general",), ("good",), "Good")
    assert pack.versions == (PackVersion("1.0.0", None, None, tmp_path / "good", (Path("pack.toml"),)),)


def test_packs_come_by_name_and_other_entries_are_ignored(tmp_path: Path) -> None:
    make_pack(tmp_path, GOOD.replace("good", "zebra"), folder="zebra")
    make_pack(tmp_path, GOOD.replace("good", "adder"), folder="adder")
    make_pack(tmp_path, "", folder="middle")
    (tmp_path / "LICENSE").write_text("MIT")
    (tmp_path / "no-manifest").mkdir()
    assert [(pack.name, type(pack)) for pack in read_packs(tmp_path)] == [
        ("adder", PackSource),
        ("middle", BadPack),
        ("zebra", PackSource),
    ]


def test_labels_are_normalised_and_a_single_category_is_enough(tmp_path: Path) -> None:
    labels = 'category = "Data  SQL"\ncategories = ["ai"]\ntags = ["A B", "a-b", "C_d"]\n'
    make_pack(tmp_path, GOOD + labels)
    pack = the_good(tmp_path)
    assert (pack.categories, pack.tags) == (("data-sql", "ai"), ("a-b", "c-d"))


def test_versions_are_sorted_by_precedence_and_keep_their_own_files(tmp_path: Path) -> None:
    folder = make_pack(
        tmp_path,
        GOOD.replace("1.0.0", "1.10.0")
        + '[[pack.versions]]\nversion = "1.9.0"\nreleased = 2026-05-01\n'
        + '[[pack.versions]]\nversion = "1.10.0-rc.1"\nchangelog = " almost "\nreleased = "2026-05-02"\n',
    )
    (folder / "versions" / "1.9.0").mkdir(parents=True)
    (folder / "versions" / "1.9.0" / "old.txt").write_text("old")
    (folder / "versions" / "notes.txt").write_text("no version of ours")
    assert [(v.version, v.changelog, v.released, v.files) for v in the_good(tmp_path).versions] == [
        ("1.9.0", None, date(2026, 5, 1), (Path("old.txt"),)),
        ("1.10.0-rc.1", "almost", date(2026, 5, 2), ()),
        ("1.10.0", None, None, (Path("pack.toml"), Path("versions/notes.txt"))),
    ]


def test_build_metadata_does_not_make_the_current_version_older(tmp_path: Path) -> None:
    versions = 'versions = [{version="1.0.0+b"}, {version="1.0.0+a"}]'
    make_pack(tmp_path, GOOD.replace("1.0.0", "1.0.0+b") + versions)
    assert [release.version for release in the_good(tmp_path).versions] == ["1.0.0+a", "1.0.0+b"]


def test_a_readme_is_found_in_any_case_and_without_its_byte_order_mark(tmp_path: Path) -> None:
    (make_pack(tmp_path) / "ReadMe.md").write_bytes(b"\xef\xbb\xbf# Hello\n")
    assert the_good(tmp_path).readme == "# Hello"


def test_version_control_and_desktop_droppings_stay_out(tmp_path: Path) -> None:
    folder = make_pack(tmp_path)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    (folder / ".DS_Store").write_text("x")
    (folder / ".editorconfig").write_text("root = true")
    assert the_good(tmp_path).files == (Path(".editorconfig"), Path("pack.toml"))


def test_a_link_to_a_file_of_the_same_pack_is_a_file(tmp_path: Path) -> None:
    folder = make_pack(tmp_path)
    (folder / "alias.toml").symlink_to("pack.toml")
    assert the_good(tmp_path).files == (Path("alias.toml"), Path("pack.toml"))


# Bad packs


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "pack.toml has no [pack] table"),
        (b"pack = 1", "pack.toml has no [pack] table"),
        (b"[[pack]]\nname = 'good'", "pack.toml has no [pack] table"),
        (b"[pack\n", "pack.toml is not valid TOML: "),
        (b"[pack]\nname = 'a'\nname = 'b'", "pack.toml is not valid TOML: "),
        (b"[pack]\nname = '\xff'", "pack.toml is not UTF-8 text (byte 15)"),
        (b"[pack]\nname = 'a\x00'", "pack.toml is not valid TOML: "),
        (b"x = " + b"[" * 5000, "pack.toml is "),
        (b"x = " + b"9" * 5000, "pack.toml is not valid TOML: Exceeds the limit"),
        (b"#" * 1_000_001, "pack.toml is larger than 1 MB"),
    ],
)
def test_an_unusable_manifest_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (make_pack(tmp_path) / "pack.toml").write_bytes(content)
    assert the_reason(tmp_path).startswith(reason)


@pytest.mark.parametrize("key", ["name", "version", "description"])
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "'{}' is missing or empty"),
        ('{} = " "', "'{}' is missing or empty"),
        ("{} = 1", "'{}' must be text in quotes, not a number"),
        ("{} = 1.5", "'{}' must be text in quotes, not a number"),
        ("{} = true", "'{}' must be text in quotes, not a boolean"),
        ('{} = ["x"]', "'{}' must be text in quotes, not a list"),
        ("{} = {{}}", "'{}' must be text in quotes, not a table"),
        ("{} = 2026-05-01", "'{}' must be text in quotes, not a date or time"),
        ('{} = "a\\u0000b"', "'{}': The character U+0000 at position 2 is not allowed."),
    ],
)
def test_required_keys_are_text(tmp_path: Path, key: str, line: str, reason: str) -> None:
    others = [other for other in GOOD.splitlines() if not other.startswith(key)]
    make_pack(tmp_path, "\n".join([*others, line.format(key)]))
    assert the_reason(tmp_path) == "pack.toml: " + reason.format(key)


@pytest.mark.parametrize("name", ["Good", "good pack", "../good", "-good", "gööd", "good/evil", "x" * 201])
def test_a_name_must_be_a_slug(tmp_path: Path, name: str) -> None:
    make_pack(tmp_path, GOOD.replace('"good"', f'"{name}"'))
    assert the_reason(tmp_path).startswith("pack.toml: 'name': ")


@pytest.mark.parametrize(
    "version", ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0/../..", "latest", "１.0.0"]
)
def test_a_version_must_be_semantic(tmp_path: Path, version: str) -> None:
    make_pack(tmp_path, GOOD.replace("1.0.0", version))
    assert the_reason(tmp_path).startswith(f"pack.toml: 'version' '{version}': Write ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("license = 3", "'license' must be text in quotes, not a number"),
        ('license = "a\\nb"', "'license': The character U+000A at position 2 is not allowed."),
        ("author = ['x']", "'author' must be text in quotes, not a list"),
        ("tags = [1]", "'tags' must be text in quotes, not a number"),
        (f"tags = {[f't{n}' for n in range(31)]}", "'tags' has more than 30 entries"),
        ("tags = ['日本']", "'tags': Use 1 to 40 letters a-z and digits, with hyphens between words."),
        ("category = ' '", "'category': Use 1 to 40 letters a-z and digits, with hyphens between words."),
        ('repository = "javascript:alert(1)"', "'repository' must be an http(s) address"),
        ("versions = 1", "versions must be [[pack.versions]] tables"),
        ("versions = [1]", "versions must be [[pack.versions]] tables"),
        ("versions = [{}]", "'version' is missing or empty"),
        ('versions = [{version = "2.0.0"}]', "2.0.0 is listed, but 'version' is the older 1.0.0"),
        ('versions = [{version = "0.1.0"}, {version = "0.1.0"}]', "version 0.1.0 is listed twice"),
        (
            'versions = [{version = "1.0.0", released = "soon"}]',
            "'released' of 1.0.0 must be a date such as 2026-05-01",
        ),
        (
            'versions = [{version = "1.0.0", released = 5}]',
            "'released' of 1.0.0 must be a date such as 2026-05-01",
        ),
    ],
)
def test_optional_keys_are_checked_too(tmp_path: Path, line: str, reason: str) -> None:
    make_pack(tmp_path, GOOD + line)
    assert the_reason(tmp_path) == "pack.toml: " + reason


def test_a_description_has_a_limit(tmp_path: Path) -> None:
    make_pack(tmp_path, GOOD.replace("A pack.", "x" * 50_001))
    reason = "pack.toml: 'description': At most 50,000 characters are allowed: these are 50,001."
    assert the_reason(tmp_path) == reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xfe", "README.md is not UTF-8 text (byte 0)"),
        (b"a\x00", "README.md: The character U+0000 at position 2 is not allowed."),
        (b"x" * 1_000_001, "README.md is larger than 1 MB"),
    ],
)
def test_an_unusable_readme_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (make_pack(tmp_path) / "README.md").write_bytes(content)
    assert the_reason(tmp_path) == reason


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    make_pack(tmp_path, folder="first")
    make_pack(tmp_path, folder="second")
    assert [(pack.name, getattr(pack, "reason", None)) for pack in read_packs(tmp_path)] == [
        ("good", None),
        ("second", "its name 'good' is already taken by the folder 'first'"),
    ]


def _link_out(folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")


def _link_up(folder: Path) -> None:
    (folder.parent / "neighbour.txt").write_text("not ours")
    (folder / "neighbour.txt").symlink_to("../neighbour.txt")


def _link_loop(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")


def _link_to_folder(folder: Path) -> None:
    (folder / "again").symlink_to(".")


def _link_to_nothing(folder: Path) -> None:
    (folder / "gone").symlink_to("missing")


def _manifest_link(folder: Path) -> None:
    (folder / "pack.toml").unlink()
    (folder / "pack.toml").symlink_to("/etc/passwd")


def _manifest_folder(folder: Path) -> None:
    (folder / "pack.toml").unlink()
    (folder / "pack.toml").mkdir()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _manifest_pipe(folder: Path) -> None:
    (folder / "pack.toml").unlink()
    os.mkfifo(folder / "pack.toml")


def _backslash(folder: Path) -> None:
    (folder / "..\\evil.txt").write_text("x")


def _newline(folder: Path) -> None:
    (folder / "a\nb").write_text("x")


def _undecodable(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("x")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_link_out, "'passwd' is a link that leads out of the pack"),
        (_link_up, "'neighbour.txt' is a link that leads out of the pack"),
        (_link_loop, "'loop' is a link to something that is no file of the pack"),
        (_link_to_folder, "'again' is a link to something that is no file of the pack"),
        (_link_to_nothing, "'gone' is a link to something that is no file of the pack"),
        (_manifest_link, "'pack.toml' is a link that leads out of the pack"),
        (_manifest_folder, "pack.toml is not a file"),
        (_pipe, "'pipe' is no regular file (a pipe, a socket or a device)"),
        (_manifest_pipe, "'pack.toml' is no regular file (a pipe, a socket or a device)"),
        (_backslash, "file name '..\\\\evil.txt' has characters that are not safe in an archive"),
        (_newline, "file name 'a\\nb' has characters that are not safe in an archive"),
        (_undecodable, "file name '\\udcff' has characters that are not safe in an archive"),
    ],
)
def test_unsafe_files_are_refused(tmp_path: Path, spoil: Callable[[Path], None], reason: str) -> None:
    spoil(make_pack(tmp_path))
    assert the_reason(tmp_path) == reason


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_pack(tmp_path))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert the_reason(tmp_path) == "'socket' is no regular file (a pipe, a socket or a device)"


def test_a_folder_that_is_a_link_out_of_the_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    make_pack(tmp_path, folder="elsewhere")
    (tmp_path / "catalog" / "good").symlink_to(tmp_path / "elsewhere")
    assert the_reason(tmp_path / "catalog") == "the folder is a link that leads out of the catalogue"


def test_too_many_or_too_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_pack(tmp_path)
    assert (files.MAX_FILES, files.MAX_BYTES) == (10_000, 200_000_000)
    with (folder / "large.bin").open("wb") as file:
        file.truncate(200_000_001)
    assert the_reason(tmp_path) == "is larger than 200 MB"
    (folder / "large.bin").unlink()
    monkeypatch.setattr(files, "MAX_FILES", 3)
    (folder / "deep" / "er" / "est").mkdir(parents=True)
    assert the_reason(tmp_path) == "has more than 3 files and folders"


def test_files_without_permission_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pack(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # chmod would not stop root
    assert the_reason(tmp_path) == "'pack.toml' cannot be read: permission denied"


def test_an_error_of_the_disk_is_the_packs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> tuple[Path, ...]:
        raise OSError(5, "Input/output error", str(path))

    folder = make_pack(tmp_path)
    monkeypatch.setattr("app.gateways.packs.reading.scan_files", broken)
    assert the_reason(tmp_path) == f"cannot be read: [Errno 5] Input/output error: '{folder}'"


def test_a_folder_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    (folder / "pack.toml").write_text("")
    assert list(read_packs(tmp_path)) == [BadPack("\\udcff", "pack.toml has no [pack] table")]


def test_a_missing_catalogue_is_told_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_packs(tmp_path / "missing")


# Archives


def archive_of(pack: PackSource, version: str) -> tuple[bytes, ArchiveInfo]:
    target = io.BytesIO()
    info = write_archive(pack, version, target)
    return target.getvalue(), info


def test_an_archive_is_the_same_every_time_and_everywhere(tmp_path: Path) -> None:
    copies: list[tuple[bytes, ArchiveInfo]] = []
    for parent, order in (("one", ["b.txt", "a.sh", "ünï.txt"]), ("two", ["ünï.txt", "a.sh", "b.txt"])):
        (tmp_path / parent).mkdir()
        folder = make_pack(tmp_path / parent)
        for name in order:
            (folder / name).write_text(name)
            os.utime(folder / name, (len(copies), len(copies)))
        (folder / "a.sh").chmod(0o700)
        (folder / "b.txt").chmod(0o666 if copies else 0o600)
        copies.append(archive_of(the_good(tmp_path / parent), "1.0.0"))
    (content, info), other = copies
    assert (content, info) == other
    assert info == ArchiveInfo(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    assert content[4:8] == b"\x00\x00\x00\x00"
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        facts = [(m.name, m.mode, m.uid, m.gid, m.uname, m.gname, m.mtime) for m in archive.getmembers()]
    assert facts == [
        ("good-1.0.0/a.sh", 0o755, 0, 0, "", "", 315_532_800),
        ("good-1.0.0/b.txt", 0o644, 0, 0, "", "", 315_532_800),
        ("good-1.0.0/pack.toml", 0o644, 0, 0, "", "", 315_532_800),
        ("good-1.0.0/ünï.txt", 0o644, 0, 0, "", "", 315_532_800),
    ]


def test_an_archive_of_an_older_version_holds_its_own_files(tmp_path: Path) -> None:
    pack = sample_packs()["fastapi-saas-starter"]
    target = tmp_path / "old.tar.gz"
    info = write_archive(pack, "1.0.0", target)
    assert info == ArchiveInfo(target.stat().st_size, hashlib.sha256(target.read_bytes()).hexdigest())
    with tarfile.open(target) as archive:
        assert archive.getnames() == [
            "fastapi-saas-starter-1.0.0/README.md",
            "fastapi-saas-starter-1.0.0/app/__init__.py",
            "fastapi-saas-starter-1.0.0/app/main.py",
            "fastapi-saas-starter-1.0.0/app/settings.py",
        ]
        archive.extractall(tmp_path / "out", filter="data")
    unpacked = tmp_path / "out" / "fastapi-saas-starter-1.0.0" / "app" / "main.py"
    assert unpacked.read_bytes() == (pack.folder / "versions/1.0.0/app/main.py").read_bytes()


def test_an_archive_needs_a_version_with_files(tmp_path: Path) -> None:
    make_pack(tmp_path, GOOD + '[[pack.versions]]\nversion = "0.9.0"\n')
    pack, target = the_good(tmp_path), tmp_path / "x.tar.gz"
    with pytest.raises(LookupError, match=r"good has no version 3\.0\.0"):
        write_archive(pack, "3.0.0", target)
    with pytest.raises(LookupError, match=r"good 0\.9\.0 has no files"):
        write_archive(pack, "0.9.0", target)
    assert not target.exists()


def test_a_failed_archive_leaves_no_file(tmp_path: Path) -> None:
    make_pack(tmp_path)
    pack, target = the_good(tmp_path), tmp_path / "x.tar.gz"
    (tmp_path / "good" / "pack.toml").unlink()
    with pytest.raises(FileNotFoundError):
        write_archive(pack, "1.0.0", str(target))
    assert not target.exists()


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    class Counting(io.BytesIO):
        largest = 0

        def write(self, data: bytes) -> int:  # type: ignore[override]  # only bytes arrive here
            Counting.largest = max(Counting.largest, len(data))
            return len(data)

    folder = make_pack(tmp_path)
    with (folder / "large.bin").open("wb") as file:
        file.write(os.urandom(5_000_000))
    assert write_archive(the_good(tmp_path), "1.0.0", Counting()).size > 5_000_000
    assert Counting.largest < 1_000_000


# Labels


@pytest.mark.parametrize(
    ("name", "categories", "tags", "display"),
    [
        ("affidavit-pack", ("governance",), ("affidavit",), "Affidavit Pack"),
        ("soc2-audit-pack", ("governance",), ("soc2", "audit"), "SOC 2 Audit Pack"),
        ("azure-terraform-pack", ("infrastructure",), ("azure", "terraform"), "Azure Terraform Pack"),
        ("tcps-cli-pack", ("cli", "process"), ("tcps", "cli"), "TCPS CLI Pack"),
        ("client-list", ("general",), ("client", "list"), "Client List"),
        ("core-v26-9-1-gate", ("general",), ("core", "gate"), "Core v26.9.1 Gate"),
    ],
)
def test_labels_are_derived_from_the_name(
    name: str, categories: tuple[str, ...], tags: tuple[str, ...], display: str
) -> None:
    assert (categories_of(name), tags_of(name), display_name(name)) == (categories, tags, display)


# Prices

HEAD = "name,amount,currency\n"


def test_prices_are_read_from_csv_as_well(tmp_path: Path) -> None:
    table = tmp_path / "prices.CSV"
    table.write_bytes(b'\xef\xbb\xbfName, Amount,currency\r\ngood, 29.00 ,usd\r\n\r\n"other",3200,JPY\r\n')
    assert read_prices(table) == {"good": ("29.00", "USD"), "other": ("3200", "JPY")}


def test_a_whole_amount_needs_no_quotes_in_toml(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text('[prices]\n"good" = { amount = 29, currency = "eur" }\n')
    assert read_prices(table) == {"good": ("29", "EUR")}


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("p.json", "{}", "p.json: a price table is a .toml or a .csv file"),
        ("p.toml", "[prices", "p.toml: is not valid TOML: "),
        ("p.toml", "", "p.toml: has no [prices] table"),
        ("p.toml", "[prices]\na.b = {amount='1',currency='USD'}", "p.toml: prices.a: must be { amount"),
        ("p.toml", "[prices]\na = '1'", "p.toml: prices.a: must be { amount"),
        ("p.toml", "[prices]\na = {amount='1'}", "p.toml: prices.a: must be { amount"),
        (
            "p.toml",
            "[prices]\na = {amount=29.0,currency='USD'}",
            'p.toml: prices.a: the amount must be in quotes: "29.00"',
        ),
        (
            "p.toml",
            "[prices]\na = {amount=true,currency='USD'}",
            "p.toml: prices.a: the amount must look like 29.00, not 'True'",
        ),
        (
            "p.toml",
            "[prices]\na = {amount='-1',currency='USD'}",
            "p.toml: prices.a: the amount must look like 29.00, not '-1'",
        ),
        (
            "p.toml",
            "[prices]\na = {amount='1',currency=1}",
            "p.toml: prices.a: the currency must look like USD, not '1'",
        ),
        ("p.csv", "", "p.csv: line 1: the first line must be name,amount,currency"),
        ("p.csv", "good,1,USD", "p.csv: line 1: the first line must be name,amount,currency"),
        ("p.csv", HEAD + "\na,1", "p.csv: line 3: has 2 columns instead of 3"),
        ("p.csv", HEAD + ",1,USD", "p.csv: line 2: the name is empty"),
        ("p.csv", HEAD + "a,1,USD\na,2,USD", "p.csv: line 3: 'a' has a price already"),
        ("p.csv", HEAD + "a,1.,USD", "p.csv: line 2: the amount must look like 29.00, not '1.'"),
        ("p.csv", HEAD + "a,١,USD", "p.csv: line 2: the amount must look like 29.00, not '١'"),
        ("p.csv", HEAD + "a,1,DOLLAR", "p.csv: line 2: the currency must look like USD, not 'DOLLAR'"),
        ("p.csv", HEAD + '"a,1,USD', "p.csv: line 2: unexpected end of data"),
    ],
)
def test_a_wrong_price_table_names_the_place(tmp_path: Path, file: str, content: str, reason: str) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(PackTableError) as refused:
        read_prices(tmp_path / file)
    assert str(refused.value).startswith(reason)


def test_an_unreadable_price_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackTableError, match=r"p\.csv: cannot be read: No such file or directory"):
        read_prices(tmp_path / "p.csv")
    (tmp_path / "p.csv").write_bytes(b"name\xff")
    with pytest.raises(PackTableError, match=r"p\.csv: is not UTF-8 text \(byte 4\)"):
        read_prices(tmp_path / "p.csv")


# The real catalogue


@needs_real
def test_the_real_catalogue_is_read_without_a_bad_pack() -> None:
    packs = list(read_packs(REAL))
    assert [pack for pack in packs if isinstance(pack, BadPack)] == []
    good = [pack for pack in packs if isinstance(pack, PackSource)]
    assert len(good) == 143
    assert sum(pack.readme is not None for pack in good) == 51
    assert max(len(pack.description) for pack in good) > 9_000
    labelled = [pack for pack in good if pack.categories != ("general",)]
    assert len(labelled) >= 0.9 * len(good)


@needs_real
def test_what_a_real_pack_states_wins_over_what_its_name_suggests() -> None:
    packs = {pack.name: pack for pack in read_packs(REAL) if isinstance(pack, PackSource)}
    assert packs["dfcm-pack"].categories == ("architecture-governance",)
    assert packs["dfcm-pack"].tags[:3] == ("dfcm", "chatman", "deployment")
    assert (packs["ggen-self-pack"].license, packs["ggen-self-pack"].author) == ("MIT OR Apache-2.0", "ggen")
    assert packs["castle-pack"].version == "26.8.18+dfcm.1"


@needs_real
def test_real_archives_can_be_unpacked() -> None:
    for pack in read_packs(REAL):
        assert isinstance(pack, PackSource)
        content, info = archive_of(pack, pack.version)
        assert info.size == len(content) == len(archive_of(pack, pack.version)[0])
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
            assert len(archive.getnames()) == len(pack.files)

"""Do the rules of the tree find what they are for, and nothing else?"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts import check_tree
from scripts.check_tree import Tree

Plant = Callable[[dict[str, str]], Tree]
NO_SILENCER = "type: " + "ignore"
LATER = "TO" + "DO"


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    def write(files: dict[str, str]) -> Tree:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return Tree(tmp_path, sorted(files))

    return write


def test_every_rule_says_its_reason() -> None:
    assert all(rule.__doc__ and len(rule.__doc__) > 40 for rule in check_tree.RULES)


def test_only_app_must_be_short(plant: Plant) -> None:
    tree = plant({"app/long.py": "\n" * 301, "app/fits.py": "\n" * 300, "tests/long.py": "\n" * 400})
    assert list(check_tree.files_are_short(tree)) == ["app/long.py: 301 lines"]


def test_a_long_file_may_have_a_reason(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(check_tree.LONG_FOR_A_REASON, "app/long.py", "a table")
    assert list(check_tree.files_are_short(plant({"app/long.py": "\n" * 301}))) == []


def test_empty_names(plant: Plant) -> None:
    tree = plant({"app/utils.py": "", "app/db/helpers/a.py": "", "app/domain/quotas.py": ""})
    assert list(check_tree.names_say_something(tree)) == [
        "app/db/helpers/a.py: helpers",
        "app/utils.py: utils",
    ]


@pytest.mark.parametrize("host", check_tree.REGISTRIES)
def test_registry_hosts(plant: Plant, host: str) -> None:
    tree = plant({"README.md": f"ok\nsee https://{host}/x", "other.md": "see https://example.com"})
    assert f"README.md:2: {host}" in list(check_tree.no_registry_is_named(tree))


def test_pictures_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff\xfe")
    assert list(check_tree.no_registry_is_named(Tree(tmp_path, ["logo.png"]))) == []


def test_marks_for_later(plant: Plant) -> None:
    tree = plant({"app/a.py": f"x = 1  # {LATER} later\n", "app/b.py": f"{LATER}S = 1\n"})
    assert list(check_tree.nothing_is_left_undone(tree)) == [f"app/a.py:1: {LATER}"]


@pytest.mark.parametrize(
    "comment, refused",
    [
        (f"# {NO_SILENCER}", True),
        (f"# {NO_SILENCER}[attr-defined]", True),
        (f"# {NO_SILENCER}[attr-defined]  # the stubs lack it", False),
        (f"# {NO_SILENCER}[attr-defined] - the stubs lack it", False),
        ("# no" + "qa", True),
        ("# no" + "qa: S101", True),
        ("# no" + "qa: S101, E501 - why not", False),
        ("# pragma: " + "no cover", True),
        ("# pragma: " + "no cover - needs Windows", False),
        ("# an ordinary comment", False),
    ],
)
def test_silencers(plant: Plant, comment: str, refused: bool) -> None:
    found = list(check_tree.silenced_for_a_reason(plant({"app/a.py": f"\nx = 1  {comment}\n"})))
    assert found == ([f"app/a.py:2: x = 1  {comment}"] if refused else [])


def test_the_domain_reads_no_clock(plant: Plant) -> None:
    source = "def f(now):\n    return datetime.now(UTC) - now\n"
    tree = plant({"app/domain/a.py": source, "app/jobs.py": source})
    assert list(check_tree.rules_read_no_clock(tree)) == ["app/domain/a.py:2: return datetime.now(UTC) - now"]


def test_settings_are_documented_both_ways(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_tree, "_settings", lambda: {"API_PORT", "LOG_LEVEL", "REDIS_URL"})
    example = "# The port.\nAPI_PORT=3000\n# REDIS_URL=redis://localhost\nOLD=1\n"
    tree = plant({"app/config.py": "", ".env.example": example})
    assert list(check_tree.settings_are_documented(tree)) == [
        ".env.example: LOG_LEVEL is missing",
        ".env.example: OLD is no setting",
    ]


def test_without_an_example_every_setting_is_missing(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_tree, "_settings", lambda: {"API_PORT"})
    tree = plant({"app/config.py": ""})
    assert list(check_tree.settings_are_documented(tree)) == [".env.example: API_PORT is missing"]


def test_the_dev_lock_holds_the_runtime_pins(plant: Plant) -> None:
    tree = plant(
        {
            "requirements/runtime.lock": "a==1 \\\n    --hash=sha256:0\nb==2 ; sys_platform != 'x' \\\n",
            "requirements/dev.lock": "a==1 \\\n    --hash=sha256:0\nb==3 ; sys_platform != 'x' \\\n",
        }
    )
    assert list(check_tree.locks_agree(tree)) == ["requirements/dev.lock: b==2 ; sys_platform != 'x'"]


def test_locks_name_no_address(plant: Plant) -> None:
    lock = "--index-url https://example.com\na @ https://example.com/a.whl\nb==1 \\\n    --hash=sha256:0\n"
    found = list(check_tree.locks_name_no_address(plant({"requirements/dev.lock": lock})))
    assert found == [
        "requirements/dev.lock:1: --index-url https://example.com",
        "requirements/dev.lock:2: a @ https://example.com/a.whl",
    ]


def test_a_broken_rule_ends_with_its_reason(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rule(tree: Tree) -> Iterator[str]:
        """Because."""
        yield "somewhere:1"

    monkeypatch.setattr(check_tree, "tree_of", lambda root: plant({}))
    monkeypatch.setattr(check_tree, "RULES", [rule])
    assert check_tree.main() == 1
    assert capsys.readouterr().out == "Because.\n  somewhere:1\n\n"

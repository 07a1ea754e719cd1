"""Does the tree keep the rules that no off-the-shelf tool knows? Each rule says its reason in words."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 300
# A file, or a folder and all below it.
LONG_FOR_A_REASON: dict[str, str] = {
    "app/api.py": "the table of contents: a line for each root field",
    "app/domain/errors.py": "one closed family, drawn at the top",
    "app/db/migrations/versions/": "a migration is written once by Alembic, and never split afterwards",
    "app/sample/": "the sample's goods are somebody's programs, not this one",
}
# Written in halves, so that this file does not break its own rule.
REGISTRIES = [
    *("pypi" + end for end in (".org", ".python.org")),
    *("pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com"),
    *("debian" + ".org/debian", "archive.ubuntu" + ".com", "security.ubuntu" + ".com"),
]
MARKS = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
SILENCERS = {
    "type: " + "ignore": re.compile(r"#\s*type:\s*" + r"ignore\[[\w-]+(,\s*[\w-]+)*\]\s*(#|-|—)\s*\w+"),
    "no" + "qa": re.compile(r"#\s*no" + r"qa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s*(#|-|—)\s*\w+"),
    "pragma: " + "no cover": re.compile(r"#\s*pragma:\s*" + r"no cover\s*(#|-|—)\s*\w+"),
}
CLOCKS = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic))\(")
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}


@dataclass(frozen=True)
class Tree:
    root: Path
    paths: list[str]

    def python(self, folder: str = "") -> Iterator[str]:
        return (path for path in self.paths if path.endswith(".py") and path.startswith(folder))

    def lines(self, path: str) -> list[str]:
        """None of a picture or another file that is no text."""
        try:
            return (self.root / path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            return []


def main() -> int:
    tree = tree_of(ROOT)
    broken = {rule: found for rule in RULES if (found := list(rule(tree)))}
    for rule, found in broken.items():
        print(f"{rule.__doc__}")
        print("".join(f"  {complaint}\n" for complaint in found))
    return 1 if broken else 0


def tree_of(root: Path) -> Tree:
    """What git tracks or would: kept files and new ones, without what is ignored or already gone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return Tree(root, sorted(path for path in set(listed.split("\0")) if path and (root / path).is_file()))


def files_are_short(tree: Tree) -> Iterator[str]:
    """A file answers one question: over 300 lines it answers several, or a reason stands in check_tree.py."""
    for path in tree.python("app/"):
        length = len(tree.lines(path))
        if length > LONGEST and not path.startswith(tuple(LONG_FOR_A_REASON)):
            yield f"{path}: {length} lines"


def names_say_something(tree: Tree) -> Iterator[str]:
    """A module called utils collects what belongs nowhere: name it after the question it answers."""
    for path in tree.python("app/"):
        for part in Path(path).with_suffix("").parts:
            if part in EMPTY_NAMES:
                yield f"{path}: {part}"


def no_registry_is_named(tree: Tree) -> Iterator[str]:
    """Whoever installs chooses where packages come from: a registry's host in the tree chooses for them."""
    for path in tree.paths:
        for number, line in enumerate(tree.lines(path), 1):
            for host in REGISTRIES:
                if host in line:
                    yield f"{path}:{number}: {host}"


def nothing_is_left_undone(tree: Tree) -> Iterator[str]:
    """A mark for later is work that nobody will find again: do it, or write an issue."""
    for path in tree.python():
        for number, line in enumerate(tree.lines(path), 1):
            for mark in MARKS:
                if re.search(rf"\b{mark}\b", line):
                    yield f"{path}:{number}: {mark}"


def silenced_for_a_reason(tree: Tree) -> Iterator[str]:
    """A silenced check needs its code and the reason, or nobody dares to remove it: `# code - reason`."""
    for path in tree.python():
        for number, line in enumerate(tree.lines(path), 1):
            for silencer, reasoned in SILENCERS.items():
                if re.search(rf"#\s*{silencer}", line) and not reasoned.search(line):
                    yield f"{path}:{number}: {line.strip()}"


def rules_read_no_clock(tree: Tree) -> Iterator[str]:
    """A rule that reads the clock cannot be tested in February: time is an argument in the domain."""
    for path in tree.python("app/domain/"):
        for number, line in enumerate(tree.lines(path), 1):
            if CLOCKS.search(line):
                yield f"{path}:{number}: {line.strip()}"


def settings_are_documented(tree: Tree) -> Iterator[str]:
    """Operators read .env.example and nothing else: it lists exactly the settings that there are."""
    if "app/config.py" not in tree.paths:
        return
    documented = set(re.findall(r"(?m)^#? ?([A-Z][A-Z0-9_]+)=", "\n".join(_if_there(tree, ".env.example"))))
    known = _settings()
    yield from (f".env.example: {name} is missing" for name in sorted(known - documented))
    yield from (f".env.example: {name} is no setting" for name in sorted(documented - known))


def _if_there(tree: Tree, path: str) -> list[str]:
    return tree.lines(path) if path in tree.paths else []


def _settings() -> set[str]:
    from app.config import Settings

    return {name.upper() for name in Settings.model_fields}


def locks_agree(tree: Tree) -> Iterator[str]:
    """What is tested is what is served: the dev lock holds every pin of the runtime lock (`make lock`)."""
    tested = _pins(tree, "requirements/dev.lock")
    yield from (
        f"requirements/dev.lock: {pin}" for pin in sorted(_pins(tree, "requirements/runtime.lock") - tested)
    )


def _pins(tree: Tree, path: str) -> set[str]:
    return {
        line.split("\\")[0].strip() for line in _if_there(tree, path) if re.match(r"[\w.-]+(\[.*\])?==", line)
    }


def locks_name_no_address(tree: Tree) -> Iterator[str]:
    """A lock says what, by its hash, and not from where."""
    for path in ("requirements/runtime.lock", "requirements/dev.lock"):
        for number, line in enumerate(_if_there(tree, path), 1):
            if "://" in line or line.startswith("--"):
                yield f"{path}:{number}: {line.strip()}"


RULES: list[Callable[[Tree], Iterator[str]]] = [
    files_are_short,
    names_say_something,
    no_registry_is_named,
    nothing_is_left_undone,
    silenced_for_a_reason,
    rules_read_no_clock,
    settings_are_documented,
    locks_agree,
    locks_name_no_address,
]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())

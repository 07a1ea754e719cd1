"""Do the import contracts notice a breach? Each is planted in a copy of the tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAYERS = "Imports go one way down, siblings do not import each other, every module has its layer"
DOMAIN = "The domain imports no infrastructure"
SURFACE = "The GraphQL surface knows neither SQL nor Stripe"
CONFIG = "Only bootstrap reads the settings"
SERVICES = "Services do not call each other"

# What contracts and breaches name.
NEEDED = [
    *("app/api.py", "app/bootstrap.py", "app/metrics.py", "app/engine/__init__.py"),
    *("app/services/planted_one.py", "app/services/planted_two.py"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_the_tree_keeps_its_contracts(tree: Path) -> None:
    result = lint(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "module, statement, contract",
    [
        ("app/domain/planted.py", "import sqlalchemy", DOMAIN),
        ("app/domain/planted.py", "from time import time", DOMAIN),
        ("app/resolvers/planted.py", "from sqlalchemy import select", SURFACE),
        ("app/schema/planted.py", "import stripe", SURFACE),
        ("app/api.py", "import stripe", SURFACE),
        ("app/services/planted.py", "import app.config", CONFIG),
        ("app/domain/planted.py", "from app.config import Settings", CONFIG),
        ("app/services/planted.py", "import app.services.planted_two", SERVICES),
        ("app/db/planted.py", "import app.services.planted_two", LAYERS),
        ("app/gateways/planted.py", "import app.db.database", LAYERS),
        ("app/domain/planted.py", "import app.metrics", LAYERS),
        ("app/api.py", "import app.bootstrap", LAYERS),
        ("app/engine/planted.py", "import app.domain.errors", LAYERS),
        ("app/planted.py", "", LAYERS),
    ],
)
def test_a_planted_breach_is_named(tree: Path, module: str, statement: str, contract: str) -> None:
    for path in (module, *NEEDED):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).touch()
    with (tree / module).open("a") as file:
        file.write(f"\n{statement}\n")
    result = lint(tree)
    assert result.returncode == 1, result.stdout + result.stderr
    told = " ".join(result.stdout.split()).partition("Contracts")[2]
    assert f"{contract} BROKEN" in told

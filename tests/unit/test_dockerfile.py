"""Does the Dockerfile make a server that runs? Its own steps are run in clean folders, without a container.

Absolute paths of the image are moved below one folder. It is emptied between stages, so that a later stage
has only what it copied; what an engine alone can do (USER, EXPOSE) is asserted from the text.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.servers.shared import free_port

ROOT = Path(__file__).resolve().parents[2]
IMAGE_PATHS = re.compile(r"(?<![\w./-])/(?=(?:opt|src|var)(?:/|\b))")


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for name, text in self.steps if name == instruction]


def stages() -> list[Stage]:
    source = "\n".join(
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")
    )
    found: list[Stage] = []
    for line in source.replace("\\\n", " ").splitlines():
        instruction, _, text = line.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = text.partition(" AS ")
            found.append(Stage(name or str(len(found)), base))
        elif instruction:
            found[-1].steps.append((instruction, " ".join(text.split())))
    return found


def environment_of(stage: Stage) -> dict[str, str]:
    return dict(word.split("=", 1) for text in stage.all("ENV") for word in shlex.split(text))


def test_the_server_is_not_root_and_told_apart_by_number() -> None:
    user = stages()[-1].all("USER")
    assert user == ["10001:10001"]


def test_both_stages_have_the_same_pinned_python() -> None:
    assert {stage.base for stage in stages()} == {"python:3.11-slim"}


def test_the_last_stage_builds_nothing() -> None:
    last = stages()[-1]
    assert last.all("RUN") == []
    assert all(text.startswith("--from=build ") for text in last.all("COPY"))


def test_packages_are_locked_by_hash() -> None:
    installs = [text for text in stages()[0].all("RUN") if " install " in text]
    assert len(installs) == 2
    assert "--require-hashes -r requirements/runtime.lock" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_the_server_listens_where_the_container_is_reached() -> None:
    last = stages()[-1]
    environment = environment_of(last)
    assert (environment["API_HOST"], environment["API_PORT"]) == ("0.0.0.0", "3000")
    assert environment["ENVIRONMENT"] == "production"
    assert last.all("EXPOSE") == ["3000"]
    assert last.all("ENTRYPOINT") == ['["revgraph"]']
    assert last.all("CMD") == ['["serve"]']


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    lines = [line for line in ignored if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {source for text in stages()[0].all("COPY") for source in text.split()[:-1]}
    assert allowed == copied


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file system of the last stage."""
    folder = tmp_path_factory.mktemp("image")
    build, last = stages()
    root = folder / "root"
    root.mkdir()
    _run_stage(build, root, folder)
    root.rename(folder / build.name)
    root.mkdir()
    _run_stage(last, root, folder)
    shutil.rmtree(folder / build.name)
    return root


def _run_stage(stage: Stage, root: Path, folder: Path) -> None:
    place = root
    for instruction, text in stage.steps:
        if instruction == "WORKDIR":
            place = Path(_moved(text, root))
            place.mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            _copy(text.split(), root, place, folder)
        elif instruction == "RUN":
            _run(text, root, place, stage)


def _copy(words: list[str], root: Path, place: Path, folder: Path) -> None:
    options = dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    origin = folder / options["from"] if "from" in options else ROOT
    for source in sources:
        found = origin / source.lstrip("/")
        wanted = place / _moved(target, root)
        wanted = wanted / found.name if target.endswith("/") else wanted
        wanted.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(found, wanted, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy(found, wanted)


def _run(text: str, root: Path, place: Path, stage: Stage) -> None:
    environment = {
        **_outside(),
        **environment_of(stage),
        "PATH": f"{_pythons(root)}{os.pathsep}{os.environ['PATH']}",
    }
    command = ["sh", "-ec", _moved(text, root)]
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"RUN {text}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"


def _moved(text: str, root: Path) -> str:
    return IMAGE_PATHS.sub(f"{root}/", text)


def _pythons(root: Path) -> Path:
    """Stands for the base image: `python` is the interpreter below our own environment."""
    folder = root.parent / "base"
    folder.mkdir(exist_ok=True)
    python = folder / "python"
    if not python.exists():
        base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        python.write_text(f'#!/bin/sh\nexec "{base}" "$@"\n')
        python.chmod(0o755)
    return folder


def _outside() -> dict[str, str]:
    """The settings of this machine without those of this project or test run."""
    own = ("PYTEST", "COV", "PYTHON", "VIRTUAL_ENV", "REVGRAPH", "PYENV_VERSION")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


@contextmanager
def served(image: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The image's own command, on a free port of this machine alone."""
    last = stages()[-1]
    port = free_port()
    home = Path(_moved(last.all("WORKDIR")[0], image))
    environment = {
        **{name: _moved(value, image) for name, value in environment_of(last).items()},
        "PATH": f"{image}/opt/revgraph/bin:/usr/bin:/bin",
        "API_HOST": "127.0.0.1",
        "API_PORT": str(port),
        "JWT_SECRET": "a-secret-of-at-least-thirty-two-bytes",
    }
    entrypoint = json.loads(last.all("ENTRYPOINT")[0])
    program = [str(image / "opt/revgraph/bin" / entrypoint[0]), *entrypoint[1:]]
    subprocess.run([*program, "migrate"], cwd=home, env=environment, check=True, timeout=60)
    command = [*program, *json.loads(last.all("CMD")[0])]
    with subprocess.Popen(command, cwd=home, env=environment, stdout=sys.stderr) as server:
        try:
            yield f"http://127.0.0.1:{port}", environment
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_last_stage_has_no_build_tools_and_none_of_the_sources(image: Path) -> None:
    packages = {
        path.name.split("-")[0].lower()
        for path in image.glob("opt/revgraph/lib/python*/site-packages/*.dist-info")
    }
    assert "strawberry_graphql" in packages
    assert "revgraph" in packages
    assert packages.isdisjoint({"pip", "setuptools", "wheel", "pytest", "mypy"})
    assert sorted(path.name for path in image.iterdir()) == ["opt", "var"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_has_every_file_of_the_program(image: Path) -> None:
    for package in ("app", "sandbox"):
        (installed,) = image.glob(f"opt/revgraph/lib/python*/site-packages/{package}")
        assert _files(installed) == _files(ROOT / package)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_has_the_stand_in_as_a_command(image: Path) -> None:
    command = [str(image / "opt/revgraph/bin/revgraph"), "sandbox", "--help"]
    said = subprocess.run(command, cwd=image, env={}, capture_output=True, text=True, check=True).stdout
    assert "usage: revgraph sandbox" in said


def _files(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)) for path in paths}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_serves_and_its_health_check_sees_it(image: Path) -> None:
    check = json.loads(stages()[-1].all("HEALTHCHECK")[0].partition("CMD ")[2])
    with served(image) as (url, environment):
        assert _alive(url)
        python = str(image / "opt/revgraph/bin" / check[0])
        assert subprocess.run([python, *check[1:]], env=environment, check=False).returncode == 0
    assert (
        subprocess.run([python, *check[1:]], env=environment, check=False, capture_output=True).returncode
        != 0
    )


def _alive(url: str) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False

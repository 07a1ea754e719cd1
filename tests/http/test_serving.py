"""Does a real server start, refuse to start, serve with several processes, and stop gracefully?"""

import json
import shutil
import signal
import socket
import sqlite3
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.commands import SECRET, Revgraph, free_port, serving
from tests.support.servers.shared import accepts_connections

DEMO = {"email": "demo@revgraph.example", "password": "demo-password-1"}
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { user { username } errors { code } } }"
BODY = json.dumps({"query": "{ plans { name } }"}).encode()


@pytest.fixture
def revgraph(tmp_path: Path, sqlite_template: Path) -> Revgraph:
    """With a migrated, empty SQLite database."""
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "revgraph.db")
    return Revgraph(tmp_path, {"JWT_SECRET": SECRET})


def begin_slowly(port: int) -> socket.socket:
    """A request of which the second half is still to come."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    head = (
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n"
        f"content-length: {len(BODY)}\r\n\r\n"
    )
    connection.sendall(head.encode() + BODY[:10])
    return connection


def finish(connection: socket.socket) -> bytes:
    connection.sendall(BODY[10:])
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    connection.close()
    return answer


def wait_until_refused(port: int, *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError("new connections are still taken")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_began_and_takes_nothing_new(revgraph: Revgraph, sign: signal.Signals) -> None:
    with serving(revgraph) as server:
        slow = begin_slowly(server.port)
        time.sleep(0.3)
        server.process.send_signal(sign)
        wait_until_refused(server.port)
        assert server.process.poll() is None, "it waits for the request in flight"

        answer = finish(slow)

        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b'{"data":{"plans":[{"name":"Free"},{"name":"Pro"},{"name":"Enterprise"}]}}')
        assert server.process.wait(10) == 0
    assert "Traceback" not in revgraph.err


def test_it_does_not_wait_for_ever(revgraph: Revgraph) -> None:
    with serving(revgraph, "--grace", "1") as server:
        slow = begin_slowly(server.port)
        time.sleep(0.3)
        begun = time.monotonic()

        assert server.stop() == 0

        assert 0.9 < time.monotonic() - begun < 8
        slow.close()


def test_an_idle_server_stops_at_once(revgraph: Revgraph) -> None:
    with serving(revgraph) as server, httpx.Client() as client:
        client.get(f"{server.url}/health")  # and the connection stays open
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 5


def test_several_processes_share_the_port_and_their_metrics(revgraph: Revgraph) -> None:
    with serving(revgraph, "--workers", "2", "--no-worker") as server:
        for _ in range(20):
            assert httpx.get(f"{server.url}/health").status_code == 200
        counted = {_health_requests(server.url) for _ in range(6)}
        slow = begin_slowly(server.port)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        answer = finish(slow)
        code = server.process.wait(20)

    assert counted == {20}, "whichever process answers, it knows of all"
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert code == 0
    assert "Traceback" not in revgraph.err
    assert "SQLite lets one process write at a time" in revgraph.err


def _health_requests(url: str) -> float:
    exposed = httpx.get(f"{url}/metrics").text
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
        if sample.name == "revgraph_http_requests_total" and sample.labels["route"] == "/health"
    )


def test_the_demo_is_loaded_once_and_tells_how_to_sign_in(tmp_path: Path) -> None:
    revgraph = Revgraph(tmp_path)
    with serving(revgraph, "--demo") as server:
        answer = httpx.post(f"{server.url}/graphql", json={"query": LOGIN, "variables": {"input": DEMO}})
        assert answer.json() == {"data": {"login": {"user": {"username": "demo"}, "errors": []}}}
        assert server.stop() == 0
    said = (tmp_path / "out").read_text()
    first = _rows(tmp_path)
    with serving(revgraph, "--demo") as server:
        assert server.stop() == 0

    assert f"http://127.0.0.1:{server.port}/graphql" in (tmp_path / "out").read_text()
    assert "demo@revgraph.example" in said
    assert "demo-password-1" in said
    assert first["packages"] >= 12
    assert first["users"] == 3
    assert _rows(tmp_path) == first


def test_the_demo_leaves_somebody_s_database_alone(revgraph: Revgraph) -> None:
    made = revgraph(
        "create-admin",
        "--email",
        "me@example.test",
        "--username",
        "somebody",
        "--password-stdin",
        stdin="a long one\n",
    )
    assert made.code == 0
    with serving(revgraph, "--demo") as server:
        assert server.stop() == 0
    assert _rows(revgraph.folder) == {"packages": 0, "users": 1}
    assert "demo-password-1" not in (revgraph.folder / "out").read_text()


def _rows(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "var" / "revgraph.db") as connection:
        counted = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("packages", "users")
        }
    connection.close()
    return counted


def test_it_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    ran = Revgraph(tmp_path)("serve", "--port", str(free_port()))
    assert ran.code == 1
    assert "The database has no tables yet" in ran.err
    assert "Run 'revgraph migrate' first." in ran.err


def test_a_port_in_use_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = Revgraph(tmp_path)("serve", "--demo", "--port", str(port))
    assert ran.code == 1
    assert f"Port {port} of 127.0.0.1 is in use." in ran.err
    assert not (tmp_path / "var" / "revgraph.db").exists()


def test_an_address_that_is_not_ours(revgraph: Revgraph) -> None:
    ran = revgraph("serve", "--host", "192.0.2.1", "--port", "3999")
    assert ran.code == 1
    assert "192.0.2.1:3999 cannot be listened on" in ran.err


def test_production_logs_one_json_object_a_line_without_secrets(revgraph: Revgraph) -> None:
    revgraph.settings["ENVIRONMENT"] = "production"
    with serving(revgraph) as server:
        httpx.get(f"{server.url}/downloads/very-secret-token?token=abc", headers={"x-request-id": "rid-7"})
        httpx.get(f"{server.url}/health", headers={"authorization": "Bearer very-secret-token"})
        assert server.stop() == 0

    lines = [json.loads(line) for line in revgraph.err.splitlines()]
    assert "very-secret-token" not in revgraph.err
    (download,) = [line for line in lines if line.get("request_id") == "rid-7"]
    assert download["path"] == "/downloads/[redacted]"
    assert (download["event"], download["level"], download["status"]) == ("request", "info", 404)
    assert any(line.get("logger") == "uvicorn.error" for line in lines), "libraries write the same way"


def test_the_level_of_the_log_is_honoured(revgraph: Revgraph) -> None:
    with serving(revgraph, LOG_LEVEL="WARNING") as server:
        httpx.get(f"{server.url}/health")
        assert server.stop() == 0
    assert revgraph.err == ""


def test_the_worker_works_alone_and_stops(revgraph: Revgraph) -> None:
    path = revgraph.folder / "var" / "revgraph.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO outbox (id, topic, payload, state, attempts, created_at, available_at) VALUES "
            "(?, 'no.such.topic', '{}', 'waiting', 0, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')",
            ("0" * 32,),
        )
    process = revgraph.start("worker")
    end = time.monotonic() + 30
    while connection.execute("SELECT attempts FROM outbox").fetchone() == (0,):
        assert process.poll() is None, revgraph.err
        assert time.monotonic() < end
        time.sleep(0.1)
    connection.close()

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert "fact_failed" in revgraph.err


def test_a_worker_with_a_port_tells_what_it_counts(revgraph: Revgraph) -> None:
    port = free_port()
    process = revgraph.start("worker", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 30
    while not accepts_connections(port):
        assert process.poll() is None, revgraph.err
        assert time.monotonic() < end
        time.sleep(0.1)

    assert httpx.get(f"{url}/ready").json() == {"status": "ready"}
    told = httpx.get(f"{url}/metrics")
    assert "revgraph_webhook_events_dead 0.0" in told.text.splitlines()
    assert httpx.post(f"{url}/graphql", json={"query": "{ __typename }"}).status_code == 404
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_port_that_is_taken_stops_the_worker_before_it_works(revgraph: Revgraph) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = revgraph("worker", "--port", str(port))
    assert refused.code == 1
    assert f"Port {port} of 127.0.0.1 is in use." in refused.err

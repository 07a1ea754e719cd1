"""Does the revgraph command do what it says, and say what is wrong? Real processes, real databases."""

import json
import shutil
import signal
import socket
import sqlite3
import stat
import time
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.api import build_schema
from app.db.migrate import head_revision
from app.gateways.licences import Ed25519Signer
from tests.support.commands import SECRET, Ran, Revgraph
from tests.support.servers.smtp import SmtpServer

SEED = b"s" * 32
PUBLIC_KEY = b64encode(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()

COMMANDS = ["serve", "worker", "migrate", "doctor", "import-catalog", "create-admin", "verify-licence"]
COMMANDS += ["sandbox", "schema", "bench-database"]


@pytest.fixture
def revgraph(tmp_path: Path) -> Revgraph:
    """Without a database yet."""
    return Revgraph(tmp_path, {"JWT_SECRET": SECRET})


@pytest.fixture
def migrated(revgraph: Revgraph, database_url: str) -> Revgraph:
    """On both databases."""
    revgraph.settings["DATABASE_URL"] = database_url
    return revgraph


@pytest.fixture
def on_sqlite(revgraph: Revgraph, sqlite_template: Path) -> Revgraph:
    (revgraph.folder / "var").mkdir()
    shutil.copy(sqlite_template, revgraph.folder / "var" / "revgraph.db")
    return revgraph


def count(revgraph: Revgraph, table: str) -> int:
    with sqlite3.connect(revgraph.folder / "var" / "revgraph.db") as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(number)


class TestUsage:
    def test_without_a_command_it_shows_what_there_is(self, revgraph: Revgraph) -> None:
        ran = revgraph()
        assert ran.code == 2
        for command in ("serve", "migrate", "schema", "import-catalog", "create-admin", "doctor", "worker"):
            assert command in ran.said
        assert "bench-database" not in ran.said

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself(self, revgraph: Revgraph, command: str) -> None:
        ran = revgraph(command, "--help")
        assert ran.code == 0
        assert "Example" in ran.out
        assert f"revgraph {command}" in ran.out
        assert "Exit codes: 0 done, 1" in ran.out

    def test_a_mistyped_command_is_guessed(self, revgraph: Revgraph) -> None:
        ran = revgraph("migrat")
        assert ran.code == 2
        assert "Did you mean 'migrate'" in ran.err

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["serve", "--port", "many"], "--port"),
            (["serve", "--port", "70000"], "--port"),
            (["serve", "--workers", "0"], "--workers"),
            (["serve", "--worksers", "2"], "--workers"),
            (["import-catalog"], "DIR"),
            (["import-catalog", "missing"], "missing: there is no such folder."),
            (["create-admin", "--email", "a@b.test"], "--username"),
            (["create-admin", "--email", "a@b.test", "--username", "boss", "secret"], "secret"),
            (["migrate", "--revision", "9999"], "There is no revision '9999'"),
            (["sandbox", "--port", "70000"], "--port: 70000 is not between 0 and 65535"),
            (["sandbox", "--port", "many"], "--port: invalid port value: 'many'"),
            (["sandbox", "--webhook-url", "localhost:3000"], "'localhost:3000' is no web address"),
            (["sandbox", "--retry-base", "0"], "--retry-base: 0 is no number of seconds above 0"),
            (["sandbox", "--retry-base", "nan"], "--retry-base: nan is no number of seconds above 0"),
            (["sandbox", "--now", "-1"], "--now: -1 is not between"),
            (["sandbox", "--state", "missing/state"], "'missing/state' is no file in an existing folder"),
            (["sandbox", "--worbhook", "x"], "unrecognized arguments: --worbhook x"),
            (["bench-database", "--users", "-1"], "--users"),
            (["bench-database", "--until", "yesterday"], "--until"),
        ],
    )
    def test_wrong_usage_is_exit_code_2(
        self, revgraph: Revgraph, arguments: list[str], complaint: str
    ) -> None:
        ran = revgraph(*arguments)
        assert ran.code == 2
        assert complaint in ran.err
        assert not (revgraph.folder / "var" / "storage" / "archives").exists()

    def test_it_knows_its_version(self, revgraph: Revgraph) -> None:
        assert revgraph("--version").out.startswith("revgraph 0.")


class TestSettings:
    def test_every_problem_is_a_line_and_the_exit_code_3(self, revgraph: Revgraph) -> None:
        ran = revgraph("migrate", API_PORT="eighty", LOG_LEVEL="loud")
        assert ran.code == 3
        assert ran.err.splitlines()[0].startswith("API_PORT: ")
        assert ran.err.splitlines()[1].startswith("LOG_LEVEL: ")
        assert len(ran.err.splitlines()) == 3, "the third says where settings come from"
        assert not (revgraph.folder / "var").exists()

    @pytest.mark.parametrize("command", ["serve", "migrate", "worker"])
    def test_production_refuses_a_missing_and_a_short_secret(self, revgraph: Revgraph, command: str) -> None:
        missing = revgraph(command, ENVIRONMENT="production", JWT_SECRET="")
        short = revgraph(command, ENVIRONMENT="production", JWT_SECRET="short-and-secret")
        assert (missing.code, short.code) == (3, 3)
        assert missing.err.startswith("JWT_SECRET: missing. In production it signs every session")
        assert short.err.startswith("JWT_SECRET: too short (16 bytes)")
        assert "short-and-secret" not in short.said
        assert not (revgraph.folder / "var").exists()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "mysql://localhost/x"),
            ("DATABASE_URL", "nonsense"),
            ("STORAGE_URL", "ftp://files"),
            ("PLANS_FILE", "missing.toml"),
            ("RATE_LIMIT_REQUESTS", "often"),
        ],
    )
    def test_values_that_only_show_when_used_are_settings_too(
        self, revgraph: Revgraph, name: str, value: str
    ) -> None:
        assert revgraph("migrate", **{name: value}).code == 3

    def test_no_demo_in_production(self, revgraph: Revgraph) -> None:
        ran = revgraph("serve", "--demo", "--port", "0", ENVIRONMENT="production")
        assert ran.code == 3
        assert "not in production" in ran.err
        assert not (revgraph.folder / "var" / "revgraph.db").exists()

    def test_an_env_file_that_is_no_text(self, revgraph: Revgraph) -> None:
        (revgraph.folder / ".env").write_bytes(b"\xff\xfe\x00")
        assert revgraph("migrate").code == 3
        assert revgraph("doctor").code == 1


class TestSchema:
    def test_it_is_the_api_s_own_and_needs_no_settings(self, revgraph: Revgraph) -> None:
        ran = revgraph("schema", API_PORT="eighty", DATABASE_URL="nonsense")
        assert ran.code == 0
        assert ran.err == ""
        assert ran.out == build_schema().as_str() + "\n"
        assert list(revgraph.folder.iterdir()) == []


class TestMigrate:
    def test_twice_is_as_good_as_once(self, revgraph: Revgraph) -> None:
        assert revgraph("migrate", "--check").code == 1
        first, second = revgraph("migrate"), revgraph("migrate")
        assert (first.code, second.code) == (0, 0)
        assert first.out == f"The database is at revision {head_revision()} (was without tables).\n"
        assert second.out == f"The database is at revision {head_revision()}: nothing to do.\n"
        assert revgraph("migrate", "--check").code == 0

    def test_going_back_must_be_said(self, on_sqlite: Revgraph) -> None:
        refused = on_sqlite("migrate", "--revision", "base")
        assert refused.code == 1
        assert "--down" in refused.err
        assert count(on_sqlite, "users") == 0, "the tables are still there"

        assert on_sqlite("migrate", "--revision", "base", "--down").code == 0
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            count(on_sqlite, "users")

    def test_a_newer_database_is_left_alone(self, on_sqlite: Revgraph) -> None:
        with sqlite3.connect(on_sqlite.folder / "var" / "revgraph.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'f00d'")
        connection.close()
        ran = on_sqlite("migrate")
        assert ran.code == 1
        assert "does not know" in ran.err

    def test_on_both_databases(self, migrated: Revgraph) -> None:
        assert migrated("migrate", "--check").code == 0

    def test_a_database_that_is_away(self, revgraph: Revgraph) -> None:
        ran = revgraph("migrate", DATABASE_URL="postgresql://me:very-secret@127.0.0.1:1/x")
        assert ran.code == 1
        assert ran.err.startswith("The database cannot be used: ")
        assert "very-secret" not in ran.said


class TestCreateAdmin:
    ARGUMENTS = ("create-admin", "--email", "Boss@Example.test", "--username", "boss", "--password-stdin")

    def test_the_password_comes_from_standard_input(self, on_sqlite: Revgraph) -> None:
        ran = on_sqlite(*self.ARGUMENTS, stdin="correct horse battery\nignored\n")
        assert (ran.code, ran.err) == (0, "")
        with sqlite3.connect(on_sqlite.folder / "var" / "revgraph.db") as connection:
            users = connection.execute("SELECT email, username, role, password_hash FROM users").fetchall()
        connection.close()
        ((email, username, role, password_hash),) = users
        assert (email, username, role) == ("boss@example.test", "boss", "admin")
        assert password_hash.startswith("$argon2id$")

    def test_a_second_one_is_refused(self, on_sqlite: Revgraph) -> None:
        assert on_sqlite(*self.ARGUMENTS, stdin="correct horse battery\n").code == 0
        again = on_sqlite(*self.ARGUMENTS, stdin="correct horse battery\n")
        assert again.code == 1
        assert "exists" in again.err or "taken" in again.err
        assert count(on_sqlite, "users") == 1

    @pytest.mark.parametrize(
        ("stdin", "code", "complaint"),
        [
            (b"", 2, "There is no password on standard input."),
            (b"\n", 2, "There is no password on standard input."),
            (b"\xff\xfe\n", 2, "is not UTF-8 text"),
            (b"short\n", 2, "password: A password has 8 to 128 characters."),
        ],
    )
    def test_bad_passwords_make_no_account(
        self, on_sqlite: Revgraph, stdin: bytes, code: int, complaint: str
    ) -> None:
        ran = on_sqlite(*self.ARGUMENTS, stdin=stdin)
        assert ran.code == code
        assert complaint in ran.err
        assert count(on_sqlite, "users") == 0

    def test_without_a_terminal_nobody_is_asked(self, on_sqlite: Revgraph) -> None:
        ran = on_sqlite(*self.ARGUMENTS[:-1], stdin="correct horse battery\n")
        assert ran.code == 2
        assert "--password-stdin" in ran.err
        assert count(on_sqlite, "users") == 0

    def test_before_migrating(self, revgraph: Revgraph) -> None:
        ran = revgraph(*self.ARGUMENTS, stdin="correct horse battery\n")
        assert ran.code == 1
        assert "Run 'revgraph migrate' first." in ran.err


class TestImportCatalog:
    def test_good_and_bad_packs(self, migrated: Revgraph) -> None:
        catalogue = migrated.folder / "packs"
        for name in ("alpha", "beta"):
            (catalogue / name).mkdir(parents=True)
            (catalogue / name / "pack.toml").write_text(
                f'[pack]\nname = "{name}"\nversion = "1.0.0"\ndescription = "Goods."\n'
            )
        (catalogue / "broken").mkdir()
        (catalogue / "broken" / "pack.toml").write_text("[pack\n")
        prices = migrated.folder / "prices.csv"
        prices.write_text("name,amount,currency\nalpha,29.00,USD\n")

        first = migrated("import-catalog", "packs", "--prices", "prices.csv", "--author", "Somebody")
        shutil.rmtree(catalogue / "broken")
        second = migrated("import-catalog", "packs", "--prices", "prices.csv", "--author", "Somebody")

        assert (first.code, second.code) == (1, 0)
        assert _outcomes(first) == {"created": "2", "updated": "0", "unchanged": "0", "bad": "1"}
        assert "pack.toml" in first.out
        assert "is not valid TOML" in first.out
        assert _outcomes(second) == {"created": "0", "updated": "0", "unchanged": "2", "bad": "0"}
        assert "3/3 " in first.err, "progress in plain lines where there is no screen"

    def test_an_empty_folder_is_probably_the_wrong_one(self, on_sqlite: Revgraph) -> None:
        (on_sqlite.folder / "empty").mkdir()
        ran = on_sqlite("import-catalog", "empty")
        assert ran.code == 1
        assert "holds no pack" in ran.err

    @pytest.mark.parametrize(("name", "text"), [("prices.csv", "a,b\n"), ("prices.toml", "["), ("p.txt", "")])
    def test_a_bad_table_of_prices_imports_nothing(self, on_sqlite: Revgraph, name: str, text: str) -> None:
        (on_sqlite.folder / "packs").mkdir()
        (on_sqlite.folder / name).write_text(text)
        ran = on_sqlite("import-catalog", "packs", "--prices", name)
        assert ran.code == 2
        assert name in ran.err
        assert count(on_sqlite, "packages") == 0


def _outcomes(ran: Ran) -> dict[str, str]:
    rows = (line.split() for line in ran.out.splitlines())
    return {row[0]: row[1] for row in rows if row and row[0] in ("created", "updated", "unchanged", "bad")}


class TestVerifyLicence:
    @pytest.fixture
    def licence(self, revgraph: Revgraph) -> Path:
        path = revgraph.folder / "licence.txt"
        path.write_text(Ed25519Signer(SEED).sign({"package": "alpha", "buyer": "somebody"}))
        return path

    def test_a_genuine_one(self, revgraph: Revgraph, licence: Path) -> None:
        ran = revgraph("verify-licence", "licence.txt", "--key", PUBLIC_KEY)
        assert ran.code == 0
        assert "alpha" in ran.out
        assert "The signature is genuine." in ran.out
        assert not (revgraph.folder / "var").exists(), "with a key it needs no server"

    @pytest.mark.parametrize("listed", [f'{{"any": "{PUBLIC_KEY}"}}', f"# ours\n{PUBLIC_KEY}\n"])
    def test_keys_from_a_file(self, revgraph: Revgraph, licence: Path, listed: str) -> None:
        (revgraph.folder / "keys").write_text(listed)
        assert revgraph("verify-licence", "licence.txt", "--keys-file", "keys").code == 0

    def test_a_changed_one(self, revgraph: Revgraph, licence: Path) -> None:
        licence.write_text(licence.read_text().replace("somebody", "nobody"))
        ran = revgraph("verify-licence", "licence.txt", "--key", PUBLIC_KEY)
        assert ran.code == 1
        assert "forged or was changed" in ran.err
        assert ran.out == ""

    def test_somebody_else_s(self, revgraph: Revgraph, licence: Path) -> None:
        other = b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
        assert revgraph("verify-licence", "licence.txt", "--key", other).code == 1
        assert revgraph("verify-licence", "licence.txt").code == 1, "nor is it this server's own"

    @pytest.mark.parametrize(
        ("arguments", "content"),
        [
            (["missing.txt", "--key", PUBLIC_KEY], b""),
            (["x", "--key", "nonsense"], b"revgraph licence 1\n"),
            (["x", "--key", PUBLIC_KEY], b"\xff\xfe"),
            (["x", "--keys-file", "missing"], b""),
        ],
    )
    def test_what_cannot_be_read(self, revgraph: Revgraph, arguments: list[str], content: bytes) -> None:
        (revgraph.folder / "x").write_bytes(content)
        assert revgraph("verify-licence", *arguments).code == 2


class TestDoctor:
    def findings(self, revgraph: Revgraph, *, code: int, **settings: str) -> dict[str, tuple[str, str]]:
        ran = revgraph("doctor", "--json", **settings)
        assert ran.code == code, ran.said
        report = json.loads(ran.out)
        assert report["healthy"] is (code == 0)
        for finding in report["findings"]:
            assert bool(finding["advice"]) is (finding["level"] != "OK"), finding
        return {each["check"]: (each["level"], each["message"]) for each in report["findings"]}

    def test_a_healthy_installation(self, migrated: Revgraph, dialect: str) -> None:
        found = self.findings(migrated, code=0)
        assert {level for level, _ in found.values()} == {"OK"}
        expected = {
            "python",
            "settings",
            "var dir",
            "clock",
            "database",
            "migrations",
            "background work",
            "counters",
            "storage",
        }
        assert expected <= found.keys()
        assert ("file" in found) is (dialect == "sqlite")
        assert ("clocks" in found) is (dialect == "postgresql")

    def test_as_a_table_for_people(self, on_sqlite: Revgraph) -> None:
        ran = on_sqlite("doctor")
        assert ran.code == 0
        assert "what to do" in ran.out
        assert "FAIL" not in ran.out

    def test_settings_with_every_problem(self, revgraph: Revgraph) -> None:
        ran = revgraph("doctor", API_PORT="eighty", LOG_LEVEL="loud", JWT_SECRET="short")
        assert ran.code == 1
        assert "API_PORT: " in ran.out
        assert "LOG_LEVEL: " in ran.out

    def test_missing_migrations(self, revgraph: Revgraph) -> None:
        found = self.findings(revgraph, code=1)
        assert found["migrations"] == ("FAIL", f"no tables yet, {head_revision()} is needed")
        assert "counters" not in found, "there is nothing to look at"

    def test_a_file_that_is_no_database(self, revgraph: Revgraph) -> None:
        (revgraph.folder / "var").mkdir()
        (revgraph.folder / "var" / "revgraph.db").write_bytes(b"not a database at all, " * 500)
        level, message = self.findings(revgraph, code=1)["database"]
        assert level == "FAIL"
        assert "not a database" in message

    def test_a_damaged_database(self, on_sqlite: Revgraph) -> None:
        path = on_sqlite.folder / "var" / "revgraph.db"
        content = bytearray(path.read_bytes())
        content[8192:12288] = b"\xff" * 4096
        path.write_bytes(content)
        found = self.findings(on_sqlite, code=1)
        assert "FAIL" in (found.get("file") or found["database"])

    def test_rows_that_refer_to_nothing(self, on_sqlite: Revgraph) -> None:
        with sqlite3.connect(on_sqlite.folder / "var" / "revgraph.db") as connection:
            connection.execute(
                "INSERT INTO package_tags (package_id, tag) VALUES ('00000000000000000000000000000000', 'x')"
            )
        connection.close()
        assert self.findings(on_sqlite, code=1)["file"] == ("FAIL", "1 rows refer to rows that are not there")

    def test_a_database_that_is_away(self, revgraph: Revgraph) -> None:
        url = "postgresql://me:very-secret@127.0.0.1:1/x"
        found = self.findings(revgraph, code=1, DATABASE_URL=url)
        assert found["database"][0] == "FAIL"
        assert "very-secret" not in json.dumps(found)

    def test_counters_that_drifted_and_facts_that_died(self, on_sqlite: Revgraph) -> None:
        on_sqlite(*TestCreateAdmin.ARGUMENTS, stdin="correct horse battery\n")
        with sqlite3.connect(on_sqlite.folder / "var" / "revgraph.db") as connection:
            connection.execute(
                "INSERT INTO usage_counters SELECT id, 'api_call', '2026-01-01 00:00:00', 7, 0 FROM users"
            )
            connection.execute(
                "INSERT INTO outbox (id, topic, payload, state, attempts, created_at, available_at) VALUES "
                "('00000000000000000000000000000000', 'account.verify_email', '{}', 'dead', 10, "
                "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')"
            )
        connection.close()
        found = self.findings(on_sqlite, code=1)
        assert found["counters"][0] == "FAIL"
        assert "counted 7, recorded 0" in found["counters"][1]
        assert found["background work"] == ("WARN", "1 jobs or events were given up, 0 wait")

    def test_rows_from_the_future(self, on_sqlite: Revgraph) -> None:
        on_sqlite(*TestCreateAdmin.ARGUMENTS, stdin="correct horse battery\n")
        with sqlite3.connect(on_sqlite.folder / "var" / "revgraph.db") as connection:
            connection.execute("UPDATE audit_log SET created_at = '2099-01-01 00:00:00.000000'")
        connection.close()
        level, message = self.findings(on_sqlite, code=1)["time"]
        assert level == "FAIL"
        assert "2099-01-01" in message

    def test_services_that_do_not_answer(self, on_sqlite: Revgraph) -> None:
        on_sqlite.settings |= {
            "REDIS_URL": "redis://:very-secret@127.0.0.1:1/0",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": "1",
            "STORAGE_URL": "s3://bucket?endpoint=http://127.0.0.1:1&region=x",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }
        found = self.findings(on_sqlite, code=1)
        assert [found[check][0] for check in ("redis", "smtp", "storage")] == ["FAIL"] * 3
        assert "very-secret" not in json.dumps(found)

    def test_services_that_answer(self, on_sqlite: Revgraph, redis_url: str, smtp_server: SmtpServer) -> None:
        on_sqlite.settings |= {
            "REDIS_URL": redis_url,
            "SMTP_HOST": smtp_server.host,
            "SMTP_PORT": str(smtp_server.port),
            "SMTP_STARTTLS": "false",
            "SMTP_USERNAME": "me",
            "SMTP_PASSWORD": "secret",
        }
        found = self.findings(on_sqlite, code=0)
        assert found["redis"][0] == found["smtp"][0] == "OK"
        assert smtp_server.logins == [("me", "secret")]
        assert smtp_server.messages == []

    def test_production_is_warned_of_what_it_would_regret(self, on_sqlite: Revgraph) -> None:
        found = self.findings(on_sqlite, code=0, ENVIRONMENT="production")
        warned = {check for check, (level, _) in found.items() if level == "WARN"}
        assert warned == {"api key pepper", "licence signing key", "base url", "mail"}

    @pytest.mark.parametrize(
        ("settings", "level", "message"),
        [
            ({}, "OK", "off: what costs money says so; set STRIPE_API_KEY to take any"),
            ({"STRIPE_API_KEY": "sk_test_x"}, "WARN", "through Stripe, without webhooks"),
            (
                {"STRIPE_API_KEY": "rk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"},
                "OK",
                "through Stripe with a live key",
            ),
            (
                {
                    "STRIPE_API_KEY": "sk_test_x",
                    "STRIPE_WEBHOOK_SECRET": "whsec_x",
                    "STRIPE_API_BASE": "http://127.0.0.1:12111",
                },
                "OK",
                "through http://127.0.0.1:12111 with a test key",
            ),
            (
                {
                    "STRIPE_API_KEY": "sk_test_x",
                    "STRIPE_WEBHOOK_SECRET": "whsec_x",
                    "ENVIRONMENT": "production",
                },
                "WARN",
                "through Stripe with a test key",
            ),
        ],
    )
    def test_it_says_where_payments_go(
        self, on_sqlite: Revgraph, settings: dict[str, str], level: str, message: str
    ) -> None:
        assert self.findings(on_sqlite, code=0, **settings)["payments"] == (level, message)


class TestSandbox:
    def test_a_port_in_use(self, revgraph: Revgraph) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            ran = revgraph("sandbox", "--port", str(port))
        assert ran.code == 1
        assert ran.err.startswith(
            f"The stand-in cannot start: port {port} of 127.0.0.1: Address already in use."
        )

    def test_a_state_that_is_none(self, revgraph: Revgraph) -> None:
        for number, content in enumerate((b"not json", b"[]", b"{}", b'{"clock": 1}')):
            (revgraph.folder / f"state{number}").write_bytes(content)
            ran = revgraph("sandbox", "--port", "0", "--state", f"state{number}")
            assert ran.code == 1
            assert f"state{number} holds no state: " in ran.err
            assert (revgraph.folder / f"state{number}").read_bytes() == content

    def test_a_state_has_one_program_at_a_time(self, revgraph: Revgraph) -> None:
        first = revgraph.start("sandbox", "--port", "0", "--state", "state")
        try:
            _wait_for_its_address(revgraph)
            second = revgraph("sandbox", "--port", "0", "--state", "state")
            assert second.code == 1
            assert "state is in use by another stand-in." in second.err
        finally:
            first.send_signal(signal.SIGINT)
            assert first.wait(10) == 0

    @pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
    def test_it_is_not_the_folder_of_that_name_and_stops_when_told(
        self, revgraph: Revgraph, sign: signal.Signals
    ) -> None:
        (revgraph.folder / "sandbox").mkdir()
        (revgraph.folder / "sandbox" / "__init__.py").touch()
        (revgraph.folder / "sandbox" / "__main__.py").write_text("raise SystemExit(7)")
        process = revgraph.start("sandbox", "--port", "0")
        try:
            address = _wait_for_its_address(revgraph)
            assert httpx.get(f"{address}/_sandbox").json()["api_version"]
        finally:
            process.send_signal(sign)
            assert process.wait(10) == 0
        assert revgraph.err == ""


def _wait_for_its_address(revgraph: Revgraph) -> str:
    end = time.monotonic() + 30
    while not (said := (revgraph.folder / "out").read_text()):
        assert time.monotonic() < end, revgraph.err
        time.sleep(0.05)
    assert said.startswith("The stand-in for Stripe: http://127.0.0.1:")
    return said.split()[4]


class TestBenchDatabase:
    SIZE = ("--users", "150", "--packages", "30", "--events", "4000", "--until", "2026-11-01")

    def test_it_is_sound_by_every_constraint_and_counter(
        self, revgraph: Revgraph, request: pytest.FixtureRequest, dialect: str
    ) -> None:
        url = _empty_database(request, dialect, revgraph.folder)
        made = revgraph("bench-database", url, *self.SIZE)
        assert made.code == 0, made.said
        rows = {line.split()[0]: line.split()[1] for line in made.out.splitlines() if len(line.split()) == 3}
        assert (rows["users"], rows["packages"], rows["usage_events"]) == ("150", "30", "4,150")
        assert "Sign in as user0@bench.example" in made.out

        found = TestDoctor().findings(revgraph, code=0, DATABASE_URL=url)
        assert found["counters"] == ("OK", "agree with the recorded usage")

        again = revgraph("bench-database", url, *self.SIZE)
        assert again.code == 1
        assert "holds data already" in again.err

    def test_the_same_options_make_the_same_rows(self, revgraph: Revgraph) -> None:
        for name, seed in (("one", "1"), ("two", "1"), ("three", "2")):
            assert revgraph("bench-database", f"{name}.db", *self.SIZE, "--seed", seed).code == 0
        one, two, three = (_content(revgraph.folder / f"{name}.db") for name in ("one", "two", "three"))
        assert one == two
        assert one != three


def _empty_database(request: pytest.FixtureRequest, dialect: str, folder: Path) -> str:
    if dialect == "sqlite":
        return f"sqlite:///{folder}/bench.db"
    server = request.getfixturevalue("postgres_server")
    name = f"bench_{folder.name.replace('-', '_').lower()}"[:60]
    request.addfinalizer(lambda: server.drop_database(name))
    return str(server.create_database(name))


def _content(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        rows = [
            row
            for table in ("packages", "purchases", "usage_events", "usage_counters", "api_keys", "invoices")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        ]
    connection.close()
    return rows


def test_the_development_secret_stays_with_its_owner(tmp_path: Path) -> None:
    assert Revgraph(tmp_path)("migrate").code == 0
    assert stat.S_IMODE((tmp_path / "var" / "jwt-secret").stat().st_mode) == 0o600

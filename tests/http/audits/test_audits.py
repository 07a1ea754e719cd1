"""Every audit of the public suite for GraphQL over HTTP, against real servers: any schema's, and ours."""

import shutil
from pathlib import Path

from tests.http.audits import suite
from tests.http.audits.server import serving
from tests.http.audits.toy import build
from tests.support import commands


def test_every_audit_is_ok() -> None:
    folder = suite.install()
    with serving(build().app) as address:
        results = suite.run(folder, f"{address}/graphql")
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61


def test_every_audit_is_ok_for_the_product(tmp_path: Path, sqlite_template: Path) -> None:
    folder = suite.install()
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "revgraph.db")
    revgraph = commands.Revgraph(tmp_path, {"JWT_SECRET": commands.SECRET})
    with commands.serving(revgraph) as running:
        results = suite.run(folder, f"{running.url}/graphql")
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61

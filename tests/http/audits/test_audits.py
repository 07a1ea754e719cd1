"""Every audit of the public suite for GraphQL over HTTP, against a real server."""

from tests.http.audits import suite
from tests.http.audits.server import serving
from tests.http.audits.toy import build


def test_every_audit_is_ok() -> None:
    folder = suite.install()
    with serving(build().app) as address:
        results = suite.run(folder, f"{address}/graphql")
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61

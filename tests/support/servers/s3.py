"""Which S3-compatible store do the tests use? Our stand-in, in a process of its own, spoken to over HTTP."""

import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import s3_app
from tests.support.servers.shared import accepts_connections, launch, share


@dataclass(frozen=True)
class S3Server:
    """What a client needs: path-style addressing, plain HTTP allowed. Each `bucket()` is empty and new."""

    endpoint: str
    region: str = "us-east-1"
    access_key_id: str = s3_app.ACCESS_KEY_ID
    secret_access_key: str = "test-secret"

    def create_bucket(self, name: str) -> str:
        """Returns its URL, `http://host:port/name`; an existing one is emptied."""
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=10):
            return f"{self.endpoint}/{name}"

    @property
    def environment(self) -> dict[str, str]:
        """The usual variables by which S3 clients are configured."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_ALLOW_HTTP": "true",
        }


def s3_server(folder: Path) -> S3Server:
    facts = share(folder, "s3", lambda: _start(folder))
    return S3Server(endpoint=f"http://127.0.0.1:{facts['port']}")


def _start(folder: Path) -> dict[str, str]:
    return {"port": str(launch(folder, "s3", _command, ready=accepts_connections))}


def _command(port: int) -> list[str]:
    return [sys.executable, s3_app.__file__, str(port)]

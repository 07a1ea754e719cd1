"""GET /.well-known/revgraph-licence-keys.json: the keys that prove licences, to whoever verifies offline."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.context import Deps
from app.transfers.problems import json_response

PATH = "/.well-known/revgraph-licence-keys.json"


def routes(deps: Deps) -> list[Route]:
    keys = [
        {"kid": kid, "publicKey": public_key, "algorithm": "Ed25519"}
        for kid, public_key in deps.signer.public_keys.items()
    ]

    async def licence_keys(_: Request) -> Response:
        return json_response({"keys": keys}, status=200, headers={"cache-control": "public, max-age=300"})

    return [Route(PATH, licence_keys, methods=["GET"])]

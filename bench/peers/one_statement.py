"""The limit: what would it take without GraphQL? One statement that builds the JSON, on bare ASGI.

uvicorn bench.peers.one_statement:app
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # it carries no types
import orjson

from app.schema.node import split_id

GLOBAL_ID = "rtrim(translate(encode('{kind}:'::bytea || uuid_send({id}), 'base64'), '+/', '-_'), '=')"
LISTED = "status IN ('published', 'deprecated')"


def _id(kind: str, column: str) -> str:
    return GLOBAL_ID.format(kind=kind, id=column)


def _instant(column: str) -> str:
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def _edges(made: str, source: str) -> str:
    """``made`` for each row of ``source``, in its order, as edges."""
    return f"""(SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', {made})), '[]'))
        FROM ({source}) AS row)"""


def _page(made: str, source: str, size: int) -> str:
    """As `_edges`, with whether more follows; ``source`` without a limit."""
    return f"""(SELECT json_build_object(
        'pageInfo', json_build_object('hasNextPage', count(*) > {size}),
        'edges', coalesce(
            json_agg(json_build_object('node', {made})) FILTER (WHERE row.place <= {size}), '[]'))
        FROM (SELECT listed.*, row_number() OVER () AS place FROM ({source} LIMIT {size + 1}) AS listed)
        AS row)"""


SCOPES = (
    "(SELECT json_agg(upper(replace(scope, ':', '_'))) FROM json_array_elements_text(row.scopes) AS scope)"
)
AUTHOR_NAME = "(SELECT json_build_object('username', username) FROM authors WHERE id = row.author_id)"
PRICE = "json_build_object('amountCents', row.price_cents, 'currency', row.currency)"
DASHBOARD = f"""
SELECT json_build_object('data', json_build_object('viewer', json_build_object(
    'id', {_id("User", "u.id")}, 'email', u.email, 'username', u.username, 'tier', upper(u.tier),
    'role', upper(u.role), 'createdAt', {_instant("u.created_at")},
    'subscription', (SELECT json_build_object('id', {_id("Subscription", "s.id")}, 'tier', upper(s.tier),
        'status', upper(s.status), 'cancelAtPeriodEnd', s.cancel_at_period_end,
        'createdAt', {_instant("s.created_at")}) FROM subscriptions s
        WHERE s.user_id = u.id AND s.status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')),
    'apiKeys', {
    _edges(
        f'''json_build_object('id', {_id("ApiKey", "row.id")}, 'name', row.name, 'prefix', row.prefix,
        'scopes', {SCOPES}, 'createdAt', {_instant("row.created_at")},
        'lastUsedAt', {_instant("row.last_used_at")})''',
        "SELECT * FROM api_keys WHERE user_id = u.id ORDER BY id DESC LIMIT 10",
    )
},
    'invoices', {
    _edges(
        f'''json_build_object('number', row.number, 'status', upper(row.status),
        'total', json_build_object('amountCents', row.total_cents, 'currency', row.currency),
        'periodStart', {_instant("row.period_start")}, 'periodEnd', {_instant("row.period_end")},
        'paidAt', {_instant("row.paid_at")})''',
        "SELECT * FROM invoices WHERE user_id = u.id ORDER BY id DESC LIMIT 10",
    )
}
)))::text FROM users u WHERE u.id = $1
"""
CATALOGUE = f"""
SELECT json_build_object('data', json_build_object('packages', {
    _page(
        f'''json_build_object('id', {_id("Package", "row.id")}, 'slug', row.slug, 'name', row.name,
        'downloads', row.downloads, 'rating', bench.packages_rating(row.of), 'ratingCount', row.rating_count,
        'price', {PRICE}, 'publishedAt', {_instant("row.published_at")},
        'author', (SELECT json_build_object('id', {_id("Author", "a.id")}, 'username', a.username)
            FROM authors a WHERE a.id = row.author_id),
        'versions', (SELECT json_build_object('edges', json_agg(json_build_object('node', json_build_object(
            'id', {_id("PackageVersion", "v.id")}, 'version', v.version)))) FROM (
            SELECT id, version FROM package_versions WHERE package_id = row.id
            ORDER BY sort_key DESC, id DESC LIMIT 3) AS v))''',
        f"SELECT p.*, p AS of FROM packages p WHERE {LISTED} ORDER BY downloads DESC, id DESC",
        50,
    )
}))::text
"""
SEARCH = f"""
SELECT json_build_object('data', json_build_object('packages', {
    _page(
        f'''json_build_object('id', {_id("Package", "row.id")}, 'slug', row.slug, 'name', row.name,
        'downloads', row.downloads, 'author', {AUTHOR_NAME})''',
        "SELECT * FROM bench.search_packages($1)",
        20,
    )
}))::text
"""
NODE = f"""
SELECT json_build_object('data', json_build_object('node', json_build_object(
    'id', {_id("Package", "row.id")}, 'slug', row.slug, 'name', row.name, 'downloads', row.downloads,
    'price', {PRICE}, 'author', {AUTHOR_NAME})))::text FROM packages row WHERE row.id = $1
"""
THOUSAND = f"""
SELECT json_build_object('data', json_build_object('nodes', json_agg(json_build_object(
    'username', a.username, 'packages', {
    _edges(
        "json_build_object('slug', row.slug, 'name', row.name)",
        f'''SELECT slug, name FROM packages WHERE author_id = a.id AND {LISTED}
        ORDER BY published_at DESC, id DESC LIMIT 20''',
    )
}) ORDER BY asked.place)))::text
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place) JOIN authors a ON a.id = asked.id
"""


def _uuid(text: str) -> UUID:
    split = split_id(text)
    assert split is not None
    return split[1]


Asked = Callable[[dict[str, Any], UUID], Any]
STATEMENTS: dict[str, tuple[str, Asked]] = {
    "Dashboard": (DASHBOARD, lambda _, user: user),
    "Catalogue": (CATALOGUE, lambda *_: None),
    "Search": (SEARCH, lambda variables, _: variables["query"]),
    "Node": (NODE, lambda variables, _: _uuid(variables["id"])),
    "Thousand": (THOUSAND, lambda variables, _: [_uuid(each) for each in variables["ids"]]),
}
_pools: list[Any] = []


async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body = orjson.loads((await receive())["body"])
    user = next((value for name, value in scope["headers"] if name == b"x-user"), b"")
    statement, asked = STATEMENTS[body["operationName"]]
    argument = asked(body["variables"], UUID(user.decode()))
    arguments = [] if argument is None else [argument]
    async with _pools[0].acquire() as connection:
        answer = (await connection.fetchval(statement, *arguments)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _live(receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
    await receive()
    settings = {"timezone": "UTC"}
    url = os.environ["PEER_DATABASE_URL"]
    pool = await asyncpg.create_pool(url, ssl=False, max_size=10, server_settings=settings, reset=_nothing)
    _pools.append(pool)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _nothing(_: Any) -> None:
    """No statement of ours leaves anything behind that would have to be reset."""

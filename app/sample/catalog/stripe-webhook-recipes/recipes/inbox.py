"""How is every event processed exactly once?"""

import json
import sqlite3
from collections.abc import Callable

SCHEMA = """
create table inbox (id text primary key, type text not null, body text not null, done integer not null default 0);
create table paid (invoice text primary key, amount integer not null);
"""


def store(database: sqlite3.Connection, event: dict) -> bool:
    """False when the event was known already. Fast enough to happen before the answer."""
    with database:
        cursor = database.execute(
            "insert into inbox (id, type, body) values (?, ?, ?) on conflict do nothing",
            (event["id"], event["type"], json.dumps(event)),
        )
    return cursor.rowcount == 1


def work(
    database: sqlite3.Connection, handlers: dict[str, Callable[[sqlite3.Connection, dict], None]]
) -> int:
    """Effect and mark share a transaction: a crash leaves both or neither."""
    waiting = database.execute("select id, type, body from inbox where done = 0").fetchall()
    for identifier, kind, body in waiting:
        with database:
            if kind in handlers:
                handlers[kind](database, json.loads(body))
            database.execute("update inbox set done = 1 where id = ?", (identifier,))
    return len(waiting)


def invoice_paid(database: sqlite3.Connection, event: dict) -> None:
    invoice = event["data"]["object"]
    database.execute("insert into paid values (?, ?)", (invoice["id"], invoice["amount_paid"]))


if __name__ == "__main__":
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    event = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1", "amount_paid": 2900}}}
    assert store(database, event) and not store(database, event)
    assert work(database, {"invoice.paid": invoice_paid}) == 1
    assert work(database, {"invoice.paid": invoice_paid}) == 0
    print("Paid:", database.execute("select * from paid").fetchall())

"""What if an older event arrives after a newer one?"""

import sqlite3

SCHEMA = "create table subscriptions (id text primary key, status text not null, as_of integer not null);"


def apply(database: sqlite3.Connection, *, subscription: str, status: str, created: int) -> bool:
    """Writes only what is newer than what is known. Events of the same second: the later arrival wins."""
    with database:
        cursor = database.execute(
            """
            insert into subscriptions (id, status, as_of) values (?, ?, ?)
            on conflict (id) do update set status = excluded.status, as_of = excluded.as_of
            where excluded.as_of >= subscriptions.as_of
            """,
            (subscription, status, created),
        )
    return cursor.rowcount == 1


if __name__ == "__main__":
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    assert apply(database, subscription="sub_1", status="active", created=20)
    assert not apply(database, subscription="sub_1", status="incomplete", created=10)
    print("Known:", database.execute("select status from subscriptions").fetchone()[0])

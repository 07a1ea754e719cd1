"""Is the database there, of this program's revision, sound, and in step with the clock?"""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.findings import Finding, Level, fail, ok, warn
from app.cli.reporting import explained
from app.context import Deps
from app.db.migrate import current_revision, head_revision
from app.db.repositories import health, outbox, webhook_events
from app.domain.outbox import FactState
from app.services import usage

TOLERATED = timedelta(seconds=5)
OLDEST_POSTGRESQL = 14
DRIFT_SHOWN = 100
SMALL_BYTES = 250_000_000
"""So much is read through in seconds."""


async def all_of(deps: Deps, *, deep: bool) -> list[Finding]:
    """The later checks are left out where an earlier one makes them pointless."""
    findings: list[Finding] = []
    try:
        async with deps.database.read() as connection:
            deep = deep or await health.size_bytes(connection) <= SMALL_BYTES
            findings += await (_sqlite if deps.database.dialect == "sqlite" else _postgresql)(connection)
            if deep and deps.database.dialect == "sqlite":
                findings.append(await _file(connection))
            findings.append(await _migrations(connection))
            if all(finding.level is not Level.FAIL for finding in findings):
                findings += [await _newest(connection), await _outbox(connection)]
                findings.append(await _drift(deps) if deep else _left_out())
    except Exception as error:  # noqa: BLE001 - a broken database fails in any way, and that is the finding
        advice = "Look at DATABASE_URL: is the server running, the file whole, the password right?"
        findings.append(fail("database", explained(error), advice))
    return findings


def _left_out() -> Finding:
    megabytes = SMALL_BYTES // 1_000_000
    return ok("contents", f"over {megabytes} MB: not read; 'revgraph doctor --deep' does, and takes its time")


async def _sqlite(connection: AsyncConnection) -> list[Finding]:
    path, mode = connection.engine.url.database, await health.journal_mode(connection)
    found = [ok("database", f"SQLite {await health.version(connection)}, {path}")]
    if mode != "wal":
        advice = "Move the file to a local disk: WAL needs shared memory, which network disks lack."
        found.append(fail("journal", f"{mode} instead of wal: readers wait for writers", advice))
    return found


async def _file(connection: AsyncConnection) -> Finding:
    damage = await health.damage(connection)
    if damage:
        return fail("file", damage[0], "Restore a backup; 'sqlite3 FILE .recover' saves what is left.")
    broken = await health.broken_references(connection)
    if broken:
        return fail("file", f"{broken} rows refer to rows that are not there", "Restore a backup.")
    return ok("file", "sound")


async def _postgresql(connection: AsyncConnection) -> list[Finding]:
    version = await health.version(connection)
    found = [ok("database", f"PostgreSQL {version}")]
    if int(version.split(".")[0]) < OLDEST_POSTGRESQL:
        found[0] = warn("database", f"PostgreSQL {version}", f"Use {OLDEST_POSTGRESQL} or later.")
    if not await health.has_trigrams(connection):
        advice = "'revgraph migrate' creates it, or as superuser: CREATE EXTENSION pg_trgm."
        found.append(fail("pg_trgm", "is missing: search cannot forgive slips", advice))
    apart = abs(await health.clock(connection) - datetime.now(UTC))
    if apart > TOLERATED:
        message = f"{apart.total_seconds():.0f} seconds apart from the database's"
        found.append(fail("clocks", message, "Let NTP set both clocks: leases and quotas compare them."))
    else:
        found.append(ok("clocks", "this machine's and the database's agree"))
    return found


async def _migrations(connection: AsyncConnection) -> Finding:
    revision, head = await current_revision(connection), head_revision()
    if revision == head:
        return ok("migrations", f"at revision {revision}")
    has = f"at revision {revision}" if revision else "no tables yet"
    return fail("migrations", f"{has}, {head} is needed", "Run 'revgraph migrate'.")


async def _newest(connection: AsyncConnection) -> Finding:
    newest, now = await health.newest_moment(connection), datetime.now(UTC)
    if newest is not None and newest > now + TOLERATED:
        message = f"the newest row is of {newest:%Y-%m-%d %H:%M:%S} UTC, which is still to come"
        return fail("time", message, "The clock was ahead, or is behind now: set it.")
    return ok("time", f"the newest row is of {newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "no rows yet")


async def _outbox(connection: AsyncConnection) -> Finding:
    waiting, dead = await _jobs(connection)
    if dead:
        advice = "An admin sees why in Query.jobs and Query.webhookEvents, and replays them."
        return warn("background work", f"{dead} jobs or events were given up, {waiting} wait", advice)
    return ok("background work", f"{waiting} jobs and events wait")


async def _jobs(connection: AsyncConnection) -> tuple[int, int]:
    """(waiting, dead)"""
    facts = await outbox.backlog(connection, now=datetime.now(UTC))
    waiting, _, dead = await webhook_events.backlog(connection)
    for row in facts:
        waiting += row.facts if row.state == FactState.WAITING else 0
        dead += row.facts if row.state == FactState.DEAD else 0
    return waiting, dead


async def _drift(deps: Deps) -> Finding:
    rows = await usage.drift(database=deps.database, limit=DRIFT_SHOWN)
    if rows:
        first, number = rows[0], f"{len(rows)}{'+' if len(rows) == DRIFT_SHOWN else ''}"
        example = f"{first.resource} of {first.user_id}: counted {first.used}, recorded {first.recorded}"
        advice = "Usage was changed past the program: find out how before repairing it."
        return fail("counters", f"{number} differ from their events: {example}", advice)
    return ok("counters", "agree with the recorded usage")

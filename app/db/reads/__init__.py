"""Why do frequent reads go to the driver by themselves? SQLAlchemy's share of each was the larger half.

A statement is declared once with SQLAlchemy Core (`Query`), turned into SQL once for each database, and then
costs little more than the driver: no pool events and reset queries, no greenlets, no expanded lists, and rows
that are tuples with names. ``Database.rows`` is all that the rest of the program sees; decisions, and what is
asked seldom, stay with SQLAlchemy's connections.
"""

from app.db.reads.queries import Listed, Prepared, Query, among, given

__all__ = ["Listed", "Prepared", "Query", "among", "given"]

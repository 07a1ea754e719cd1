"""What is shown of a row, and of what belongs to it?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from app.db.projections.written import Write
from app.db.repositories.keyset import PagedList
from app.db.rows import Select


class Projection:
    """By the names of an object type's fields: how each is made of a row."""

    def __init__(self, **fields: "Shown") -> None:
        self.fields: Mapping[str, Shown] = fields


@dataclass(frozen=True)
class Part:
    """An object made of the same row; null where the column ``unless_null`` is."""

    shows: Projection
    unless_null: str | None = None


@dataclass(frozen=True)
class Child:
    """One row of ``rows``, whose column ``by`` has the value of the row's column ``parent``; or null."""

    rows: Select
    by: ColumnElement[Any] | InstrumentedAttribute[Any]
    shows: Callable[[], Projection]
    parent: str = "id"


@dataclass(frozen=True)
class Page:
    """A connection: a page of the list whose parent is the value of the row's column ``parent``."""

    lists: PagedList
    shows: Callable[[], Projection]
    parent: str = "id"


Shown = Write | Part | Child | Page

"""How does a statement of SQLAlchemy Core become SQL, arguments and rows, once for all of its executions?"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from asyncpg.pgproto import pgproto  # type: ignore[import-untyped]  # it carries no types
from sqlalchemy import JSON, BindParameter, ColumnElement, String, Uuid, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.db.models.base import UtcDateTime
from app.db.rows import Select

Convert = Callable[[Any], Any]
_driver_uuid: Convert = pgproto.UUID
Rows = list[Any]


_LATER: Final = object()


def given(name: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
    """A value that is given under ``name`` when the statement is asked."""
    return bindparam(name, value=_LATER, type_=type_)


class Query:
    """A statement; its values stand in it, or are `given` (or `among` those given) when it is asked."""

    def __init__(self, statement: Select) -> None:
        self.statement = statement
        self._prepared: dict[str, Prepared] = {}

    def prepared(self, dialect: Dialect) -> "Prepared":
        known = self._prepared.get(dialect.name)
        if known is None:
            known = self._prepared[dialect.name] = Prepared(self.statement, dialect)
        return known


class Prepared:
    """A query in the words of one database."""

    def __init__(self, statement: Select, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        self.sql = compiled.string
        self._arguments = [_argument(compiled, name) for name in compiled.positiontup or ()]
        columns = list(statement.selected_columns)
        names = [column.key or f"column_{place}" for place, column in enumerate(columns)]
        self._make: Any = namedtuple("Row", names)._make  # type: ignore[attr-defined]  # named at run time
        converts = [_result_convert(column.type, dialect) for column in columns]
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """In the order in which the SQL takes them."""
        return [
            value if name is None else values[name] if convert is None else convert(values[name])
            for name, convert, value in self._arguments
        ]

    def rows(self, found: Iterable[Sequence[Any]]) -> Rows:
        make, converts = self._make, self._converts
        return [make(_converted(row, converts)) for row in found] if converts else list(map(make, found))


def _argument(compiled: SQLCompiler, name: str) -> tuple[str | None, Convert | None, Any]:
    """(name, convert, None) of what is given when asked, (None, None, value) of what stands already."""
    listed = name not in compiled.binds  # one value of a list that stands in the statement
    bind = compiled.binds[name.rpartition("_")[0] if listed else name]
    convert = _bind_convert(bind.type, compiled.dialect)
    if bind.value is _LATER:
        return name, convert, None
    value = compiled.params[name]
    return None, None, convert(value) if convert else value


def _bind_convert(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How the program's value becomes the driver's, None where it is the same."""
    if isinstance(type_, Listed) and dialect.name == "postgresql":
        item = type_.item.dialect_impl(dialect).bind_processor(dialect)
        return (lambda values: list(map(item, values))) if item else list
    convert: Convert | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _result_convert(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How the driver's value becomes the program's, None where it is the same."""
    if isinstance(type_, UtcDateTime) and dialect.name == "postgresql":
        return None  # the driver gives aware ones, in UTC
    if isinstance(type_, Uuid) and dialect.name == "sqlite":
        return _driver_uuid  # an uuid.UUID, as PostgreSQL's driver gives, made in a fifth of the time
    if isinstance(type_, JSON) and dialect.name == "postgresql":
        return orjson.loads  # SQLAlchemy would tell the driver to do this
    convert: Convert | None = type_.dialect_impl(dialect).result_processor(dialect, None)
    return convert


def _converted(row: Sequence[Any], converts: Sequence[tuple[int, Convert]]) -> list[Any]:
    values = list(row)
    for place, convert in converts:
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


class Listed(TypeDecorator[list[Any]]):
    """A list of values as one argument: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return list(value or ())
        convert = self.item.dialect_impl(dialect).bind_processor(dialect)
        return orjson.dumps([convert(item) if convert else item for item in value or ()]).decode()


class among(ColumnElement[bool]):  # noqa: N801 - read as a function, as SQLAlchemy's own
    """Whether ``column`` is one of the values that are given under ``name``, however many these are."""

    inherit_cache = False

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.values = given(name, Listed(column.type))


@compiles(among, "postgresql")
def _among_on_postgresql(element: among, compiler: SQLCompiler, **given: Any) -> str:
    return f"{compiler.process(element.column, **given)} = ANY({compiler.process(element.values, **given)})"


@compiles(among, "sqlite")
def _among_on_sqlite(element: among, compiler: SQLCompiler, **given: Any) -> str:
    column, values = (compiler.process(part, **given) for part in (element.column, element.values))
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - made of the program's own text

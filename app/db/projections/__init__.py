"""Why does PostgreSQL build some answers itself? JSON made where the rows lie costs a tenth of objects.

A `Projection` says by the names of GraphQL's fields how a row is written as a JSON object; a `Builder` makes
one statement of a whole selection. Decided is nothing here: who may see it is known before. What a projection
does not name is answered the usual way, and SQLite, which lives in the process, answers everything so.
"""

from app.db.projections.answers import Statements, pages_of, survey
from app.db.projections.fields import Child, Page, Part, Projection
from app.db.projections.statements import Asked, Builder, Paged

__all__ = [
    "Asked",
    "Builder",
    "Child",
    "Page",
    "Paged",
    "Part",
    "Projection",
    "Statements",
    "pages_of",
    "survey",
]

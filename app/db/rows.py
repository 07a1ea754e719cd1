"""What statements return: rows whose columns are read by name, as the models declare them."""

from typing import Any, TypeAlias

import sqlalchemy

Row: TypeAlias = sqlalchemy.Row[*tuple[Any, ...]]
Select: TypeAlias = sqlalchemy.Select[*tuple[Any, ...]]

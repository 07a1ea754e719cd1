"""Which tables the models describe: the search index is each database's own DDL and stands beside them."""

from typing import Any


def is_of_the_models(name: str | None, kind: str, _: Any) -> bool:
    return not (kind == "table" and name is not None and name.startswith("package_search"))

"""``revgraph schema``: what does the API look like?"""

import sys


def schema() -> None:
    """Print the GraphQL schema (SDL). Needs neither settings nor a database.

    Example: [bold]revgraph schema > schema.graphql[/bold]
    """
    from app.api import build_schema

    sys.stdout.write(build_schema().as_str() + "\n")

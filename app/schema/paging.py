"""The four arguments of every connection."""

from typing import Annotated

import strawberry

First = Annotated[
    int | None, strawberry.argument(description="At most so many from the start, 1 to 100; 20 unless said.")
]
After = Annotated[str | None, strawberry.argument(description="Only what follows this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="At most so many from the end, 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what precedes this cursor.")]

"""How does long work show that it goes on? A bar for people, plain lines for files and pipes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.reporting import complain, err

Step = Callable[[int, int, str], None]
"""(done, of how many, the last one's name)"""


@contextmanager
def shown(title: str, *, every: int = 1) -> Iterator[Step]:
    """``every``: plain lines come at multiples of it only."""
    if not err.is_terminal:
        yield lambda done, total, name: _line(done, total, name, every)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[name]}"), console=err, transient=True) as bar:
        task = bar.add_task(title, total=None, name="")
        yield lambda done, total, name: bar.update(task, completed=done, total=total, name=name)


def _line(done: int, total: int, name: str, every: int) -> None:
    if done % every == 0 or done == total:
        complain(f"{done}/{total} {name}", style="")

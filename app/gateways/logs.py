"""How do lines get into the log? Structured, one way for our own and for the libraries' lines.

Production writes one JSON object a line, development lines for people; both to standard error, because
standard output belongs to what a command prints.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from app.gateways.redaction import redact

QUIET = {
    "uvicorn.access": logging.CRITICAL,
    **dict.fromkeys(("alembic", "aiosqlite", "httpx", "httpcore", "stripe"), logging.WARNING),
}
"""Levels that these loggers never fall below: the access line is ours, SQL would hold people's data, and
three lines for each call to the payment provider bury everything else."""

_BEFORE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_AFTER: list[Processor] = [structlog.processors.format_exc_info, redact]


def configure(*, json: bool, level: str = "INFO") -> None:
    """For the whole process, and as often as wanted. ``level``: DEBUG, INFO, WARNING or ERROR."""
    render: Processor = (
        structlog.processors.JSONRenderer(serializer=_as_text)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*_BEFORE, *_AFTER, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _take_in_the_libraries(render, level)


def _as_text(event: MutableMapping[str, Any], default: Any = None, **_: Any) -> str:
    return orjson.dumps(event, default=default or str, option=orjson.OPT_NON_STR_KEYS).decode()


def _take_in_the_libraries(render: Processor, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *_BEFORE,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.PositionalArgumentsFormatter(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_AFTER, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelNamesMapping()[level]))
    logging.captureWarnings(capture=True)

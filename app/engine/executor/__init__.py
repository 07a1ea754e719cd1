"""How does a request become an answer, faster than graphql-core does it and with the same result?"""

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema
from graphql import execute as execute_with_graphql_core
from graphql.execution import Executor, MiddlewareManager
from graphql.execution.execute import default_field_resolver
from graphql.execution.incremental import IncrementalExecutor
from graphql.pyutils import is_awaitable as default_is_awaitable

from app.engine.document_cache import DocumentCache
from app.engine.executor.plan import ATTRIBUTE, BATCH, READY, Compiled
from app.engine.executor.ready import Ready
from app.engine.executor.run import Run
from app.engine.executor.shapes import CLASS

__all__ = ["ATTRIBUTE", "BATCH", "CLASS", "READY", "Plans", "Ready", "execute", "mark_is_awaitable"]

# A selection's nodes, plan and reader weigh about this much together.
BYTES_PER_SELECTION = 6_000
_known_is_awaitable: set[Callable[[Any], Any]] = {default_is_awaitable}

Plans = DocumentCache[Compiled]
Result = ExecutionResult | Awaitable[ExecutionResult]


def mark_is_awaitable(predicate: Callable[[Any], Any]) -> None:
    """Declare that `predicate` says what graphql-core's own says."""
    _known_is_awaitable.add(predicate)


def execute(
    schema: GraphQLSchema,
    document: DocumentNode,
    root_value: Any = None,
    context_value: Any = None,
    variable_values: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    field_resolver: Any = None,
    type_resolver: Any = None,
    subscribe_field_resolver: Any = None,
    max_coercion_errors: int = 50,
    enable_early_execution: bool = False,
    middleware: Any = None,
    executor_class: type[Executor[Any]] | None = None,
    is_awaitable: Callable[[Any], Any] | None = None,
    is_async_iterable: Callable[[Any], Any] | None = None,
    *,
    may_yield: bool = False,
    raw: bool = False,
    plans: Plans | None = None,
    **others: Any,
) -> Result:
    """As `graphql.execute`, argument for argument.

    The schema counts as finished: what an operation needs of it is kept between executions. With `may_yield`
    an awaitable may also stand for work that awaits nothing, but is long enough to let others have a turn;
    with `raw` parts of the data may be `orjson.Fragment`s, JSON that somebody else has made (`ready`).
    """
    given: tuple[Any, ...] = (root_value, context_value, variable_values, operation_name, field_resolver)
    given = (*given, type_resolver, subscribe_field_resolver, max_coercion_errors, enable_early_execution)
    given_core = (*given, middleware, executor_class, is_awaitable, is_async_iterable)
    core: Callable[[], Result] = partial(execute_with_graphql_core, schema, document, *given_core, **others)
    if not _is_ours(schema, middleware, executor_class, is_awaitable, others):
        return core()
    # graphql-core's part of the work up to the first field costs little.
    build: Callable[..., Any] = (executor_class or IncrementalExecutor).build
    executor = build(schema, document, *given, None, is_awaitable, is_async_iterable, **others)
    if isinstance(executor, list):
        return ExecutionResult(None, errors=executor)
    plan = _compiled(executor, document, operation_name, plans).plan(executor)
    if plan is None:
        return core()
    return Run(plan, executor, may_yield=may_yield, raw=raw).start()


def _is_ours(
    schema: GraphQLSchema,
    middleware: Any,
    executor_class: Any,
    is_awaitable: Callable[[Any], Any] | None,
    others: Mapping[str, Any],
) -> bool:
    return (
        (not middleware or (isinstance(middleware, MiddlewareManager) and not middleware.middlewares))
        and (executor_class is None or _differs_in_info_only(executor_class))
        and (is_awaitable is None or is_awaitable in _known_is_awaitable)
        and others.get("abort_signal") is None
        and others.get("hooks") is None
        and not (schema.get_directive("defer") or schema.get_directive("stream"))
    )


@lru_cache(maxsize=100)
def _differs_in_info_only(executor_class: Any) -> bool:
    if not issubclass(executor_class, IncrementalExecutor):
        return False
    own = executor_class.__mro__[: executor_class.__mro__.index(IncrementalExecutor)]
    overridden = {name for cls in own for name in vars(cls) if hasattr(IncrementalExecutor, name)}
    return all(name == "build_resolve_info" or name.startswith("__") for name in overridden)


def _compiled(
    executor: Executor[Any], document: DocumentNode, operation_name: str | None, plans: Plans | None
) -> Compiled:
    reads_defaults = executor.field_resolver is default_field_resolver
    cache = _plans_of(executor.schema) if plans is None else plans
    # By identity, as comparing documents costs more than executing them: whoever keeps parsed documents by
    # the hash of their text has the same document for the same text.
    key = (id(document), operation_name, reads_defaults)
    known = cache.get(key)
    if known is not None and known.document is document:
        return known
    compiled = Compiled(document, reads_defaults=reads_defaults)
    cache.offer(key, compiled, size=(compiled.selections + 1) * BYTES_PER_SELECTION)
    return compiled


def _plans_of(schema: GraphQLSchema) -> Plans:
    # On the schema itself, so that they end with it: plans refer to it by way of its fields' resolvers.
    attributes = vars(schema)
    plans: Plans | None = attributes.get("_engine_plans")
    if plans is None:
        plans = attributes["_engine_plans"] = DocumentCache()
    return plans

"""What happens to a well-formed request between its parameters and its payload?"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Generic

import structlog
from graphql import (
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution import get_variable_values
from starlette.requests import Request
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionResult

from app.engine.documents import Checked, Documents
from app.engine.introspection import Introspector
from app.engine.limits import LimitExceeded, Limits
from app.engine.strawberry_schema import EngineSchema
from app.transport.hooks import Context, Extras, Hooks, Operation
from app.transport.parameters import Parameters
from app.transport.prepared_document import PreparedDocument, prepared
from app.transport.presentation import INTERNAL, present_request_error
from app.transport.refusal import Refusal

MAX_COERCION_ERRORS = 10
STRAWBERRY_RULES = (MaybeNullValidationRule, OneOfInputValidationRule)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`timeout` is seconds of execution; without `suggestions` errors do not tell names of the schema."""

    limits: Limits = field(default_factory=Limits)
    timeout: float = 10.0
    introspection: bool = True
    suggestions: bool = True


class Runner(Generic[Context]):
    """What all operations of one schema share."""

    def __init__(self, schema: Schema, hooks: Hooks[Context], options: Options) -> None:
        if PreparedDocument not in schema.extensions:
            raise ValueError("Without the extension PreparedDocument the schema parses and validates again.")
        self.schema = schema
        self.core = schema._schema
        self.plain = schema if isinstance(schema, EngineSchema) and schema.is_plain else None
        self.hooks = hooks
        self.options = options
        self.introspector = Introspector(self.core)
        refused = () if options.introspection else (NoSchemaIntrospectionCustomRule,)
        self.documents = Documents(
            self.core,
            limits=options.limits,
            further_rules=(*STRAWBERRY_RULES, *refused),
            hide_suggestions=not options.suggestions,
        )


class MethodNotAllowed(Refusal):
    """The one refusal of a well-formed request that is a matter of HTTP, and keeps its status."""


class OperationRun(Generic[Context]):
    """One operation on its way; what it has reached so far is what `finish` gets to see."""

    def __init__(self, runner: Runner[Context], context: Context, request: Request) -> None:
        self.runner = runner
        self.context = context
        self.request = request
        self.extras = Extras()
        self.operation: Operation | None = None
        self.result: ExecutionResult | None = None

    async def payload(self, parameters: Parameters) -> tuple[dict[str, Any], int]:
        checked = self._check(parameters)
        node = self._select(checked)
        self.operation = operation = self._prepare(checked, node, parameters)
        await self.runner.hooks.before_execute(self.context, operation, self.extras)
        self.result = await self._execute(operation, parameters)
        return self._present(self.result)

    def _check(self, parameters: Parameters) -> Checked:
        try:
            return self.runner.documents.check(
                parameters.query, variables=parameters.variables, operation_name=parameters.operation_name
            )
        except LimitExceeded as error:
            raise Refusal.of_limit(error) from None
        except GraphQLSyntaxError as error:
            raise _refusal([error], "GRAPHQL_PARSE_FAILED") from None

    def _select(self, checked: Checked) -> OperationDefinitionNode:
        node = checked.operation
        if node is not None and node.operation is not OperationType.QUERY and self.request.method == "GET":
            message = "GET is for queries. Send mutations by POST."
            raise MethodNotAllowed(message, code="METHOD_NOT_ALLOWED", status=405, headers={"allow": "POST"})
        if checked.errors:
            raise _refusal(list(checked.errors), "GRAPHQL_VALIDATION_FAILED")
        if node is None:
            message = "Name one operation of the document in operationName."
            raise Refusal(message, code="OPERATION_RESOLUTION_FAILURE")
        if node.operation is OperationType.SUBSCRIPTION:
            raise Refusal("Subscriptions are not offered over HTTP.", code="OPERATION_NOT_SUPPORTED")
        return node

    def _prepare(self, checked: Checked, node: OperationDefinitionNode, parameters: Parameters) -> Operation:
        coerced = self._coerce(node, parameters.variables) if node.variable_definitions else {}
        return Operation(
            document=checked.document,
            name=node.name.value if node.name else None,
            kind=node.operation,
            root_fields=checked.root_fields(coerced),
            variables=parameters.variables,
            measures=checked.measures,
        )

    def _coerce(self, node: OperationDefinitionNode, variables: dict[str, Any]) -> dict[str, Any]:
        values = get_variable_values(
            self.runner.core,
            node.variable_definitions or (),
            variables,
            max_errors=MAX_COERCION_ERRORS,
            hide_suggestions=not self.runner.options.suggestions,
        )
        if isinstance(values, list):
            raise _refusal(values, "BAD_USER_INPUT")
        return values.coerced

    async def _execute(self, operation: Operation, parameters: Parameters) -> ExecutionResult:
        timeout = asyncio.timeout(self.runner.options.timeout)
        try:
            async with timeout:
                if self.runner.introspector.is_asked(operation.root_fields):
                    return await self._introspect(operation)
                if operation.kind is OperationType.MUTATION:
                    # One that takes too long goes on unseen: cut off, it might be half done.
                    return await asyncio.shield(asyncio.ensure_future(self._run(operation, parameters)))
                return await self._run(operation, parameters)
        except TimeoutError:
            if not timeout.expired():
                raise
            log.warning("operation_timed_out", operation=operation.name, root_fields=operation.root_fields)
            message = f"The operation took longer than {self.runner.options.timeout:g} seconds."
            raise Refusal(message, code="TIMEOUT", status=504) from None

    def _run(self, operation: Operation, parameters: Parameters) -> Awaitable[ExecutionResult]:
        if self.runner.plain is not None:
            return self.runner.plain.run(
                operation.document,
                context_value=self.context,
                variable_values=parameters.variables,
                operation_name=operation.name,
            )
        return self._run_prepared(operation, parameters)

    async def _run_prepared(self, operation: Operation, parameters: Parameters) -> ExecutionResult:
        with prepared(operation.document):
            return await self.runner.schema.execute(
                parameters.query,
                variable_values=parameters.variables,
                context_value=self.context,
                operation_name=operation.name,
            )

    async def _introspect(self, operation: Operation) -> ExecutionResult:
        result = await self.runner.introspector.answer(
            operation.document, variables=operation.variables, operation_name=operation.name
        )
        return ExecutionResult(data=result.data, errors=result.errors)

    def _present(self, result: ExecutionResult) -> tuple[dict[str, Any], int]:
        request_id = getattr(self.request.state, "request_id", "")
        errors = [_coded(self.runner.hooks.present_error(error, request_id)) for error in result.errors or ()]
        payload: dict[str, Any] = {"errors": errors} if errors else {}
        # Without a path the error is of no field: an extension of the schema failed around the execution.
        failed = result.data is None and any(error.path is None for error in result.errors or ())
        if not failed:
            payload["data"] = result.data
        if result.extensions:
            payload["extensions"] = dict(result.extensions)
        return payload, 500 if failed else 200


def _refusal(errors: list[GraphQLError], code: str) -> Refusal:
    return Refusal.of_errors([present_request_error(error, code) for error in errors], code=code)


def _coded(error: dict[str, Any]) -> dict[str, Any]:
    return {**error, "extensions": {"code": INTERNAL, **error.get("extensions", {})}}

"""How does a Strawberry schema execute by the engine?

Everything around the execution stays Strawberry's: extensions, the handling of errors, subscriptions. Field
extensions, permissions and `Info` are part of the resolvers that Strawberry has built, and the engine calls
these as graphql-core would. Extensions that wrap every resolver, and directives of the schema's own, make an
operation graphql-core's.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

from graphql import DocumentNode, GraphQLField, GraphQLObjectType, GraphQLScalarType
from graphql import ExecutionResult as CoreResult
from strawberry import Info, Schema, field
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import FieldExtension
from strawberry.schema._graphql_core import execution_context_class_kwargs
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES, _coerce_error
from strawberry.schema.schema_converter import (
    CustomGraphQLEnumType,
    GraphQLCoreConverter,
    get_arguments,
)
from strawberry.types import ExecutionResult
from strawberry.types.field import StrawberryField

from app.engine.executor import ATTRIBUTE, BATCH, CLASS, READY, execute, mark_is_awaitable

__all__ = ["Batched", "EngineSchema", "batched"]

mark_is_awaitable(optimized_is_awaitable)

# (parents, info of the first of them, arguments) -> a value or an exception for each parent, in their order.
Load = Callable[..., Awaitable[Sequence[Any]]]


class Batched(FieldExtension):
    """The field's values come from `load`, for all parents at once.

    Without the engine, and beside other extensions, `load` is called with one parent after the other.
    """

    def __init__(self, load: Load) -> None:
        self.load = load

    async def resolve_async(self, next_: Any, source: Any, info: Info[Any, Any], **arguments: Any) -> Any:  # noqa: ARG002  # never asked
        [value] = await self.load([source], info, **arguments)
        if isinstance(value, Exception):
            raise value
        return value


def batched(load: Load, *, extensions: Sequence[FieldExtension] = (), **options: Any) -> Any:
    """A Strawberry field of a batch: `author: User = batched(load_authors, description="…")`.

    Its arguments are those of `load` after the parents and `info`.
    """

    async def resolve(**_: Any) -> Any:
        raise AssertionError("Batched answers in its place")

    given = list(signature(load).parameters.values())[2:]
    arguments = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in given]
    resolve.__signature__ = Signature(arguments)  # type: ignore[attr-defined]  # which Strawberry reads
    resolve.__module__ = load.__module__
    resolve.__name__ = getattr(load, "__name__", "resolve")
    return field(resolver=resolve, extensions=[*extensions, Batched(load)], **options)


class EngineSchema(Schema):
    """Strawberry's Schema, executed by the engine."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for type_ in self._schema.type_map.values():
            if isinstance(type_, GraphQLObjectType):
                self._describe(type_)
            elif isinstance(type_, CustomGraphQLEnumType):
                type_.extensions[CLASS] = type_.wrapped_cls
        for python_type, definition in self.schema_converter.scalar_registry.items():
            scalar = self._schema.type_map.get(getattr(definition, "name", None) or "")
            python_class = getattr(python_type, "__supertype__", python_type)
            if isinstance(scalar, GraphQLScalarType) and isinstance(python_class, type):
                scalar.extensions.setdefault(CLASS, python_class)

    def _describe(self, type_: GraphQLObjectType) -> None:
        definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if definition is not None and definition.is_type_of is None:
            # What Strawberry's own predicate says of direct instances.
            type_.extensions[CLASS] = (definition.concrete_of or definition).origin
        for core in type_.fields.values():
            own = core.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if isinstance(own, StrawberryField):
                self._describe_field(core, own)

    def _describe_field(self, core: GraphQLField, own: StrawberryField) -> None:
        if READY in own.metadata:
            core.extensions[READY] = own.metadata[READY]
        wrapping = [extension for extension in own.extensions if extension.has_resolver]
        if len(wrapping) == 1 and isinstance(wrapping[0], Batched) and not self._handles_errors_of(own):
            core.extensions[BATCH] = self._batch(own, wrapping[0].load)
        elif _reads_attribute(core, own):
            core.extensions[ATTRIBUTE] = own.python_name

    def _handles_errors_of(self, own: StrawberryField) -> bool:
        return bool(self.schema_converter._get_field_exception_handlers(own))

    def _batch(self, own: StrawberryField, load: Load) -> Callable[..., Awaitable[Sequence[Any]]]:
        names = {argument.python_name for argument in own.arguments}
        config, scalars = self.config, self.schema_converter.scalar_registry

        def batch(parents: Sequence[Any], raw_info: Any, **given: Any) -> Awaitable[Sequence[Any]]:
            info = config.info_class(_raw_info=raw_info, _field=own)
            if not names:
                return load(parents, info)
            _, found = get_arguments(
                field=own, source=None, info=info, kwargs=given, config=config, scalar_registry=scalars
            )
            return load(parents, info, **{name: value for name, value in found.items() if name in names})

        return batch

    def _get_execute_function(self) -> Callable[..., Any]:
        if self.config.enable_experimental_incremental_execution:
            return super()._get_execute_function()
        return execute

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        kwargs = super()._get_custom_context_kwargs(operation_extensions, sync=sync)
        incremental = self.config.enable_experimental_incremental_execution
        return kwargs if sync or incremental else {**kwargs, "may_yield": True}

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands around an execution but what leaves a valid document as it is."""
        own = all(getattr(each, "LEAVES_VALID_DOCUMENTS", False) for each in self.extensions)
        return own and not self.directives and not self.config.enable_experimental_incremental_execution

    async def run(
        self,
        document: DocumentNode,
        *,
        context_value: Any,
        variable_values: dict[str, Any],
        operation_name: str | None,
    ) -> ExecutionResult:
        """A valid document of a schema that `is_plain`, as `execute` runs it, without what is not there.

        Parts of the data may be JSON that is ready.
        """
        executes, kwargs = self._get_execute_function(), self._get_custom_context_kwargs()
        if executes is execute:
            kwargs["raw"] = True
        try:
            result = executes(
                self._schema,
                document,
                context_value=context_value,
                variable_values=variable_values,
                operation_name=operation_name,
                is_awaitable=optimized_is_awaitable,
                **execution_context_class_kwargs(self.execution_context_class),
                **kwargs,
            )
            result = result if isinstance(result, CoreResult) else await result
        except Exception as error:  # noqa: BLE001 - as Strawberry does
            result = CoreResult(None, [_coerce_error(error)])
        if result.errors:
            context = self._create_execution_context(
                query=None,
                allowed_operation_types=DEFAULT_ALLOWED_OPERATION_TYPES,
                variable_values=variable_values,
                context_value=context_value,
                operation_name=operation_name,
            )
            context.graphql_document = document
            self._process_errors(result.errors, context)
        return ExecutionResult(data=result.data, errors=result.errors)


def _reads_attribute(core: GraphQLField, own: StrawberryField) -> bool:
    """Whether the field does nothing but read an attribute, known by the resolver made for just that."""
    return (
        own.is_basic_field
        and getattr(core.resolve, "__name__", "") == "_get_basic_result"
        and type(own).get_result is StrawberryField.get_result
        and own.default_resolver is getattr
    )

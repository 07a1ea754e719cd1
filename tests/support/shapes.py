"""Has an answer the shape that the SDK's classes declare, down to its leaves?"""

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES

UNIONS = (typing.Union, types.UnionType)
LEAVES: dict[Any, Any] = {int: int, bool: bool, str: str, float: int | float, Decimal: str}


def class_of(kind: str) -> Any:
    module, name = OBJECT_CLASSES[kind]
    return getattr(import_module(module), name)


@cache
def declared(cls: type) -> dict[str, Any]:
    """The fields of a class with their types. Names that only type checkers can resolve stand for anything."""
    names = {**vars(stripe), **vars(sys.modules[cls.__module__]), **vars(cls)}
    found = {name: resolved(hint, names) for name, hint in cls.__annotations__.items()}
    return {name: hint for name, hint in found.items() if get_origin(hint) is not typing.ClassVar}


def resolved(hint: Any, names: dict[str, Any]) -> Any:
    try:
        return typing.get_type_hints(types.SimpleNamespace(__annotations__={"it": hint}), names)["it"]
    except NameError:
        return Any | None


def faults(value: Any, hint: Any, path: str) -> Iterator[str]:
    """What differs, each with its path: missing and unknown fields, nulls and types that are not declared."""
    if hint is Any or get_origin(hint) is typing.Literal:
        return
    if get_origin(hint) in UNIONS:
        options = [list(faults(value, option, path)) for option in get_args(hint)]
        if all(options):
            yield from min(options[: len(options) - (type(None) in get_args(hint))], key=len)
    elif get_origin(hint) is list:
        for item in value if isinstance(value, list) else [path]:
            yield from faults(item, get_args(hint)[0], f"{path}[]")
    elif get_origin(hint) is stripe.ListObject:
        yield from faults({**value, "data": []}, stripe.ListObject, path)
        yield from faults(value["data"], list[get_args(hint)[0]], path)
    elif inspect.isclass(hint) and issubclass(hint, stripe.StripeObject):
        yield from faults_of_object(value, hint, path) if isinstance(value, dict) else [f"{path}: no object"]
    elif hint in LEAVES and not isinstance(value, LEAVES[hint]):
        yield f"{path}: {value!r} is no {hint.__name__}"
    elif hint is type(None) and value is not None:
        yield f"{path}: {value!r}"


def faults_of_object(value: dict[str, Any], cls: type, path: str) -> Iterator[str]:
    fields = declared(cls)
    for name, hint in fields.items():
        if name in value:
            yield from faults(value[name], hint, f"{path}.{name}")
        elif type(None) not in get_args(hint):
            yield f"{path}.{name}: missing"
    yield from (f"{path}.{name}: unknown" for name in value.keys() - fields.keys() - {"object", "id"})

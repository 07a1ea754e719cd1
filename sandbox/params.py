"""Are these parameters what the pinned SDK says the endpoint takes?

The SDK's `stripe.params` describe every request as TypedDicts. They are resolved at run time, so that
the stand-in is as strict as the API version that the SDK carries, without a second description to keep.
"""

import re
import sys
import types
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from stripe._request_options import RequestOptions

from sandbox.errors import ParameterError
from sandbox.limits import check_metadata, check_number, fraction, whole

OPTIONS = frozenset(RequestOptions.__annotations__)
UNIONS = (Union, types.UnionType)


@cache
def fields(shape: type) -> dict[str, Any]:
    names = {**vars(sys.modules[shape.__module__]), "StripeContext": object, "Mapping": Mapping}
    hints = typing.get_type_hints(shape, names)
    return {name: hint for name, hint in hints.items() if name not in OPTIONS}


def checked(given: dict[str, Any], shape: type) -> dict[str, Any]:
    """The parameters with their real types, or a ParameterError that names the first wrong one."""
    return typed_dict(given, shape, "")


def typed_dict(given: dict[str, Any], shape: type, path: str) -> dict[str, Any]:
    known = fields(shape)
    for name in given:
        if name not in known:
            where = at(path, name)
            raise ParameterError(
                f"Received unknown parameter: {where}", param=where, code="parameter_unknown"
            )
    required: frozenset[str] = getattr(shape, "__required_keys__", frozenset())
    for name in sorted(required - given.keys()):
        where = at(path, name)
        raise ParameterError(f"Missing required param: {where}.", param=where, code="parameter_missing")
    read = {name: typed(value, known[name], at(path, name)) for name, value in given.items()}
    for name, value in read.items():
        check_number(value, name, at(path, name))
        if name == "metadata" and isinstance(value, dict):
            check_metadata(value, at(path, name))
    return read


def at(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def typed(value: Any, hint: Any, path: str) -> Any:
    options = get_args(hint) if get_origin(hint) in UNIONS else (hint,)
    if isinstance(value, dict):
        return mapping(value, options, path)
    if isinstance(value, list):
        return sequence(value, options, path)
    return scalar(value, options, path)


def mapping(value: dict[str, Any], options: tuple[Any, ...], path: str) -> dict[str, Any]:
    for option in options:
        if hasattr(option, "__required_keys__"):
            return typed_dict(value, option, path)
        if get_origin(option) is dict:
            inner = get_args(option)[1]
            return {key: entry(item, inner, at(path, key)) for key, item in value.items()}
    raise ParameterError(f"Invalid {'array' if accepts_list(options) else 'string'}: {path}", param=path)


def entry(item: Any, hint: Any, path: str) -> Any:
    """An entry of a map such as metadata may be empty: that unsets it."""
    return item if item == "" else typed(item, hint, path)


def sequence(value: list[Any], options: tuple[Any, ...], path: str) -> Any:
    for option in options:
        if get_origin(option) is list:
            return [
                typed(item, get_args(option)[0], at(path, str(place))) for place, item in enumerate(value)
            ]
        if get_origin(option) is dict:  # metadata whose keys are all numbers
            return {str(place): item for place, item in enumerate(value)}
    raise ParameterError(f"Invalid object: {path}", param=path)


def accepts_list(options: tuple[Any, ...]) -> bool:
    return any(get_origin(option) is list for option in options)


def scalar(value: str, options: tuple[Any, ...], path: str) -> Any:
    words = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    if value in words:
        return value
    if value == "":
        message = (
            f"You passed an empty string for '{path}', which cannot be unset; leave it out or give a value."
        )
        raise ParameterError(message, param=path, code="parameter_invalid_empty")
    # The SDK widens every closed set by `str`, for sets that grow. Here the set is what this version knows.
    closed = any(word for word in words)
    readers = [READERS[option] for option in options if option in READERS and not (closed and option is str)]
    for reader in readers:
        read = reader(value)
        if read is not None:
            return read
    raise mistyped(value, options, words, path)


def mistyped(value: str, options: tuple[Any, ...], words: list[str], path: str) -> ParameterError:
    if int in options:
        return ParameterError(f"Invalid integer: {value[:80]}", param=path, code="parameter_invalid_integer")
    if bool in options:
        return ParameterError(f"Invalid boolean: {value[:80]}", param=path)
    if words and any(words):
        choices = ", ".join(word for word in words if word)
        return ParameterError(f"Invalid {path}: must be one of {choices}", param=path)
    if float in options or Decimal in options:
        return ParameterError(f"Invalid decimal: {value[:80]}", param=path, code="parameter_invalid_decimal")
    return ParameterError(f"Invalid {'array' if accepts_list(options) else 'object'}", param=path)


def integer(value: str) -> int | None:
    read = int(value) if re.fullmatch(r"-?[0-9]{1,18}", value) else None
    return read if read is not None and whole(read) else None


def boolean(value: str) -> bool | None:
    return {"true": True, "false": False}.get(value)


def decimal(value: str) -> Decimal | None:
    try:
        read = Decimal(value)
    except InvalidOperation:
        return None
    return read if fraction(read) else None


READERS: dict[Any, Any] = {
    str: str,
    int: integer,
    bool: boolean,
    float: decimal,
    Decimal: decimal,
    object: str,
}

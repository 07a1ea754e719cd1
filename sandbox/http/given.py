"""What may be given to a control, and of which type?"""

from typing import Any, get_args, get_origin

from sandbox.errors import refused
from sandbox.periods import LATEST

Types = dict[str, Any]


def read(given: Any, takes: Types) -> dict[str, Any]:
    """The given values, all of the types named; null is as good as nothing. Raises ApiError."""
    if not isinstance(given, dict):
        raise refused("The body is a JSON object.")
    for name, value in given.items():
        if name not in takes:
            known = ", ".join(takes) or "nothing"
            raise refused(f"Unknown: {name[:80]}. This control takes {known}.", param=name[:80])
        if value is not None and not fits(value, takes[name]):
            raise refused(f"{name} is a value of type {spelled(takes[name])}.", param=name)
    return {name: value for name, value in given.items() if value is not None}


def fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(item, get_args(kind)[0]) for item in value)
    if kind is int or kind is float:
        number = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        return number and abs(value) <= LATEST
    return isinstance(value, kind)


def spelled(kind: Any) -> str:
    return f"list of {get_args(kind)[0].__name__}" if get_origin(kind) is list else str(kind.__name__)

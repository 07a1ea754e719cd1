"""Who must hear that something happened to an object, without the object's own room knowing them?"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.world import World

Hook = Callable[["World", dict[str, Any]], None]
HOOKS: dict[str, list[Hook]] = {}


def after(happening: str) -> Callable[[Hook], Hook]:
    def register(hook: Hook) -> Hook:
        HOOKS.setdefault(happening, []).append(hook)
        return hook

    return register


def tell(happening: str, world: "World", obj: dict[str, Any]) -> None:
    for hook in HOOKS.get(happening, []):
        hook(world, obj)

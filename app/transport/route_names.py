"""What is a request's route called in metrics, traces and logs?"""

from starlette.types import Scope

UNMATCHED = "unmatched"


def route_of(scope: Scope) -> str:
    """The pattern of the route that answered: a path would make as many labels as there are paths.

    Known once the router has run.
    """
    return getattr(scope.get("route"), "path", None) or UNMATCHED

"""Whose request is this?"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from app.settings import Settings, settings


@dataclass(frozen=True)
class Tenant:
    slug: str
    name: str


def find_tenant(host: str, config: Settings) -> Tenant | None:
    """'acme.example.com' belongs to acme when the base domain is example.com."""
    hostname = host.partition(":")[0].lower().rstrip(".")
    slug, _, domain = hostname.partition(".")
    if domain != config.base_domain or slug not in config.tenants:
        return None
    return Tenant(slug=slug, name=config.tenants[slug])


def current_tenant(request: Request, config: Annotated[Settings, Depends(settings)]) -> Tenant:
    tenant = find_tenant(request.headers.get("host", ""), config)
    if tenant is None:
        raise HTTPException(status_code=404, detail="No such tenant")
    return tenant

"""What does the service answer?"""

import logging
from typing import Annotated

from fastapi import Depends, FastAPI

from app.settings import settings
from app.tenancy import Tenant, current_tenant

logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(message)s")
app = FastAPI(title="SaaS starter")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "alive"}


@app.get("/whoami")
async def whoami(tenant: Annotated[Tenant, Depends(current_tenant)]) -> Tenant:
    return tenant

"""What does the service answer?"""

import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from app.settings import settings
from app.tenancy import Tenant, current_tenant

logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger("service")
app = FastAPI(title="SaaS starter")


@app.middleware("http")
async def request_id(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    identifier = uuid.uuid4().hex
    response = await call_next(request)
    response.headers["X-Request-Id"] = identifier
    log.info("%s %s %s id=%s", request.method, request.url.path, response.status_code, identifier)
    return response


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "alive"}


@app.get("/ready")
async def ready() -> JSONResponse:
    checks = {"tenants": bool(settings().tenants)}
    failing = [name for name, passed in checks.items() if not passed]
    return JSONResponse({"failing": failing}, status_code=503 if failing else 200)


@app.get("/whoami")
async def whoami(tenant: Annotated[Tenant, Depends(current_tenant)]) -> Tenant:
    return tenant

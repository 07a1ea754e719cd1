"""What does the service answer?"""

import logging

from fastapi import FastAPI

from app.settings import settings

logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(message)s")
app = FastAPI(title="SaaS starter")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "alive"}

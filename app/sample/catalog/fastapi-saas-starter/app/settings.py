"""Which settings does the service run with?"""

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Read from the environment; anything wrong stops the process before it listens."""

    tenants: dict[str, str] = Field(default_factory=dict)
    base_domain: str = "localhost"
    log_level: str = "INFO"


@cache
def settings() -> Settings:
    return Settings()

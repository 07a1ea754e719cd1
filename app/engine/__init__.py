"""How a GraphQL document becomes something safe to execute, and is executed; knows nothing of the business."""

from app.engine.executor import execute

__all__ = ["execute"]

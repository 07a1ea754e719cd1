"""How a GraphQL document becomes something safe, and an answer; knows nothing of the business."""

from app.engine.executor import execute

__all__ = ["execute"]

"""Full text search of the catalogue: what is in the index, what a question means in it, what answers it."""

from app.db.repositories.search.index import index, remove
from app.db.repositories.search.matching import answering, matches
from app.db.repositories.search.spelling import understand

__all__ = ["answering", "index", "matches", "remove", "understand"]

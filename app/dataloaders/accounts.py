"""Accounts and what they hold, by id."""

from sqlalchemy import select

from app.dataloaders.by_id import rows_by_id
from app.db.database import Database
from app.db.models import ApiKey, Subscription, User
from app.db.repositories.accounts import USER
from app.db.repositories.api_keys import API_KEY
from app.db.repositories.subscriptions import SUBSCRIPTION


class AccountLoaders:
    def __init__(self, database: Database) -> None:
        self.users = rows_by_id(database, select(*USER).where(User.deleted_at.is_(None)), User.id)
        self.api_keys = rows_by_id(database, select(*API_KEY), ApiKey.id)
        self.subscriptions = rows_by_id(database, select(*SUBSCRIPTION), Subscription.id)

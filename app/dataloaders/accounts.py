"""Accounts and what they hold, by id and by account."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup
from app.db.models import ApiKey, Subscription, User
from app.db.models.subscriptions import LIVE_ROW
from app.db.repositories.accounts import USER
from app.db.repositories.api_keys import API_KEY
from app.db.repositories.subscriptions import SUBSCRIPTION

_LIVE = select(*SUBSCRIPTION).where(LIVE_ROW)


class AccountLoaders(LoaderGroup):
    users = rows_by_id(select(*USER).where(User.deleted_at.is_(None)), User.id)
    api_keys = rows_by_id(select(*API_KEY), ApiKey.id)
    api_key_pages = pages_by_parent(select(*API_KEY), ApiKey.user_id, keys=[(ApiKey.id, True)], order="id")
    api_key_counts = counts_by_parent(select(func.count(ApiKey.id)), ApiKey.user_id)
    subscriptions = rows_by_id(select(*SUBSCRIPTION), Subscription.id)
    live_subscriptions = rows_by_id(_LIVE, Subscription.user_id)

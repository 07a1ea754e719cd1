"""A free package is bought: the purchase, its licence, its receipt, the sale counted, in one transaction."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from app.db.models import Licence, Package, PackageVersion, Purchase, ReceiptCounter, User
from app.gateways.licences import Ed25519Signer
from bench.peers.stock.loaders import Sessions


async def buy(
    sessions: Sessions, signer: Ed25519Signer, *, user_id: UUID, package_id: UUID
) -> tuple[Purchase, Package, PackageVersion] | None:
    """None where the user has it already."""
    now = datetime.now(UTC)
    async with sessions() as session, session.begin():
        user = await session.get_one(User, user_id)
        package = await session.get_one(Package, package_id, with_for_update=True)
        owned = select(Purchase).where(Purchase.user_id == user_id, Purchase.package_id == package_id)
        if (await session.scalars(owned)).first() is not None:
            return None
        newest = select(PackageVersion).where(PackageVersion.package_id == package_id)
        newest = newest.order_by(PackageVersion.sort_key.desc()).limit(1)
        version = (await session.scalars(newest)).one()
        purchase = Purchase(
            id=uuid4(),
            user_id=user_id,
            package_id=package_id,
            version_id=version.id,
            status="completed",
            amount_cents=package.price_cents,
            currency=package.currency,
            created_at=now,
            completed_at=now,
        )
        session.add(purchase)
        await session.flush()
        session.add(_licence(signer, user, package, version, purchase, now))
        package.sales += 1
        counter = await session.get(ReceiptCounter, now.year, with_for_update=True)
        if counter is None:
            counter = ReceiptCounter(year=now.year, last_number=0)
            session.add(counter)
        counter.last_number += 1
        purchase.receipt_number = f"RG-{now.year}-{counter.last_number:06d}"
    return purchase, package, version


def _licence(
    signer: Ed25519Signer,
    user: User,
    package: Package,
    version: PackageVersion,
    purchase: Purchase,
    now: datetime,
) -> Licence:
    document = signer.sign(
        {
            "package": package.slug,
            "version": version.version,
            "licensee": user.username,
            "terms": package.license,
            "purchase": str(purchase.id),
            "issued-at": now.isoformat(),
        }
    )
    return Licence(
        id=uuid4(),
        purchase_id=purchase.id,
        user_id=user.id,
        status="active",
        document=document,
        issued_at=now,
    )

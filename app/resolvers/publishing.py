"""Publishing: decode, call one use case, wrap."""

from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.errors import InvalidInput
from app.domain.publishing import Texts
from app.resolvers.accounts import load_users
from app.schema.catalog import Package, PackageVersion
from app.schema.node import global_id, read_id, split_id
from app.schema.publishing import (
    BecomeAuthorPayload,
    CreateUploadInput,
    CreateUploadPayload,
    NewVersionInput,
    PublishPackageInput,
    PublishPackagePayload,
    PublishVersionInput,
    PublishVersionPayload,
    UpdatePackageInput,
    UpdatePackagePayload,
    Upload,
    YankVersionInput,
    YankVersionPayload,
)
from app.services import authors, publishing, uploads
from app.services.publishing import NewFile, NewVersion

Request = Info[Context, None]


async def become_author(info: Request) -> BecomeAuthorPayload | None:
    context = info.context
    await authors.become(database=context.deps.database, viewer=context.me, now=context.now)
    (user,) = await load_users(context, [context.me.user_id])
    return BecomeAuthorPayload(user=user)


async def create_upload(info: Request, input: CreateUploadInput) -> CreateUploadPayload | None:
    context = info.context
    announced = await uploads.announce(
        database=context.deps.database,
        tokens=context.deps.tokens,
        allowance=context.allowance,
        filename=input.filename,
        size_bytes=input.size_bytes,
        media_type=input.media_type,
        sha256=input.sha256,
        max_bytes=context.deps.max_upload_bytes,
        now=context.now,
    )
    return CreateUploadPayload(
        upload=Upload(
            id=global_id("Upload", announced.id),
            url=f"{context.deps.base_url}/uploads/{announced.token}",
            expires_at=announced.expires_at,
        )
    )


async def publish_package(info: Request, input: PublishPackageInput) -> PublishPackagePayload | None:
    context = info.context
    package_id = await publishing.publish_package(
        database=context.deps.database,
        viewer=context.me,
        slug=input.slug,
        texts=_texts(input),
        version=_version(input.version) if input.version else None,
        draft=input.draft,
        now=context.now,
    )
    return PublishPackagePayload(package=await _package(context, package_id))


async def publish_version(info: Request, input: PublishVersionInput) -> PublishVersionPayload | None:
    context = info.context
    package_id = read_id(input.package_id, of=Package, field="packageId")
    version_id = await publishing.publish_version(
        database=context.deps.database,
        viewer=context.me,
        package_id=package_id,
        version=_version(input),
        now=context.now,
    )
    return PublishVersionPayload(
        version=await _loaded_version(context, version_id), package=await _package(context, package_id)
    )


async def update_package(info: Request, input: UpdatePackageInput) -> UpdatePackagePayload | None:
    context = info.context
    package_id = read_id(input.package_id, of=Package, field="packageId")
    await publishing.update_package(
        database=context.deps.database,
        viewer=context.me,
        package_id=package_id,
        texts=_texts(input),
        action=input.action,
        now=context.now,
    )
    return UpdatePackagePayload(package=await _package(context, package_id))


async def yank_version(info: Request, input: YankVersionInput) -> YankVersionPayload | None:
    context = info.context
    version_id = read_id(input.version_id, of=PackageVersion, field="versionId")
    package_id = await publishing.yank_version(
        database=context.deps.database,
        viewer=context.me,
        version_id=version_id,
        reason=input.reason,
        now=context.now,
    )
    return YankVersionPayload(
        version=await _loaded_version(context, version_id), package=await _package(context, package_id)
    )


def _texts(input: PublishPackageInput | UpdatePackageInput) -> Texts:
    return Texts(
        name=input.name,
        description=input.description,
        readme=input.readme,
        license=input.license,
        categories=input.categories,
        tags=input.tags,
        price_cents=input.price_cents,
        currency=input.currency,
    )


def _version(input: NewVersionInput | PublishVersionInput) -> NewVersion:
    return NewVersion(
        version=input.version,
        changelog=input.changelog,
        files=[NewFile(_upload_id(file.upload_id), file.path) for file in input.files],
    )


def _upload_id(text: strawberry.ID) -> UUID:
    split = split_id(text)
    if split is None or split[0] != "Upload":
        raise InvalidInput("files", "'uploadId' is not the id of an Upload.")
    return split[1]


async def _package(context: Context, package_id: UUID) -> Package | None:
    row = await context.loaders.catalog.packages.load(package_id)
    return Package.from_row(row) if row else None


async def _loaded_version(context: Context, version_id: UUID) -> PackageVersion | None:
    row = await context.loaders.catalog.versions.load(version_id)
    return PackageVersion.from_row(row) if row else None

"""Download links: decode, call one use case, wrap."""

from strawberry import Info

from app.context import Context
from app.schema.catalog import Package
from app.schema.node import read_id
from app.schema.purchases import CreateDownloadInput, CreateDownloadPayload, Download
from app.schema.scalars import BigInt
from app.services import downloads


async def create_download(
    info: Info[Context, None], input: CreateDownloadInput
) -> CreateDownloadPayload | None:
    context = info.context
    made = await downloads.create(
        database=context.deps.database,
        tokens=context.deps.tokens,
        viewer=context.me,
        allowance=context.allowance,
        package_id=read_id(input.package_id, of=Package, field="packageId"),
        version=input.version,
        path=input.file,
        base_url=context.deps.base_url,
        now=context.now,
    )
    download = Download(
        url=made.url,
        expires_at=made.expires_at,
        sha256=made.sha256,
        size_bytes=BigInt(made.size_bytes),
        filename=made.filename,
    )
    return CreateDownloadPayload(download=download)

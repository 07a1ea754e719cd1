"""Publishing: uploads, and the inputs and payloads by which packages and versions change."""

from datetime import datetime

import strawberry

from app.schema.accounts import User
from app.schema.catalog import Package, PackageVersion
from app.schema.enums import PackageAction
from app.schema.payloads import Payload
from app.schema.scalars import BigInt


@strawberry.type(description="You are an author now.")
class BecomeAuthorPayload(Payload):
    user: User | None = strawberry.field(default=None, description="Your account, with its role.")


@strawberry.type(description="A link to send one file to; nobody else needs to know it.")
class Upload:
    id: strawberry.ID = strawberry.field(description="Names the file in publishPackage and publishVersion.")
    url: str = strawberry.field(description="PUT the file's bytes here, once and without credentials.")
    expires_at: datetime = strawberry.field(description="Until when the link works.")


@strawberry.input(description="A file that is about to be sent.")
class CreateUploadInput:
    filename: str = strawberry.field(description="The file's name, without folders, up to 255 characters.")
    size_bytes: BigInt = strawberry.field(description="Exactly how many bytes will be sent, 1 or more.")
    media_type: str = strawberry.field(
        default="application/octet-stream", description="Its media type, such as application/gzip."
    )
    sha256: str | None = strawberry.field(
        default=None, description="Its SHA-256 as 64 hexadecimal digits; other bytes are then refused."
    )


@strawberry.type(description="The announced file.")
class CreateUploadPayload(Payload):
    upload: Upload | None = strawberry.field(default=None, description="Where to send it.")


@strawberry.input(description="One file of a version.")
class VersionFileInput:
    upload_id: strawberry.ID = strawberry.field(description="An upload of yours that was received.")
    path: str = strawberry.field(description="Its place in the version, such as docs/guide.pdf.")


@strawberry.input(description="A version that comes with its package.")
class NewVersionInput:
    version: str = strawberry.field(description="A semantic version, such as 1.2.3.")
    changelog: str = strawberry.field(default="", description="What is new, in Markdown.")
    files: list[VersionFileInput] = strawberry.field(
        description="1 to 100 files; the first is what a download gives unless another is asked for."
    )


@strawberry.input(description="A new package. With a version it is published at once, unless `draft` is set.")
class PublishPackageInput:
    slug: str = strawberry.field(description="Its name in addresses, for good: a-z, 0-9 and single hyphens.")
    name: str = strawberry.field(description="Its name for people, up to 120 characters.")
    description: str = strawberry.field(description="What it is, up to 50,000 characters.")
    readme: str | None = strawberry.field(default=None, description="How it is used, in Markdown.")
    license: str = strawberry.field(description="What buyers may do with it, such as MIT.")
    categories: list[str] = strawberry.field(
        default_factory=list, description="At most 30; one that does not exist yet is made."
    )
    tags: list[str] = strawberry.field(default_factory=list, description="At most 30.")
    price_cents: BigInt = strawberry.field(
        default=BigInt(0), description="In the currency's minor unit, up to 100,000,000; 0 is free."
    )
    currency: str = strawberry.field(default="USD", description="ISO 4217 code.")
    draft: bool = strawberry.field(default=False, description="Keep it to yourself for now.")
    version: NewVersionInput | None = strawberry.field(default=None, description="Its first version.")


@strawberry.type(description="The new package.")
class PublishPackagePayload(Payload):
    package: Package | None = strawberry.field(default=None, description="The package.")


@strawberry.input(description="A new version of a package.")
class PublishVersionInput:
    package_id: strawberry.ID = strawberry.field(description="The package; a draft stays one.")
    version: str = strawberry.field(
        description="A semantic version that the package does not have; build metadata makes no other one."
    )
    changelog: str = strawberry.field(default="", description="What is new, in Markdown.")
    files: list[VersionFileInput] = strawberry.field(
        description="1 to 100 files; the first is what a download gives unless another is asked for."
    )


@strawberry.type(description="The new version.")
class PublishVersionPayload(Payload):
    version: PackageVersion | None = strawberry.field(default=None, description="The version.")
    package: Package | None = strawberry.field(default=None, description="Its package.")


@strawberry.input(description="What changes of a package; what is left out or null stays.")
class UpdatePackageInput:
    package_id: strawberry.ID = strawberry.field(description="The package.")
    name: str | None = strawberry.field(default=None, description="Its name for people.")
    description: str | None = strawberry.field(default=None, description="What it is.")
    readme: str | None = strawberry.field(default=None, description="How it is used; empty takes it away.")
    license: str | None = strawberry.field(default=None, description="What buyers may do with it.")
    categories: list[str] | None = strawberry.field(
        default=None, description="All of them, in place of the old."
    )
    tags: list[str] | None = strawberry.field(default=None, description="All of them, in place of the old.")
    price_cents: BigInt | None = strawberry.field(default=None, description="In the currency's minor unit.")
    currency: str | None = strawberry.field(default=None, description="ISO 4217 code.")
    action: PackageAction | None = strawberry.field(
        default=None, description="What happens to the package after these changes."
    )


@strawberry.type(description="The changed package.")
class UpdatePackagePayload(Payload):
    package: Package | None = strawberry.field(default=None, description="The package as it is now.")


@strawberry.input(description="The version to take back.")
class YankVersionInput:
    version_id: strawberry.ID = strawberry.field(description="The version.")
    reason: str = strawberry.field(description="Why, for those who have it; up to 500 characters.")


@strawberry.type(description="The version, taken back for good.")
class YankVersionPayload(Payload):
    version: PackageVersion | None = strawberry.field(default=None, description="The version.")
    package: Package | None = strawberry.field(default=None, description="Its package.")

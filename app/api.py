"""The table of contents of the API: every root field, what answers it, who may use it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args

import strawberry
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.utils.str_converters import to_camel_case

from app.engine.strawberry_schema import EngineSchema
from app.resolvers import (
    accounts,
    api_keys,
    background,
    books,
    catalog,
    downloads,
    nodes,
    payment_methods,
    payouts,
    plans,
    publishing,
    purchases,
    refunds,
    reviews,
    service_invoices,
    subscriptions,
    usage,
)
from app.schema import ready
from app.schema.accounts import User
from app.schema.api_keys import CreateApiKeyPayload, RevokeApiKeyPayload, RotateApiKeyPayload
from app.schema.background import Job, ReplayJobPayload, ReplayWebhookEventPayload, WebhookEvent
from app.schema.catalog import Author, Category, Package
from app.schema.connections import Connection
from app.schema.errors import ERROR_TYPES
from app.schema.invoices import Invoice
from app.schema.node import Node
from app.schema.package_lists import PackageConnection
from app.schema.paying import (
    RemovePaymentMethodPayload,
    SetDefaultPaymentMethodPayload,
    StartAddPaymentMethodPayload,
)
from app.schema.payouts import (
    CancelPayoutPayload,
    ConnectPayoutsPayload,
    CreatePayoutPayload,
    MarkPayoutPaidPayload,
    PayoutConnection,
    RequestPayoutPayload,
)
from app.schema.permissions import (
    ADMIN,
    PUBLIC,
    PUBLISH,
    PURCHASE,
    READ,
    REPORT_USAGE,
    SESSION,
    STAFF_ONLY,
    WRITE,
    Access,
    ErrorsAsData,
    Guard,
)
from app.schema.publishing import (
    BecomeAuthorPayload,
    CreateUploadPayload,
    PublishPackagePayload,
    PublishVersionPayload,
    UpdatePackagePayload,
    YankVersionPayload,
)
from app.schema.purchases import CreateDownloadPayload, LicenceKey
from app.schema.purchasing import PurchasePackagePayload
from app.schema.ready import Prepare, guarded
from app.schema.refunding import RefundPaymentPayload
from app.schema.reviewing import ReviewPackagePayload
from app.schema.scalars import SCALARS
from app.schema.service_invoices import CreateServiceInvoicePayload, VoidInvoicePayload
from app.schema.sign_in import (
    ChangePasswordPayload,
    DeleteAccountPayload,
    LoginPayload,
    LogoutPayload,
    RefreshSessionPayload,
    RegisterPayload,
    RequestPasswordResetPayload,
    ResetPasswordPayload,
    TokenValidity,
    UpdateProfilePayload,
    VerifyEmailPayload,
)
from app.schema.subscribing import (
    CancelSubscriptionPayload,
    ChangeTierPayload,
    PreviewTierChangePayload,
    ResumeSubscriptionPayload,
)
from app.schema.subscriptions import Plan
from app.schema.usage_reports import RecordUsagePayload
from app.transport.prepared_document import PreparedDocument


def query(
    resolver: Callable[..., Any], access: Access, description: str, *, by_database: Prepare | None = None
) -> Any:
    """``by_database`` answers in place of the resolver where it can (`schema.ready`)."""
    return strawberry.field(
        resolver=resolver,
        description=f"{description} {access.description}",
        extensions=[Guard(access)],
        metadata=guarded(by_database, access) if by_database else {},
    )


def mutation(resolver: Callable[..., Any], access: Access, description: str) -> Any:
    payload = get_args(resolver.__annotations__["return"])[0]
    return strawberry.mutation(
        resolver=resolver,
        description=f"{description} {access.description}",
        extensions=[Guard(access), ErrorsAsData(payload)],
    )


@strawberry.type(description="What can be asked.")
class Query:
    viewer: User | None = query(accounts.viewer, READ, "The account that asks.", by_database=ready.viewer)
    validate_token: TokenValidity = query(accounts.validate_token, PUBLIC, "What a token is worth.")
    node: Node | None = query(nodes.node, PUBLIC, "Anything by its id; null for what is not yours to see.")
    nodes: list[Node | None] = query(
        nodes.nodes, PUBLIC, "Many things by their ids, in the order of the ids."
    )
    package: Package | None = query(
        catalog.package, PUBLIC, "A package by its slug; null for what is not yours to see."
    )
    packages: PackageConnection = query(
        catalog.packages, PUBLIC, "The packages that are listed.", by_database=ready.packages
    )
    categories: list[Category] = query(catalog.categories, PUBLIC, "The groups of packages, by name.")
    plans: list[Plan] = query(plans.plans, PUBLIC, "The plans there are.")
    webhook_events: Connection[WebhookEvent] | None = query(
        background.webhook_events, ADMIN, "The payment provider's events, the newest first."
    )
    jobs: Connection[Job] | None = query(
        background.jobs, ADMIN, "Background work, the newest first; what was given up unless said otherwise."
    )
    invoice: Invoice | None = query(
        books.invoice, READ, "An invoice by its id; null for what is not yours to see."
    )
    licence_keys: list[LicenceKey] = query(
        purchases.licence_keys, PUBLIC, "The keys that prove licences, the signing one first."
    )
    payable_authors: Connection[Author] | None = query(
        payouts.payable_authors, ADMIN, "The authors of whom the least amount or more may be paid out."
    )
    payouts: PayoutConnection | None = query(
        payouts.payouts, ADMIN, "The payouts to authors, the newest first."
    )


@strawberry.type(description="What can be done.")
class Mutation:
    register: RegisterPayload | None = mutation(
        accounts.register, PUBLIC, "Opens an account on the free plan."
    )
    login: LoginPayload | None = mutation(accounts.login, PUBLIC, "Opens a session.")
    refresh_session: RefreshSessionPayload | None = mutation(
        accounts.refresh_session, PUBLIC, "Continues a session with its refresh token, which is replaced."
    )
    logout: LogoutPayload | None = mutation(accounts.logout, PUBLIC, "Ends the session, or all of them.")
    change_password: ChangePasswordPayload | None = mutation(
        accounts.change_password, SESSION, "Sets a new password and ends every other session."
    )
    request_password_reset: RequestPasswordResetPayload | None = mutation(
        accounts.request_password_reset, PUBLIC, "Mails a link to set a new password."
    )
    reset_password: ResetPasswordPayload | None = mutation(
        accounts.reset_password, PUBLIC, "Sets a new password with the mailed link."
    )
    verify_email: VerifyEmailPayload | None = mutation(
        accounts.verify_email, PUBLIC, "Proves an address with the mailed link."
    )
    update_profile: UpdateProfilePayload | None = mutation(
        accounts.update_profile, SESSION, "Changes name and address."
    )
    delete_account: DeleteAccountPayload | None = mutation(
        accounts.delete_account, SESSION, "Ends the account for good; the books stay, without a name."
    )

    create_api_key: CreateApiKeyPayload | None = mutation(
        api_keys.create_api_key, WRITE, "Makes an API key and shows its secret once."
    )
    rotate_api_key: RotateApiKeyPayload | None = mutation(
        api_keys.rotate_api_key, WRITE, "Replaces an API key's secret; the old one works on for a while."
    )
    revoke_api_key: RevokeApiKeyPayload | None = mutation(
        api_keys.revoke_api_key, WRITE, "Ends an API key from the next request on."
    )

    purchase_package: PurchasePackagePayload | None = mutation(
        purchases.purchase_package, PURCHASE, "Buys a package; what is free is complete at once."
    )
    create_download: CreateDownloadPayload | None = mutation(
        downloads.create_download, READ, "Makes a link, good for an hour, to a file that you own."
    )
    review_package: ReviewPackagePayload | None = mutation(
        reviews.review_package, WRITE, "Rates a package that you own, or changes your review."
    )

    preview_tier_change: PreviewTierChangePayload | None = mutation(
        subscriptions.preview_tier_change, PURCHASE, "Tells what another plan would cost."
    )
    change_tier: ChangeTierPayload | None = mutation(
        subscriptions.change_tier, PURCHASE, "Starts a plan, or changes it, as it was quoted."
    )
    cancel_subscription: CancelSubscriptionPayload | None = mutation(
        subscriptions.cancel_subscription, PURCHASE, "Ends the paid plan with its period, or at once."
    )
    resume_subscription: ResumeSubscriptionPayload | None = mutation(
        subscriptions.resume_subscription, PURCHASE, "Keeps the plan that was to end or to change."
    )
    refund_payment: RefundPaymentPayload | None = mutation(
        refunds.refund_payment, STAFF_ONLY, "Gives back a payment, or a part of it."
    )

    start_add_payment_method: StartAddPaymentMethodPayload | None = mutation(
        payment_methods.start_add_payment_method, SESSION, "Begins to save a way to pay at the provider."
    )
    set_default_payment_method: SetDefaultPaymentMethodPayload | None = mutation(
        payment_methods.set_default_payment_method, SESSION, "Chooses what pays, also what is open."
    )
    remove_payment_method: RemovePaymentMethodPayload | None = mutation(
        payment_methods.remove_payment_method, SESSION, "Gives a way to pay up for good."
    )

    record_usage: RecordUsagePayload | None = mutation(
        usage.record_usage, REPORT_USAGE, "Counts what accounts used elsewhere, once for each event."
    )

    replay_webhook_event: ReplayWebhookEventPayload | None = mutation(
        background.replay_webhook_event, ADMIN, "Acts on an event of the payment provider once more."
    )
    replay_job: ReplayJobPayload | None = mutation(
        background.replay_job, ADMIN, "Tries background work again that was given up."
    )

    create_service_invoice: CreateServiceInvoicePayload | None = mutation(
        service_invoices.create_service_invoice, ADMIN, "Issues an invoice for a service, and mails it."
    )
    void_invoice: VoidInvoicePayload | None = mutation(
        service_invoices.void_invoice, ADMIN, "Takes back an invoice for a service that is not paid."
    )

    become_author: BecomeAuthorPayload | None = mutation(
        publishing.become_author, SESSION, "Makes the account an author's, who may publish."
    )
    create_upload: CreateUploadPayload | None = mutation(
        publishing.create_upload, PUBLISH, "Announces a file and gives a link to send it to."
    )
    publish_package: PublishPackagePayload | None = mutation(
        publishing.publish_package, PUBLISH, "Makes a package, and publishes it when it comes with a version."
    )
    publish_version: PublishVersionPayload | None = mutation(
        publishing.publish_version, PUBLISH, "Adds a version to a package of yours."
    )
    update_package: UpdatePackagePayload | None = mutation(
        publishing.update_package, PUBLISH, "Changes a package of yours, or what becomes of it."
    )
    yank_version: YankVersionPayload | None = mutation(
        publishing.yank_version, PUBLISH, "Takes a version of yours back for good."
    )

    connect_payouts: ConnectPayoutsPayload | None = mutation(
        payouts.connect_payouts,
        PUBLISH,
        "Gives the payment provider's page where an author comes to be paid.",
    )
    request_payout: RequestPayoutPayload | None = mutation(
        payouts.request_payout, PUBLISH, "Pays out of your balance what is available, or some of it."
    )
    create_payout: CreatePayoutPayload | None = mutation(
        payouts.create_payout, ADMIN, "Pays an author out, by transfer or by hand."
    )
    mark_payout_paid: MarkPayoutPaidPayload | None = mutation(
        payouts.mark_payout_paid, ADMIN, "Says that a payout was paid by hand."
    )
    cancel_payout: CancelPayoutPayload | None = mutation(
        payouts.cancel_payout, ADMIN, "Gives a payout by hand that was not made back to the balance."
    )


class QuietSchema(EngineSchema):
    """Strawberry logs every refusal's traceback; here, who presents an error logs the unexpected."""

    def process_errors(self, *_: Any) -> None:
        return


@cache
def build_schema(*, suggestions: bool = True) -> Schema:
    """The one schema of the process: Strawberry's types cannot serve two."""
    return QuietSchema(
        query=Query,
        mutation=Mutation,
        types=ERROR_TYPES,
        extensions=[PreparedDocument],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not suggestions),
    )


def accesses(root: type = Query) -> Mapping[str, Access]:
    """Who may use the root fields, by their GraphQL names."""
    fields = root.__strawberry_definition__.fields  # type: ignore[attr-defined]  # strawberry adds it
    return {
        field.graphql_name or to_camel_case(field.python_name): extension.access
        for field in fields
        for extension in field.extensions
        if isinstance(extension, Guard)
    }

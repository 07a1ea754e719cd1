"""Signing up, in and out; passwords and profile: what the mutations take and give."""

from datetime import datetime
from typing import Self

import strawberry

from app.domain.accounts import ACCESS_TOKEN_LIFETIME, SignedIn
from app.schema.accounts import User
from app.schema.payloads import Payload


@strawberry.input(description="A new account.")
class RegisterInput:
    email: str = strawberry.field(description="The e-mail address; case does not matter.")
    username: str = strawberry.field(description="The public name: 3 to 32 of A-Z a-z 0-9 _ -.")
    password: str = strawberry.field(
        description="8 to 128 characters; in production at least 12 and no common one."
    )


@strawberry.input(description="A sign-in.")
class LoginInput:
    email: str = strawberry.field(description="The account's e-mail address.")
    password: str = strawberry.field(description="Its password.")


@strawberry.input(description="A session to continue.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(description="The session's latest refresh token; it is replaced.")


@strawberry.input(description="A session to end.")
class LogoutInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="Of the session to end; without it, the session that sends this."
    )
    everywhere: bool = strawberry.field(default=False, description="End every session of the account.")


@strawberry.input(description="A new password by one who knows the old.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The password as it is.")
    new_password: str = strawberry.field(
        description="The password as it shall be; the rules of register hold."
    )


@strawberry.input(description="A link to set a new password.")
class RequestPasswordResetInput:
    email: str = strawberry.field(
        description="The account's address; the answer is the same when there is none."
    )


@strawberry.input(description="A new password by one who has the mailed link.")
class ResetPasswordInput:
    token: str = strawberry.field(description="The token of the mailed link; it works once.")
    new_password: str = strawberry.field(description="The rules of register hold.")


@strawberry.input(description="The proof that an address is one's own.")
class VerifyEmailInput:
    token: str = strawberry.field(description="The token of the mailed link; it works once.")


@strawberry.input(description="What to change; what is left out stays.")
class UpdateProfileInput:
    username: str | None = strawberry.field(default=None, description="A new public name.")
    email: str | None = strawberry.field(default=None, description="A new address; it must be verified anew.")
    display_name: str | None = strawberry.field(
        default=None, description="Up to 100 characters; empty removes it."
    )


@strawberry.input(description="The end of an account.")
class DeleteAccountInput:
    password: str = strawberry.field(description="The password once more, as this cannot be undone.")


@strawberry.type
class SessionPayload(Payload):
    access_token: str | None = strawberry.field(default=None, description="For 'Authorization: Bearer …'.")
    refresh_token: str | None = strawberry.field(default=None, description="For refreshSession, once.")
    expires_in: int | None = strawberry.field(default=None, description="The access token's life in seconds.")
    user: User | None = strawberry.field(default=None, description="The account.")

    @classmethod
    def of(cls, session: SignedIn, user: User) -> Self:
        return cls(
            access_token=session.access_token,
            refresh_token=session.refresh_token,
            expires_in=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            user=user,
        )


@strawberry.type(description="The new account, signed in.")
class RegisterPayload(SessionPayload):
    pass


@strawberry.type(description="The session.")
class LoginPayload(SessionPayload):
    pass


@strawberry.type(description="The session with new tokens; the old refresh token has ended.")
class RefreshSessionPayload(SessionPayload):
    pass


@strawberry.type
class AccountPayload(Payload):
    user: User | None = strawberry.field(default=None, description="The account as it is now.")


@strawberry.type(description="The account; every other session has ended.")
class ChangePasswordPayload(AccountPayload):
    pass


@strawberry.type(description="The account with the verified address.")
class VerifyEmailPayload(AccountPayload):
    pass


@strawberry.type(description="The changed account.")
class UpdateProfilePayload(AccountPayload):
    pass


@strawberry.type
class DonePayload(Payload):
    done: bool = strawberry.field(default=False, description="Whether it was done.")


@strawberry.type(description="The session has ended.")
class LogoutPayload(DonePayload):
    pass


@strawberry.type(description="If there is such an account, a mail is on its way.")
class RequestPasswordResetPayload(DonePayload):
    pass


@strawberry.type(description="The password is set; every session has ended.")
class ResetPasswordPayload(DonePayload):
    pass


@strawberry.type(
    description="The account has ended; purchases and invoices stay in the books, without a name."
)
class DeleteAccountPayload(DonePayload):
    pass


@strawberry.type(description="What a token is worth.")
class TokenValidity:
    valid: bool = strawberry.field(description="Whether it would be accepted now.")
    user: User | None = strawberry.field(default=None, description="Whose it is.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends; null: not by itself."
    )

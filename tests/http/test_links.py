"""The pages that mailed links open: nothing happens until the button is pressed."""

from app.domain.accounts import LinkPurpose
from tests.http.test_accounts import mailed_link
from tests.support.clients import LOGIN, Api, sign_up


async def test_opening_the_link_does_nothing_and_the_button_verifies(api: Api) -> None:
    account = await sign_up(api, name="ada")
    token = await mailed_link(api, LinkPurpose.VERIFY_EMAIL)
    page = await api.http.get("/verify-email", params={"token": token})
    assert page.status_code == 200
    assert f'name="token" value="{token}"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert (await account.api("{ viewer { emailVerified } }")).payload() == {"emailVerified": False}
    done = await api.http.post("/verify-email", data={"token": token})
    assert (done.status_code, "Your address is verified." in done.text) == (200, True)
    assert (await account.api("{ viewer { emailVerified } }")).payload() == {"emailVerified": True}
    again = await api.http.post("/verify-email", data={"token": token})
    assert (again.status_code, "not valid any more" in again.text) == (400, True)


async def test_a_password_is_set_once_and_bad_ones_may_be_tried_again(api: Api) -> None:
    await sign_up(api, name="ada")
    token = await mailed_link(api, LinkPurpose.RESET_PASSWORD)
    short = await api.http.post("/reset-password", data={"token": token, "password": "short"})
    assert (short.status_code, f'value="{token}"' in short.text) == (400, True)
    done = await api.http.post("/reset-password", data={"token": token, "password": "a brand new one"})
    assert (done.status_code, "Your new password is set." in done.text) == (200, True)
    signed_in = await api(LOGIN, input={"email": "ada@example.test", "password": "a brand new one"})
    assert signed_in.payload()["errors"] == []


async def test_the_pages_show_what_they_are_given_as_text(api: Api) -> None:
    page = await api.http.get("/verify-email", params={"token": '"><script>alert(1)</script>'})
    assert "<script>" not in page.text
    for body in (b"", b"\xff\xfe", b"token=" + b"%00" * 50, b"&".join([b"a=b"] * 9)):
        answer = await api.http.post("/verify-email", content=body)
        assert answer.status_code == 400
    many = await api.http.post("/verify-email", content=b"&".join([b"a=b"] * 5000))
    assert many.status_code == 400

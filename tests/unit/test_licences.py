"""Licence files: signed once, verified anywhere, worthless when a byte is changed."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.gateways.licences import Ed25519Signer, InvalidLicence, verify

SEED = bytes(range(32))
FIELDS = {"licence": "L-1", "package": "docs-site-theme", "package-name": "Docs: the thème", "receipt": None}


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer(SEED)


def test_the_document_is_readable_and_deterministic(signer: Ed25519Signer) -> None:
    document = signer.sign(FIELDS)
    assert document.splitlines()[:5] == [
        "revgraph licence 1",
        "licence: L-1",
        "package: docs-site-theme",
        "package-name: Docs: the thème",
        "key: 56475aa75463474c",
    ]
    assert document.splitlines()[5].startswith("signature: ")
    assert len(document.splitlines()) == 6
    assert document == Ed25519Signer(SEED).sign(FIELDS)


def test_the_public_key_is_the_seeds(signer: Ed25519Signer) -> None:
    raw = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    assert dict(signer.public_keys) == {"56475aa75463474c": b64encode(raw).decode()}


def test_it_is_verified_with_the_public_key_alone(signer: Ed25519Signer) -> None:
    assert verify(signer.sign(FIELDS), signer.public_keys) == {
        "licence": "L-1",
        "package": "docs-site-theme",
        "package-name": "Docs: the thème",
        "key": "56475aa75463474c",
    }


def test_line_ends_of_another_system_do_no_harm(signer: Ed25519Signer) -> None:
    windows = signer.sign(FIELDS).replace("\n", "\r\n")
    assert verify(windows, signer.public_keys)["licence"] == "L-1"


def test_every_changed_character_is_noticed(signer: Ed25519Signer) -> None:
    document = signer.sign(FIELDS)
    end = document.index("signature: ") + len("signature: ") + 80
    for at in range(end):
        changed = document[:at] + ("x" if document[at] != "x" else "y") + document[at + 1 :]
        with pytest.raises(InvalidLicence):
            verify(changed, signer.public_keys)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("licence: L-1\n", ""),
        lambda text: text.replace("licence: L-1\n", "licence: L-1\nlicence: L-2\n"),
        lambda text: text + "licensee: somebody else\n",
        lambda text: text + "\n",
        lambda text: "seller: me\n" + text,
        lambda text: text[: text.index("signature")],
        lambda text: text.replace("signature: ", "signature: ="),
        lambda text: text.replace("\n", "\r", 1),
        lambda text: text.replace("L-1", "L-1 "),
        lambda text: text + "x" * 20_000,
    ],
)
def test_other_documents_are_refused(signer: Ed25519Signer, change: object) -> None:
    assert callable(change)
    with pytest.raises(InvalidLicence):
        verify(change(signer.sign(FIELDS)), signer.public_keys)


def test_anothers_signature_is_refused(signer: Ed25519Signer) -> None:
    other = Ed25519Signer(bytes(32))
    with pytest.raises(InvalidLicence, match="not among the given"):
        verify(other.sign(FIELDS), signer.public_keys)
    [kid] = signer.public_keys
    [forged] = other.public_keys.values()
    with pytest.raises(InvalidLicence, match="does not fit"):
        verify(signer.sign(FIELDS), {kid: forged})
    with pytest.raises(InvalidLicence, match="does not fit"):
        verify(signer.sign(FIELDS), {kid: "not base64"})


def test_a_retired_key_proves_its_licences_and_signs_no_more() -> None:
    old = Ed25519Signer(SEED).sign(FIELDS)
    now = Ed25519Signer(bytes(32), retired=[SEED])
    assert verify(old, now.public_keys)["licence"] == "L-1"
    assert now.key_id(old) == "56475aa75463474c"
    assert now.key_id(now.sign(FIELDS)) == next(iter(now.public_keys)) != "56475aa75463474c"
    assert now.key_id("no licence") is None


@pytest.mark.parametrize("value", ["two\nlines", "two\u2028lines", "a\rb", "\x00", " padded", "\ud800"])
def test_a_value_cannot_leave_its_line(signer: Ed25519Signer, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        signer.sign({"licensee": value})


@pytest.mark.parametrize("name", ["Signature", "signature", "", "two words", "key: x"])
def test_a_name_is_a_plain_word(signer: Ed25519Signer, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        signer.sign({name: "value"})

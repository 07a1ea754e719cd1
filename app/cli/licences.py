"""``revgraph verify-licence``: is this licence file genuine?"""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.cli.reporting import ExitCode, Problem, say, show

KEY_BYTES = 32
LARGEST = 100_000


def verify_licence(
    file: Annotated[Path, typer.Argument(help="The licence as it was downloaded.")],
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="BASE64", help="A public key that is trusted; may be given several times."),
    ] = None,
    keys_file: Annotated[
        Path | None,
        typer.Option(help="Trusted public keys: the JSON that a server publishes, or one key a line."),
    ] = None,
) -> None:
    """Prove a licence file offline, with public keys only.

    Without --key and --keys-file this server's own keys are taken. Whether a licence
    was revoked since, only the server knows.

    Example: [bold]revgraph verify-licence licence.txt --key Rk2…=[/bold]
    """
    from app.gateways.licences import InvalidLicence, verify

    document = _text(file)
    try:
        fields = verify(document, _trusted(key or [], keys_file))
    except InvalidLicence as error:
        raise Problem(f"{file}: {error}") from None
    table = Table("field", "value", box=None)
    for name, value in fields.items():
        table.add_row(name, value)
    show(table)
    say("The signature is genuine.")


def _trusted(keys: list[str], keys_file: Path | None) -> dict[str, str]:
    """Key id to key, as the licences name them."""
    given = [*keys, *(_listed(keys_file) if keys_file else [])]
    if not given:
        return _own()
    return {_key_id(each): each for each in given}


def _listed(path: Path) -> list[str]:
    text = _text(path)
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        listed = json.loads(text)
        if "keys" in listed:
            return [str(each["publicKey"]) for each in listed["keys"]]
        return [str(each) for each in listed.values()]
    except (ValueError, TypeError, KeyError) as error:
        raise Problem(f"{path}: is no list of public keys: {error}", code=ExitCode.USAGE) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}.", code=ExitCode.USAGE) from None
    except UnicodeDecodeError:
        raise Problem(f"{path}: is not UTF-8 text.", code=ExitCode.USAGE) from None


def _key_id(key: str) -> str:
    """As a licence names the key it was signed with."""
    try:
        raw = b64decode(key, validate=True)
    except (Base64Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise Problem(f"'{key}' is no public key: 32 bytes in base64 are.", code=ExitCode.USAGE)
    return sha256(raw).hexdigest()[:16]


def _own() -> dict[str, str]:
    from app.bootstrap import build_deps
    from app.cli.running import quiet_settings

    return dict(build_deps(quiet_settings()).signer.public_keys)

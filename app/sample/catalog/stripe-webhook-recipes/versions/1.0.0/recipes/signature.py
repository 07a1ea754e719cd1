"""Did Stripe send this, and just now?"""

import hashlib
import hmac

TOLERANCE = 300


def verify(body: bytes, header: str, *, secrets: list[str], now: float) -> bool:
    """True when one of the secrets signed the body in the last five minutes."""
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    times = [value for key, value in pairs if key.strip() == "t"]
    signatures = [value for key, value in pairs if key.strip() == "v1" and value.isascii()]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()):
        return False
    if now - int(times[0]) > TOLERANCE:
        return False
    expected = [sign(body, times[0], secret) for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in expected for other in signatures)


def sign(body: bytes, timestamp: str, secret: str) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


if __name__ == "__main__":
    body = b'{"id": "evt_1"}'
    header = f"t=1000,v1={sign(body, '1000', 'whsec_demo')}"
    assert verify(body, header, secrets=["whsec_new", "whsec_demo"], now=1010)
    assert not verify(body + b" ", header, secrets=["whsec_demo"], now=1010)
    assert not verify(body, header, secrets=["whsec_demo"], now=2000)
    print("A genuine event passes; a changed and an old one do not.")

"""Was this request made by a page of somebody else, in the name of the person before the browser?"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_cross_site(headers: Headers, *, scheme: str, allowed_origins: Collection[str]) -> bool:
    """Judged by the headers that browsers set and pages cannot; programs send none of them and pass.

    Sec-Fetch-Site is judged by the address that the browser sees, so it holds behind any proxy; Origin, for
    browsers without it, is compared with the Host header.
    """
    origin = headers.get("origin")
    if origin is not None and origin in allowed_origins:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and _address(origin) != _address(f"{scheme}://{headers.get('host', '')}")


def _address(origin: str) -> tuple[str | None, int | None]:
    # The scheme is left out: behind a proxy that ends TLS the server sees another one than the browser.
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return origin, None
    return parts.hostname, None if port in DEFAULT_PORTS.values() else port

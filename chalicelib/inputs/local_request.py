"""Whom `chalice local` serves: its developer. It asks for no signature, and any web page can call this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chalicelib.errors import ForeignRequest, UnsupportedMediaType

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", re.IGNORECASE)


def check_local_request(headers: Mapping[str, str], body: bytes | str) -> None:
    """Refuse what a browser sends for another site's page: another name of this machine, origin or type of body.

    A browser always sends Host, and Origin with whatever has a body. What is not a browser may leave out both.
    What a browser fetches ahead has `Sec-Fetch-Site: none`, as a typed address does, also if a page asks for it.
    Served is what a redirect from a typed address leads to, and a GET by a browser without Sec-Fetch-Site.

    Raises:
        ForeignRequest, UnsupportedMediaType
    """
    host = headers.get("host", "localhost")
    if not _LOOPBACK.fullmatch(host):
        raise ForeignRequest(
            f"The Host {ascii(host)[:60]} is not this machine.", hint="Use 127.0.0.1, localhost or [::1]."
        )
    same_page = headers.get("origin", f"http://{host}") == f"http://{host}"
    ahead = "sec-purpose" in headers or "purpose" in headers
    if not same_page or ahead or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ForeignRequest(
            "A page of another site sent this request.", hint="Type the address into the browser, or use curl."
        )
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(
            "A body must say that it is JSON.", hint="With curl: -H 'Content-Type: application/json'."
        )

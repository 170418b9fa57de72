"""Makes 123456789012.127.0.0.1 this machine: S3 Control's clients put the account before the endpoint's host.

For processes that use the sandbox; the resolvers of most machines do not know such a name.
"""

import socket
from typing import Any

_LOOPBACK = "127.0.0.1"
_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(host, str) and host.endswith(f".{_LOOPBACK}") and host[:12].isdigit() and len(host) == 22:
        host = _LOOPBACK
    return _getaddrinfo(host, *args, **kwargs)


socket.getaddrinfo = getaddrinfo

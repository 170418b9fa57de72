"""Values that stand for secrets: wherever one turns up, something leaked."""

from __future__ import annotations

HUB_ACCOUNT = "999999999999"
TARGET = "111111111111"

HUB_ACCESS_KEY = "ASIAHUBCANARY0000001"
HUB_SECRET_KEY = "canaryHubSecret/wJalrXUtnFEMI+K7MDENG"
HUB_TOKEN = "canaryHubToken/IQoJb3JpZ2luX2VjEHub=="
HUB_ARN = f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/cross-account-test-switch_account/canary-session"
SESSION_SECRET_KEY = "canarySessionSecret/bPxRfiCYEXAMPLEKEY+"
SESSION_TOKEN = "canarySessionToken/FwoGZXIvYXdzEBYaDHg=="
EXTERNAL_ID = "canary-external-id/4f1c9a"

_SESSION_KEY = "ASIACANARY"

SECRETS = {
    "the hub's access key": HUB_ACCESS_KEY,
    "the hub's secret key": HUB_SECRET_KEY,
    "the hub's token": HUB_TOKEN,
    "the hub's ARN": HUB_ARN,
    "a session's access key": _SESSION_KEY,
    "a session's secret key": SESSION_SECRET_KEY,
    "a session's token": SESSION_TOKEN,
    "the external ID": EXTERNAL_ID,
}


def session_access_key(account_id: str, nth: int) -> str:
    return f"{_SESSION_KEY}{account_id}N{nth}"


def account_of(access_key: str) -> str:
    return access_key.removeprefix(_SESSION_KEY)[:12] if access_key.startswith(_SESSION_KEY) else HUB_ACCOUNT


def leaks(text: str) -> list[str]:
    """Name the secrets that a text holds, as they are, escaped as in a URL or as in JSON."""
    found = []
    for name, secret in SECRETS.items():
        spellings = {
            secret,
            secret.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
            secret.replace("/", r"\/"),
        }
        if any(spelling in text for spelling in spellings):
            found.append(name)
    return found

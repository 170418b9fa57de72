"""Fake secrets: where one appears, something has leaked."""

from __future__ import annotations

HUB = "999999999999"
"""The hub's account, which is not a secret."""

HUB_KEY = "ASIAHUBCANARY0000001"
HUB_SECRET = "canaryHubSecret/wJalrXUtnFEMI+K7MDENG"
HUB_TOKEN = "canaryHubToken/IQoJb3JpZ2luX2VjEHub=="
HUB_SESSION = "canary-hub-session"
HUB_ARN = f"arn:aws:sts::{HUB}:assumed-role/cross-account-dev-switch_account/{HUB_SESSION}"
SESSION_SECRET = "canarySessionSecret/bPxRfiCYEXAMPLEKEY+"
SESSION_TOKEN = "canarySessionToken/FwoGZXIvYXdzEBYaDHg=="
EXTERNAL_ID = "canary-external-id/4f1c9a"

_SESSION_KEY = "ASIACANARY"

SECRETS = {
    "the hub's access key": HUB_KEY,
    "the hub's secret key": HUB_SECRET,
    "the hub's token": HUB_TOKEN,
    "the session in the hub's ARN": HUB_SESSION,
    "a session's access key": _SESSION_KEY,
    "a session's secret key": SESSION_SECRET,
    "a session's token": SESSION_TOKEN,
    "the external ID": EXTERNAL_ID,
}


def session_key(account_id: str, nth: int) -> str:
    """The access key of a session: it contains the account and the number of the AssumeRole that returned it."""
    return f"{_SESSION_KEY}{account_id}N{nth}"


def session_token(account_id: str) -> str:
    return f"{SESSION_TOKEN}-{account_id}"


def account_of(access_key: str) -> str:
    """The account of an access key; an unknown key, such as an unsigned request's, is returned unchanged."""
    if access_key.startswith(_SESSION_KEY):
        return access_key.removeprefix(_SESSION_KEY)[:12]
    return HUB if access_key == HUB_KEY else access_key


def leaks(text: str) -> list[str]:
    """The names of the secrets in a text, plain or escaped as in a URL or in JSON."""
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

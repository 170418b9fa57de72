"""Clients of the running sandbox for the helper commands, and of nothing else, whatever AWS the shell is set up for.

Keys and endpoint are the sandbox's own: those of the shell's sandbox (`sandbox-env`), or else of the one that runs in
the foreground. Before anything signed is sent, it has to prove that it is a sandbox.
"""

import configparser
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

import boto3
from botocore.config import Config

from sandbox import accounts
from sandbox.credentials_file import PROFILE, VARIABLE
from sandbox.shell import drop_aws
from sandbox.state_file import read_state

START = "Start one with: make sandbox"
ENTER = 'In this shell: eval "$(make -s sandbox-env)"'
_ANSWER_SECONDS = 10

Clients = Callable[[str], Any]
"""boto3's clients, by service."""


class NoSandbox(Exception):
    """There is none to work in; the message is for a person."""


def developer() -> Clients:
    """The clients of the developer, in the hub.

    Raises:
        NoSandbox: nothing was asked that a sandbox would not answer to everybody.
    """
    environment = _environment()
    endpoint_url = environment.get("AWS_ENDPOINT_URL", "")
    if not re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", endpoint_url):
        raise NoSandbox(f"This command works in a sandbox only, and AWS_ENDPOINT_URL is not that of one. {ENTER}")
    keys = _keys(environment[VARIABLE])
    if not _is_sandbox(endpoint_url):
        raise NoSandbox(f"No sandbox answers at {endpoint_url}. {START}. {ENTER}")
    return clients(endpoint_url, *keys)


def administrator(hub: Clients, account_id: str) -> Clients:
    """Those of the administrator role that AWS Organizations creates in every account it creates."""
    sts = hub("sts")
    role = f"arn:aws:iam::{account_id}:role/{accounts.ADMINISTRATOR_ROLE}"
    session = sts.assume_role(RoleArn=role, RoleSessionName="administrator")["Credentials"]
    keys = (session[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return clients(sts.meta.endpoint_url, *keys)


def clients(endpoint_url: str, *keys: str) -> Clients:
    """Of these keys: access key, secret key and session token. Nothing of the shell's AWS remains in this process.

    A sandbox is not behind the shell's proxy.
    """
    drop_aws()
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull
    session = boto3.Session(*keys, region_name=accounts.REGION)
    return lambda service: session.client(service, endpoint_url=endpoint_url, config=Config(proxies={}))


def _environment() -> Mapping[str, str]:
    if VARIABLE in os.environ:
        return os.environ
    state = read_state()
    if state is None:
        raise NoSandbox(f"No sandbox is running. {START}")
    return state.environment


def _keys(path: str) -> list[str]:
    """From the sandbox's file: those in the environment may have been replaced since."""
    profiles = configparser.RawConfigParser()
    try:
        with open(path) as file:
            profiles.read_file(file)
        return [profiles[PROFILE][name.lower()] for name in accounts.CREDENTIALS]
    except (OSError, ValueError, KeyError, configparser.Error):
        raise NoSandbox(f"The sandbox of this shell has ended. {START}. {ENTER}") from None


def _is_sandbox(endpoint_url: str) -> bool:
    """Whether it shows a record of calls, which is the one thing that needs no signature."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint_url}/sandbox/calls", timeout=_ANSWER_SECONDS) as response:
            return isinstance(json.load(response), list)
    except (OSError, HTTPException, ValueError):
        return False

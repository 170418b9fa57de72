"""What a check that judges returns: a finding for each thing that it looked at, with a verdict.

    @check(actions=["ec2:DescribeVolumes"], group="data")
    def unencrypted_volumes(account: Account) -> Findings:
        \"\"\"Find volumes that are not encrypted.\"\"\"
        volumes = from_pages(account.pages("ec2", "describe_volumes"), "Volumes")
        return or_skip(map(judge, volumes), account.id, "There are no volumes here.")


    def judge(volume: Response) -> Finding:
        if require_field(volume, "Encrypted"):
            return ok(volume["VolumeId"], "It is encrypted.")
        return alarm(volume["VolumeId"], "It is not encrypted.")

"Could not look" is never "ok": what a call that fails would have told is `unknown`, and the rest is judged all the
same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from chalicelib.cross_account.aws_errors import ErrorKind, classify, code_of, is_aws_error, message_of
from chalicelib.cross_account.denial import denying_policy
from chalicelib.errors import CheckCallFailed

Verdict = Literal["alarm", "unknown", "info", "muted", "ok", "skip"]
"""Muted is an alarm or unknown of which an exception says that it is accepted for a time (exceptions.py)."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""The worst first."""

MAX_LOOKS = 1000
"""How many things a check asks AWS about one by one in an account and region. At 50 ms a call that is a minute."""

GONE = frozenset({"NoSuchBucket", "NotFoundException", "DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"})
"""How AWS says that a thing is not there that it has listed a moment ago."""

Finding = dict[str, Any]
"""`resource` (an ARN or an id; of the account as a whole, the account's id), `verdict`, `reason` and more columns."""

Response = Mapping[str, Any]


def ok(resource: str, reason: str, **columns: Any) -> Finding:
    """A finding that is as it should be.

    Args:
        resource: its ARN or id; the account's id if the finding is about the account, or about it in this region.
        reason: one sentence, with what was seen.
        columns: more that helps to act. None may be called name, unit, region, check or account, which every row has.
    """
    return {"resource": resource, "verdict": "ok", "reason": reason, **columns}


def alarm(resource: str, reason: str, **columns: Any) -> Finding:
    """It is as it should not be."""
    return {"resource": resource, "verdict": "alarm", "reason": reason, **columns}


def info(resource: str, reason: str, **columns: Any) -> Finding:
    """Worth to know, and no alarm."""
    return {"resource": resource, "verdict": "info", "reason": reason, **columns}


def skip(resource: str, reason: str, **columns: Any) -> Finding:
    """The question does not apply: the account has no such thing, or not this kind of it."""
    return {"resource": resource, "verdict": "skip", "reason": reason, **columns}


def unknown(resource: str, reason: str, **columns: Any) -> Finding:
    """What should have been looked at, and could not be."""
    return {"resource": resource, "verdict": "unknown", "reason": reason, **columns}


@dataclass(frozen=True)
class CouldNotLook:
    """The error of a call, in place of what would have been found of a resource."""

    resource: str
    error: Exception

    def finding(self) -> Finding:
        return unknown(self.resource, _why(self.error))


Findings = Iterable[Finding | CouldNotLook]


def or_skip(found: Findings, account_id: str, reason: str) -> Iterator[Finding | CouldNotLook]:
    """What a check found; if that is nothing, one `skip`, so that nobody takes it for a check that did not look.

    Args:
        found: what it found.
        account_id: of the finding if there is nothing.
        reason: that there is no such thing, in one sentence.
    """
    nothing = True
    for one in found:
        nothing = False
        yield one
    if nothing:
        yield skip(account_id, reason)


def looked(resource: str, find: Callable[[], Findings]) -> Iterator[Finding | CouldNotLook]:
    """What one of several questions of a check finds, so that one that AWS refuses does not end the others.

    Args:
        resource: what cannot be judged if AWS refuses.
        find: asks, and judges.
    """
    try:
        yield from find()
    except Exception as error:
        if not _is_refused(error):
            raise
        yield CouldNotLook(resource, error)


def each(
    things: Iterable[Any], resource: Callable[[Any], str], find: Callable[[Any], Findings], account_id: str
) -> Iterator[Finding | CouldNotLook]:
    """Ask about things one by one, the first MAX_LOOKS of them.

    Args:
        things: as AWS lists them.
        resource: the ARN or id of a thing.
        find: asks AWS about a thing, and judges it.
        account_id: of the finding which says that there are more.
    """
    for number, thing in enumerate(things):
        if number == MAX_LOOKS:
            yield unknown(account_id, f"Only the first {MAX_LOOKS:,} were looked at; there are more.")
            return
        for found in looked(resource(thing), lambda thing=thing: find(thing)):  # type: ignore[misc]
            gone = isinstance(found, CouldNotLook) and code_of(found.error) in GONE
            yield skip(resource(thing), "It has been deleted meanwhile.") if gone else found


def judged(found: Findings, account_id: str) -> list[Finding]:
    """All that a check found. What it could not look at is `unknown`.

    Raises:
        Exception: of AWS: it could not look at anything.
    """
    findings: list[Finding] = []
    failures: list[CouldNotLook] = []
    try:
        for one in found:
            if isinstance(one, CouldNotLook):
                failures.append(one)
            else:
                findings.append(one)
    except Exception as error:
        if not (_is_refused(error) or _is_trouble(error)):
            raise
        failures.append(CouldNotLook(account_id, error))
    if failures and not findings:
        raise failures[0].error
    return [*findings, *(failure.finding() for failure in failures)]


def _is_refused(error: Exception) -> bool:
    """Whether it is about this call, so that others may well succeed."""
    if is_aws_error(error):
        return classify(error) in (ErrorKind.DENIED, ErrorKind.REFUSED, ErrorKind.INVALID_RESPONSE)
    return isinstance(error, CheckCallFailed)


def _is_trouble(error: Exception) -> bool:
    """Whether the service does not answer now, so that the check better ends."""
    return is_aws_error(error) and classify(error) in (
        ErrorKind.THROTTLED,
        ErrorKind.TIMED_OUT,
        ErrorKind.UNAVAILABLE,
        ErrorKind.UNREACHABLE,
    )


def _why(error: Exception) -> str:
    """One sentence."""
    if isinstance(error, CheckCallFailed):
        return error.message
    operation = getattr(error, "operation_name", None)
    what = f"{classify(error).value}, {code_of(error) or type(error).__name__}"
    if classify(error) is ErrorKind.DENIED:
        action = denied_action(error)
        return f"{action}: {operation} was {what}." if action else f"{operation} was {what}."
    return f"{operation} in AWS: {what}." if operation else f"AWS: {what}."


def denied_action(error: BaseException) -> str | None:
    """The action that was denied, in words; None: AWS's message does not name it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    message = message_of(error)[:4096]
    found = re.search(r"not authorized to perform: ([a-z0-9-]{2,40}:[A-Za-z0-9]{2,80})", message)
    if not found:
        return None
    _, explicitly = denying_policy(message) or ("", False)
    return f"The action {found[1]} is {'denied explicitly' if explicitly else 'missing'}"

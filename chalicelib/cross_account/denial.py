"""Why AssumeRole was denied: what can be known without any extra permission, and the next step for what cannot.

STS returns the same AccessDenied for a role that does not exist, a trust policy that names another caller, another
external ID, a permission that the hub lacks and an organization's policy. Three things tell more: the kind of policy,
if AWS's message names one (it is matched and never passed on), who the caller is, and whether this process has assumed
the role in another account. The first line of a hint has the cause, or the two that remain; each line after it is one
step. Where the cause is ambiguous, the hint lists the alternatives.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from .calls import at_most

TRUSTED_ROLES = "cross-account-*"
"""The default of HubRoleName in role-template.yaml: what a target's trust policy asks of aws:PrincipalArn."""

UNKNOWN_ROLE = "<the function's role>"
UNKNOWN_HUB = "<the hub>"
"""Both stand in a command for what the reader has to fill in."""

_ARN = (
    r"arn:(?P<partition>aws[a-z-]*):(?:sts|iam)::(?P<account>[0-9]{12}):"
    r"(?:assumed-role/(?P<role>[\w+=,.@-]{1,64})/[\w+=,.@-]+|user/(?P<user>[\w+=,.@/-]{1,580})|root)"
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html has the forms. Role trust policies
# have a form of their own there, but are also seen as resource-based ones.
_POLICY = (
    r"(?P<how>because no|explicit deny in an?|explicit deny in the) (?P<kind>identity-based|resource-based|role trust|"
    r"service control|resource control|permissions boundary|sessions?|VPC endpoint)\b"
)
_EXPLICIT = r"\bexplicit deny\b"
_MAX_READ = 4096
HINT_SECONDS = 2.0
"""How long a denial waits at most for GetCallerIdentity; STS responds in a tenth of it."""
ASK_AGAIN_SECONDS = 30.0
"""How long GetCallerIdentity may take at most, and is not called again after a failure."""


class CallerIdentity(NamedTuple):
    """A principal of the hub, as a policy names it.

    Attributes:
        kind: what it is; AWS lets no root user assume a role.
        account: its account.
        name: of the role or user; of the root user "root".
        arn: of the role itself and not of its session, or of the user. The path of a role is not in its session's
            ARN, so a role with a path is named without it here; Chalice makes its roles without.
    """

    kind: Literal["role", "user", "root"]
    account: str
    name: str
    arn: str

    @classmethod
    def from_arn(cls, arn: str) -> CallerIdentity | None:
        """Read the ARN that GetCallerIdentity returns; None for anything but a role, a user or root."""
        found = re.fullmatch(_ARN, arn, re.ASCII)
        if found is None:
            return None
        kind: Literal["role", "user", "root"] = "role" if found["role"] else "user" if found["user"] else "root"
        name = found["role"] or (found["user"] or "root").rsplit("/", 1)[-1]
        resource = f"role/{name}" if kind == "role" else arn.split(":", 5)[5]
        return cls(kind, found["account"], name, f"arn:{found['partition']}:iam::{found['account']}:{resource}")

    @property
    def is_trusted_by_default(self) -> bool:
        """Whether a role deployed from role-template.yaml with its default HubRoleName trusts this caller."""
        return self.kind == "role" and self.name.startswith(TRUSTED_ROLES.removesuffix("*"))


class OwnIdentity:
    """Calls GetCallerIdentity and keeps what it returns; after a failure it pauses.

    It is only for a hint, so it is asked in a thread of its own and waited for once: no account of a sweep has to wait
    for an STS that does not respond.

    Args:
        sts: makes the client; GetCallerIdentity needs no permission, and no IAM policy can deny it.
    """

    def __init__(self, sts: Callable[[], Any]) -> None:
        self._sts = sts
        self._lock = threading.Lock()
        self._asked = -math.inf
        self._answered = threading.Event()
        self._identity: CallerIdentity | None = None

    def __call__(self) -> CallerIdentity | None:
        """The identity, or None if it is not known, or not yet."""
        with self._lock:
            if self._identity is None and time.monotonic() >= self._asked + ASK_AGAIN_SECONDS:
                self._asked = time.monotonic()
                self._answered = threading.Event()
                self._start(self._answered)
            answered, until = self._answered, self._asked + HINT_SECONDS
        answered.wait(max(0.0, until - time.monotonic()))
        return self._identity

    def _start(self, answered: threading.Event) -> None:
        with suppress(RuntimeError):  # the system allows no more threads
            threading.Thread(target=self._ask, args=(answered,), name="own-identity", daemon=True).start()

    def _ask(self, answered: threading.Event) -> None:
        with suppress(Exception), at_most(ASK_AGAIN_SECONDS):  # the failure to report is what this is a hint for
            self._identity = CallerIdentity.from_arn(self._sts().get_caller_identity()["Arn"])
        answered.set()


class Denial(NamedTuple):
    """What this process knows of an AssumeRole that was denied.

    Attributes:
        role_arn: the role that was to be assumed.
        identify: returns who asked, or None. It is called for a denial alone: one more call would make throttling
            worse, and wait a second time for an STS that hangs.
        external_id_set: whether an external ID was sent; its value is not needed, and never shown.
        assumed_elsewhere: whether this process has assumed the role in another account.
        function: the Lambda function that this process is, as `us-east-1:function:its-name`; "" elsewhere.
    """

    role_arn: str
    identify: Callable[[], CallerIdentity | None]
    external_id_set: bool
    assumed_elsewhere: bool
    function: str = ""

    @property
    def caller(self) -> CallerIdentity | None:
        return self.identify()

    @property
    def account(self) -> str:
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def who(self) -> str:
        return self.caller.arn if self.caller else "the role that this function runs as"


def explain(message: str, denial: Denial) -> str:
    """Say why AssumeRole was denied, most likely cause first, in lines that each stand alone.

    Args:
        message: AWS's own; only matched.
        denial: what is known beside it.
    """
    if named := denying_policy(message):
        lines = _policy_named(denial, *named)
        return "\n".join([*lines, "AWS names one denying policy even if there are several."])
    if re.search(_EXPLICIT, message[:_MAX_READ], re.IGNORECASE):
        first = f"A policy denies {denial.who} explicitly; AWS does not say of which kind it is."
        return "\n".join([first, _simulate(denial), _show_trust(denial), _organization(denial)])
    return "\n".join(_policy_unknown(denial))


def denying_policy(message: str) -> tuple[str, bool] | None:
    """The kind of policy that AWS's message names, such as "session", and whether it denies explicitly; None: neither.

    Args:
        message: AWS's own, of any operation; only matched.
    """
    named = re.search(_POLICY, message[:_MAX_READ], re.IGNORECASE)
    if named is None:
        return None
    kind = named["kind"].lower()
    return "session" if kind == "sessions" else kind, named["how"].lower().startswith("explicit")


def _policy_named(denial: Denial, kind: str, explicit: bool) -> list[str]:
    """AWS has said which kind of policy it was."""
    denies = "denies it explicitly" if explicit else "does not allow it"
    hub = denial.caller.account if denial.caller else UNKNOWN_HUB
    if kind == "identity-based":
        first = f"The hub's own policy {denies}: sts:AssumeRole by {denial.who} on {denial.role_arn}."
        remedy = "Remove that Deny." if explicit else f"It needs {_allow_statement(denial)}"
        return [first, _simulate(denial), remedy, *_untrusted_caller(denial)]
    if kind in ("resource-based", "role trust"):
        if explicit:
            return [f"The trust policy of {denial.role_arn} denies {denial.who} explicitly.", _show_trust(denial)]
        return [
            *(
                _untrusted_caller(denial)
                or [f"The trust policy of {denial.role_arn} asks for another caller or external ID."]
            ),
            _show_trust(denial),
            _trust_must_allow(denial),
        ]
    name = denial.caller.name if denial.caller else UNKNOWN_ROLE
    step = {
        "permissions boundary": _show_boundary(denial.caller, name),
        "session": f"It narrows the session that asks. Lambda sets none: how did {name} sign in?",
        "vpc endpoint": "In the hub: aws ec2 describe-vpc-endpoints --filters 'Name=service-name,Values=*.sts'",
        "service control": _list_policies(hub, "SERVICE_CONTROL_POLICY"),
        "resource control": _list_policies(denial.account, "RESOURCE_CONTROL_POLICY"),
    }[kind]
    called = {"session": "session policy", "vpc endpoint": "VPC endpoint's policy"}.get(kind, kind)
    called += " policy" if called.endswith("control") else ""
    return [f"A {called} {denies}: sts:AssumeRole by {denial.who} on {denial.role_arn}.", step]


def _show_boundary(caller: CallerIdentity | None, name: str) -> str:
    if caller and caller.kind == "user":
        return f"In the hub: aws iam get-user --user-name {name} --query User.PermissionsBoundary"
    return f"In the hub: aws iam get-role --role-name {name} --query Role.PermissionsBoundary"


def _policy_unknown(denial: Denial) -> list[str]:
    """AWS has said AccessDenied and nothing else."""
    caller, account = denial.caller, denial.account
    if caller is None:
        return [
            "GetCallerIdentity failed as well, or took over 2 s, and it needs no permission: the credentials have "
            "expired, a VPC endpoint's policy is in the way, or STS is slow.",
            "As the function: aws sts get-caller-identity",
            _show_trust(denial),
        ]
    if caller.kind == "root":
        first = "This runs as the account's root user, and AWS lets no root user assume a role."
        return [first, *_untrusted_caller(denial)[1:]]
    if caller.account == account:
        return [
            f"Account {account} is the hub itself: it has no role {denial.role_name}, or the role trusts another "
            "account.",
            f"Leave it out of the sweep (exclude), or deploy role-template.yaml there with HubAccountId={account}.",
            _show_trust(denial),
        ]
    if _untrusted_caller(denial):
        return [*_untrusted_caller(denial), _show_trust(denial), _trust_must_allow(denial), _simulate(denial)]
    role = denial.role_name
    side = f"Account {account} does not let {caller.name} in"
    first = (
        f"{side}: no role {role} there, or its trust policy asks for another caller or external ID."
        if denial.assumed_elsewhere
        else f"{side} (no role {role} there, or its trust policy), or the hub's own policy does not allow it."
    )
    unlikely = (
        "Unlikely: this process has already assumed the role in another account. " if denial.assumed_elsewhere else ""
    )
    return [
        first,
        _show_trust(denial),
        f"NoSuchEntity: deploy role-template.yaml there with HubAccountId={caller.account}"
        f"{'' if caller.is_trusted_by_default else f', HubRoleName={caller.name}'}"
        f"{' and the ExternalId that is EXTERNAL_ID here' if denial.external_id_set else ''}.",
        _trust_must_allow(denial),
        f"{unlikely}{_simulate(denial)}",
        f"Or the organization denies it. {_organization(denial)}",
    ]


def _untrusted_caller(denial: Denial) -> list[str]:
    """The default trust policy does not match the caller, and no other target trusts it by a policy of its own."""
    caller = denial.caller
    if caller is None or caller.is_trusted_by_default or (denial.assumed_elsewhere and caller.kind != "root"):
        return []
    return [
        f"The caller is the {caller.kind} {caller.name}; role-template.yaml trusts only roles called {TRUSTED_ROLES}.",
        "Run it as a deployed function whose role has such a name, or deploy the template with HubRoleName="
        + (caller.name if caller.kind == "role" else "the name of a role to run it as"),
    ]


def _show_trust(denial: Denial) -> str:
    query = f"aws iam get-role --role-name {denial.role_name} --query Role.AssumeRolePolicyDocument"
    return f"In account {denial.account}: {query}"


def _trust_must_allow(denial: Denial) -> str:
    external_id = "the sts:ExternalId that is" if denial.external_id_set else "no sts:ExternalId, as there is no"
    return f"It must allow {denial.who}, ask for {external_id} EXTERNAL_ID here, and for no organization but the hub's."


def _simulate(denial: Denial) -> str:
    """The hub's policies allow only the app's functions to ask, so the simulation has to say which one it is."""
    caller = denial.caller
    command = (
        f"In the hub: aws iam simulate-principal-policy --policy-source-arn {denial.who if caller else UNKNOWN_ROLE} "
        f"--action-names sts:AssumeRole --resource-arns {denial.role_arn} --query EvaluationResults"
    )
    if caller is None or not denial.function:
        return command
    region, _, name = denial.function.partition(":")
    function = f"arn:{caller.arn.split(':')[1]}:lambda:{region}:{caller.account}:{name}"
    key = f"ContextKeyName=lambda:SourceFunctionArn,ContextKeyType=string,ContextKeyValues={function}"
    return f"{command} --context-entries {key}"


def _allow_statement(denial: Denial) -> str:
    anywhere = denial.role_arn.replace(f"::{denial.account}:", "::*:")
    return f'{{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{anywhere}"}}'


def _organization(denial: Denial) -> str:
    return _list_policies(denial.caller.account if denial.caller else UNKNOWN_HUB, "SERVICE_CONTROL_POLICY")


def _list_policies(account: str, kind: str) -> str:
    """Only those of the account itself; those of the units above it are listed in the same way."""
    return (
        "In the organization's management account, for it and each unit above it: "
        f"aws organizations list-policies-for-target --target-id {account} --filter {kind}"
    )

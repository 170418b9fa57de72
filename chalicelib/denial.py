"""Why AssumeRole was denied: what can be known without any extra right, and the next step for what cannot.

STS answers the same AccessDenied for a role that is not there, a trust policy that names somebody else, another
external ID, a right that the hub lacks and an organization's policy. Three things tell more: the kind of policy, where
AWS's message names one (which is matched and never passed on), who the caller is, and whether this process has been
let into another account. The first line of a hint has the cause, or the two that are left; what follows is one step
for each. A hint that cannot know says "or".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.caller_identity import TRUSTED_ROLES, CallerIdentity

# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html has the forms. Role trust policies
# have a form of their own there, but are also seen as resource-based ones.
_POLICY = re.compile(
    r"(?P<how>because no|explicit deny in an?|explicit deny in the) (?P<kind>identity-based|resource-based|role trust|"
    r"service control|resource control|permissions boundary|sessions?|VPC endpoint)\b",
    re.IGNORECASE,
)
_EXPLICIT = re.compile(r"\bexplicit deny\b", re.IGNORECASE)
_MOST_READ = 4096
UNKNOWN = "<the function's role>"
"""Stands in a command for what the reader has to fill in."""


@dataclass(frozen=True)
class Denial:
    """What this process knows of an AssumeRole that was denied.

    Attributes:
        role_arn: the role that was to be assumed.
        caller: who asked; None: not known, GetCallerIdentity did not answer.
        external_id_set: whether an external ID was sent; its value is not needed, and never shown.
        let_in_elsewhere: whether this process has assumed the role of another account, with the same right.
    """

    role_arn: str
    caller: CallerIdentity | None
    external_id_set: bool
    let_in_elsewhere: bool

    @property
    def account(self) -> str:
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def who(self) -> str:
        return self.caller.arn if self.caller else "the role that this function runs as"


def why(message: str, denial: Denial) -> str:
    """Say why AssumeRole was denied, most likely cause first, in lines of which each stands alone.

    Args:
        message: AWS's own; only matched.
        denial: what is known beside it.
    """
    named = _POLICY.search(message[:_MOST_READ])
    if named:
        kind = named["kind"].lower()
        explicit = named["how"].lower().startswith("explicit")
        lines = _named(denial, "session" if kind == "sessions" else kind, explicit)
        return "\n".join([*lines, "AWS names one denying policy even where there are several."])
    if _EXPLICIT.search(message[:_MOST_READ]):
        first = f"A policy denies {denial.who} explicitly; AWS does not say of which kind it is."
        return "\n".join([first, _simulate(denial), _trust(denial), _organization(denial)])
    return "\n".join(_unnamed(denial))


def _named(denial: Denial, kind: str, explicit: bool) -> list[str]:
    """AWS has said which kind of policy it was."""
    denies = "denies it explicitly" if explicit else "does not allow it"
    hub = denial.caller.account if denial.caller else "(hub)"
    if kind == "identity-based":
        first = f"The hub's own policy {denies}: sts:AssumeRole by {denial.who} on {denial.role_arn}."
        mend = "Remove that Deny." if explicit else f"It needs {_right(denial)}"
        return [first, _simulate(denial), mend, *_misfit(denial)]
    if kind in ("resource-based", "role trust"):
        if explicit:
            return [f"The trust policy of {denial.role_arn} denies {denial.who} explicitly.", _trust(denial)]
        return [
            *(_misfit(denial) or [f"The trust policy of {denial.role_arn} asks for another caller or external ID."]),
            _trust(denial),
            _must_let_in(denial),
        ]
    name = denial.caller.name if denial.caller else UNKNOWN
    step = {
        "permissions boundary": f"In the hub: aws iam get-role --role-name {name} --query Role.PermissionsBoundary",
        "session": f"It narrows the session that asks. Lambda sets none: how did {name} sign in?",
        "vpc endpoint": "In the hub: aws ec2 describe-vpc-endpoints --filters 'Name=service-name,Values=*.sts'",
        "service control": _list_policies(hub, "SERVICE_CONTROL_POLICY"),
        "resource control": _list_policies(denial.account, "RESOURCE_CONTROL_POLICY"),
    }[kind]
    called = {"session": "session policy", "vpc endpoint": "VPC endpoint's policy"}.get(kind, kind)
    called += " policy" if called.endswith("control") else ""
    return [f"A {called} {denies}: sts:AssumeRole by {denial.who} on {denial.role_arn}.", step]


def _unnamed(denial: Denial) -> list[str]:
    """AWS has said no more than no."""
    caller, account = denial.caller, denial.account
    if caller is None:
        return [
            "STS did not answer GetCallerIdentity either, which needs no permission: the credentials have ended, or "
            "a VPC endpoint's policy is in the way.",
            "As the function: aws sts get-caller-identity",
            _trust(denial),
        ]
    if caller.kind == "root":
        return ["This runs as the account's root user, and AWS lets no root user assume a role.", *_misfit(denial)[1:]]
    if caller.account == account:
        return [
            f"Account {account} is the hub itself: no role {denial.role_name} there, or it trusts another account.",
            f"Leave it out of the sweep (exclude), or deploy role-template.yaml there with HubAccountId={account}.",
            _trust(denial),
        ]
    if not caller.fits_the_template:
        return [*_misfit(denial), _trust(denial), _must_let_in(denial), _simulate(denial)]
    role = denial.role_name
    side = f"Account {account} does not let {caller.name} in"
    first = (
        f"{side}: no role {role} there, or its trust policy asks for another caller or external ID."
        if denial.let_in_elsewhere
        else f"{side} (no role {role} there, or its trust policy), or the hub's own policy does not let it ask."
    )
    elsewhere = "Least likely, since this process got into another account. " if denial.let_in_elsewhere else ""
    return [
        first,
        _trust(denial),
        f"NoSuchEntity: deploy role-template.yaml there with HubAccountId={caller.account}"
        f"{' and the ExternalId that is EXTERNAL_ID here' if denial.external_id_set else ''}.",
        _must_let_in(denial),
        f"{elsewhere}{_simulate(denial)}",
        f"Or the organization denies it. {_organization(denial)}",
    ]


def _misfit(denial: Denial) -> list[str]:
    """The caller is none that the shipped trust policy can match."""
    caller = denial.caller
    if caller is None or caller.fits_the_template:
        return []
    return [
        f"The caller is the {caller.kind} {caller.name}; role-template.yaml trusts only roles called {TRUSTED_ROLES}.",
        "Run it as the deployed function (chalice invoke), or deploy the template with HubRoleName="
        + (caller.name if caller.kind == "role" else "the name of a role to run it as"),
    ]


def _trust(denial: Denial) -> str:
    query = f"aws iam get-role --role-name {denial.role_name} --query Role.AssumeRolePolicyDocument"
    return f"In account {denial.account}: {query}"


def _must_let_in(denial: Denial) -> str:
    external_id = "the sts:ExternalId that is EXTERNAL_ID here" if denial.external_id_set else "no sts:ExternalId"
    return f"It must let in {denial.who}, ask for {external_id}, and for no organization but the hub's."


def _simulate(denial: Denial) -> str:
    """The hub's policies let only the app's functions ask, so the simulation has to say that it is one of them."""
    caller = denial.caller
    command = (
        f"In the hub: aws iam simulate-principal-policy --policy-source-arn {denial.who if caller else UNKNOWN} "
        f"--action-names sts:AssumeRole --resource-arns {denial.role_arn} --query EvaluationResults"
    )
    if caller is None or not caller.fits_the_template:
        return command
    function = f"arn:{caller.arn.split(':')[1]}:lambda:us-east-1:{caller.account}:function:{caller.name}"
    key = f"ContextKeyName=lambda:SourceFunctionArn,ContextKeyType=string,ContextKeyValues={function}"
    return f"{command} --context-entries {key}"


def _right(denial: Denial) -> str:
    anywhere = denial.role_arn.replace(f"::{denial.account}:", "::*:")
    return f'{{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{anywhere}"}}'


def _organization(denial: Denial) -> str:
    return _list_policies(denial.caller.account if denial.caller else "<the hub>", "SERVICE_CONTROL_POLICY")


def _list_policies(account: str, kind: str) -> str:
    """Only those of the account itself; those of the units above it are asked for in the same way."""
    return (
        "In the organization's management account, for it and each unit above it: "
        f"aws organizations list-policies-for-target --target-id {account} --filter {kind}"
    )

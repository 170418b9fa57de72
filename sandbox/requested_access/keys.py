"""The condition keys that AWS takes from a request's parameters: its tags, and what some services name.

Keys in `known` are certainly absent if the request does not set them; all other keys of content are unknown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.model import Shape

from sandbox.requested_access.data import arn_keys_of
from sandbox.requested_access.known_arns import arn_of_iam, of_iam
from sandbox.requested_access.request import Request

Keys = dict[str, str | list[str]]

READS = re.compile("(Describe|List|Get|Search|Lookup|BatchGet)")
_PROFILE = re.compile(r"IamInstanceProfile(\.Arn|\.Name)?$")
_ROLE = re.compile("arn:[^:]+:iam::[0-9]+:role/")
_PASSED_TO = {
    "cloudformation": "cloudformation.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "codepipeline": "codepipeline.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "ecs": "ecs-tasks.amazonaws.com",
    "eks": "eks.amazonaws.com",
    "events": "events.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "ssm": "ssm.amazonaws.com",
    "stepfunctions": "states.amazonaws.com",
}


def are_tags(member: str, shape: Shape) -> bool:
    """Whether a member of an operation's input holds the tags that it sets or removes."""
    name = member.lower()
    return "tag" in name and "filter" not in name and shape.type_name in ("list", "map", "structure")


def tag_keys(operation: str, members: Sequence[str], values: Mapping[str, Any]) -> tuple[Keys, Sequence[str]]:
    """aws:RequestTag/… and aws:TagKeys. Nothing is known if the tags have a form that AWS does not document."""
    if READS.match(operation):
        return {}, ("aws:RequestTag/", "aws:TagKeys")
    tags: dict[str, str] = {}
    removed: list[str] = []
    for member in members:
        found = values.get(member)
        if found is None:
            continue
        if isinstance(found, list) and all(isinstance(one, str) for one in found) and "key" in member.lower():
            removed += found
            continue
        pairs = list(_pairs(found))
        if None in pairs:
            return {}, ()
        tags |= dict(pair for pair in pairs if pair)
    names = [*tags, *removed]
    # IAM ignores the case of these keys; it is not known which of two such tags it would use.
    if len({name.lower() for name in tags}) < len(tags):
        return {"aws:TagKeys": names}, ()
    keys: Keys = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    return keys | ({"aws:TagKeys": names} if names else {}), ("aws:RequestTag/", "aws:TagKeys")


def _pairs(found: Any) -> Iterator[tuple[str, str] | None]:
    """Of a map, of a list of keys and values, or of EC2's specifications; None for another form."""
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        yield from found.items()
    elif isinstance(found, list):
        for one in found:
            lower = {name.lower(): value for name, value in one.items()} if isinstance(one, dict) else {}
            key = lower.get("key", lower.get("tagkey"))
            if isinstance(key, str):
                yield key, str(lower.get("value", lower.get("tagvalue", "")))
            elif isinstance(lower.get("tags"), list):
                yield from _pairs(lower["tags"])
            else:
                yield None
    else:
        yield None


def named_keys(action: Mapping[str, Any], members: Sequence[str]) -> Mapping[str, str]:
    """The service's own condition keys that have the name of a member, such as sns:Protocol; with those members."""
    by_name = {_bare(member): member for member in members}
    keys = [key for key in action["conditionKeys"] if not key.startswith("aws:") and "$" not in key]
    return {key: by_name[name] for key in keys if (name := _bare(key.partition(":")[2])) in by_name}


def service_keys(request: Request, named: Mapping[str, str], values: Mapping[str, Any]) -> Keys:
    """The values of those keys. What should be an ARN and is a name is left unknown."""
    keys = {key: text for key, member in named.items() if (text := _text(values.get(member))) is not None}
    keys = {key: text for key, text in keys.items() if _is_arn(text) or key not in arn_keys_of(key.partition(":")[0])}
    if isinstance(context := values.get("EncryptionContext"), dict):
        keys |= {f"kms:EncryptionContext:{name}": str(value) for name, value in context.items()}
        keys["kms:EncryptionContextKeys"] = list(context)
    if request.service == "ec2":
        keys["ec2:Region"] = request.region
    return keys


def passed_roles(request: Request, values: Mapping[str, Any]) -> Mapping[str, Keys]:
    """The roles that a request gives to a service, with the key that says to which."""
    if READS.match(request.operation) or request.service in ("iam", "sts"):
        return {}
    service = _PASSED_TO.get(request.service)
    keys: Keys = {"iam:PassedToService": service} if service else {}
    roles = [role for role in _roles(values) if _ROLE.match(role)]
    if request.service in _NAME_ROLES:
        names = [str(values[name]) for name in _NAME_ROLES[request.service] if name in values]
        roles += [arn_of_iam(request.account, "role", name) for name in names if not name.startswith("arn:")]
    profiles = [value for field, value in request.fields.items() if _PROFILE.search(field)]
    roles += [
        role.arn
        for profile in of_iam(request.account, "instance-profile")
        for role in profile.roles
        if {profile.name, profile.arn}.intersection(profiles)
    ]
    return dict.fromkeys(roles, keys)


_NAME_ROLES = {"emr": ("ServiceRole", "AutoScalingRole"), "glue": ("Role",)}
"""Services that also take a role's name."""


def _roles(found: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, Mapping):
        for inner, value in found.items():
            yield from _roles(value, str(inner))
    elif isinstance(found, list):
        for value in found:
            yield from _roles(value, name)
    elif isinstance(found, str) and "role" in name.lower():
        yield found


def _is_arn(text: str | list[str]) -> bool:
    return all(one.startswith("arn:") for one in ([text] if isinstance(text, str) else text))


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _text(value: Any) -> str | list[str] | None:
    if isinstance(value, list):
        return [str(one) for one in value] if all(isinstance(one, str) for one in value) else None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else None

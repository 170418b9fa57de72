"""Resources that a service names otherwise than by the parts of its ARNs: URLs, aliases, paths, suffixes, prefixes.

Each function gets the request's values and returns ARNs (None: unknown), or nothing at all where the patterns suffice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlparse

from sandbox.requested_access.known_arns import complete
from sandbox.requested_access.request import Request

Values = Mapping[str, Any]
Found = Sequence[str | None] | None
"""ARNs; None within: unknown; None alone: to be found by the patterns."""

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "athena": {"WorkGroupName": "primary"},
    "ecs": {"ClusterName": "default"},
    "events": {"EventBusName": "default"},
}
"""What a request means that does not tell."""


def arn(request: Request, resource: str, service: str = "") -> str:
    return f"arn:aws:{service or request.service}:{request.region}:{request.account}:{resource}"


def _sqs(request: Request, values: Values) -> Found:
    url = values.get("QueueUrl") or ("" if "QueueName" in values else request.bare_path)
    account, _, name = urlparse(url).path.strip("/").rpartition("/")
    return [f"arn:aws:sqs:{request.region}:{account}:{name}"] if account and name else None


def _apigateway(request: Request, values: Values) -> Found:
    path = request.bare_path.removeprefix("/v2") if request.service == "apigatewayv2" else request.bare_path
    return [f"arn:aws:apigateway:{request.region}::{path.rstrip('/')}"]


def _bedrock(request: Request, values: Values) -> Found:
    model = re.search(r"/model/([^/]+)/", request.bare_path)
    name = unquote(model[1]) if model else ""
    if not name or name.startswith("arn:"):
        return [name or None]
    if re.match(r"(us|eu|apac|global|jp|au|us-gov)\.", name):
        return [arn(request, f"inference-profile/{name}", "bedrock")]
    return [f"arn:aws:bedrock:{request.region}::foundation-model/{name}"]


def _kms_alias(request: Request, name: str) -> str | None:
    """The ARN of the key that an alias stands for: AWS decides about the key."""
    from moto.kms.models import kms_backends

    account, region = request.account, request.region
    if name.startswith("arn:"):
        _, _, _, region, account, name = name.split(":", 5)
    backend = kms_backends[account][region]
    key = backend.get_key_id_from_alias(name)
    return f"arn:aws:kms:{region}:{account}:key/{key.rpartition('/')[2]}" if key else None


def _kms(request: Request, values: Values) -> Found:
    found: list[str | None] = []
    alias = values.get("AliasName")
    if alias:
        found.append(alias if alias.startswith("arn:") else arn(request, alias))
    keys = [values[name] for name in ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId") if name in values]
    if alias and request.operation in ("DeleteAlias", "UpdateAlias"):
        keys.append(alias)
    for key in keys:
        is_alias = key.startswith("alias/") or ":alias/" in key
        found.append(_kms_alias(request, key) if is_alias else key if ":" in key else arn(request, f"key/{key}"))
    return list(dict.fromkeys(found)) or None


def _secrets(request: Request, values: Values) -> Found:
    if request.operation == "CreateSecret":
        return [arn(request, f"secret:{values.get('Name', '')}-??????")]  # as AWS names a secret without its suffix
    name = values.get("SecretId", "")
    if not name:
        return None
    full = name if name.startswith("arn:") else arn(request, f"secret:{name}")
    account, region = full.split(":")[4], full.split(":")[3]
    for form in (full, f"{full}-??????"):
        known = complete("secretsmanager", account, region, form.replace("?", "*"))
        if "*" not in known and len(known) in (len(full), len(full) + 7):
            return [known] if known.startswith(full) else [form]
    return [full if name.startswith("arn:") else f"{full}-??????"]


def _ssm(request: Request, values: Values) -> Found:
    names = [values.get(member) for member in ("Name", "Names", "Path", "ResourceId")]
    if "Parameter" not in request.operation and values.get("ResourceType") != "Parameter":
        return None
    listed = [name for found in names if found for name in (found if isinstance(found, list) else [found])]
    return [
        name if name.startswith("arn:") else arn(request, f"parameter/{name.partition(':')[0].strip('/')}")
        for name in listed
    ] or None


_LOG_GROUP = re.compile("arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:]+$")


def _logs(request: Request, found: Sequence[str | None], values: Values) -> Sequence[str | None]:
    """Most actions on a log group want its ARN with :* at the end, as AWS's reference of CloudWatch Logs says."""
    return [f"{one}:*" if one and _LOG_GROUP.match(one) else one for one in found]


def _lambda(request: Request, values: Values) -> Found:
    name = values.get("FunctionName")
    if not isinstance(name, str) or "Layer" in request.operation:
        return None
    head, _, bare = name.rpartition("function:")
    if not name.startswith("arn:"):
        account = head.strip(":").split(":")[-1] or request.account
        name = f"arn:aws:lambda:{request.region}:{account}:function:{bare}"
    qualifier = values.get("Qualifier")
    return [f"{name}:{qualifier}" if qualifier and bare.count(":") == 0 else name]


def _dynamodb(request: Request, found: Sequence[str | None], values: Values) -> Sequence[str | None]:
    """Of an index AWS decides about the index alone."""
    indexes = [one for one in found if one and "/index/" in one]
    return indexes if indexes and "IndexName" in values else found


def _dynamodb_tables(request: Request, values: Values) -> Found:
    tables = values.get("RequestItems")
    if not isinstance(tables, dict):
        return None
    return [name if name.startswith("arn:") else arn(request, f"table/{name}") for name in tables]


def _iam(request: Request, found: Sequence[str | None], values: Values) -> Sequence[str | None]:
    """With the path: of what is created it is in the request, of what exists it is looked up."""
    path = values.get("Path", "/") if request.operation.startswith("Create") else ""
    return [_with_path(request, one, path) if one else one for one in found]


def _with_path(request: Request, found: str, path: str) -> str:
    head, _, name = found.rpartition("/")
    if path:
        return f"{head}{path}{name}"
    if head.endswith((":role", ":user", ":group", ":instance-profile", ":server-certificate", ":policy")):
        return _existing(request.account, head.rpartition(":")[2], name) or found
    return found


def _existing(account: str, kind: str, name: str) -> str:
    from moto.iam.models import iam_backends

    backend = iam_backends[account]["aws"]
    things = {
        "role": backend.roles,
        "user": backend.users,
        "group": backend.groups,
        "instance-profile": backend.instance_profiles,
        "server-certificate": backend.certificates,
    }.get(kind, {})
    return next((str(thing.arn) for thing in list(things.values()) if getattr(thing, "name", None) == name), "")


def _sns(request: Request, found: Sequence[str | None], values: Values) -> Sequence[str | None]:
    """Of a subscription AWS decides about its topic."""
    return [":".join(one.split(":")[:6]) if one else one for one in found]


def _ends_known(request: Request, found: Sequence[str | None], values: Values) -> Sequence[str | None]:
    """With the ids that AWS has chosen."""
    return [
        complete(request.service, request.account, request.region, one)
        if one and one.count("*") and ":" in one and not one.endswith(("/*", ":*"))
        else one
        for one in found
    ]


BEFORE: Mapping[str, Callable[[Request, Values], Found]] = {
    "apigateway": _apigateway,
    "apigatewayv2": _apigateway,
    "bedrock-runtime": _bedrock,
    "dynamodb": _dynamodb_tables,
    "kms": _kms,
    "lambda": _lambda,
    "secretsmanager": _secrets,
    "sqs": _sqs,
    "ssm": _ssm,
}
AFTER: Mapping[str, Callable[[Request, Sequence[str | None], Values], Sequence[str | None]]] = {
    "dynamodb": _dynamodb,
    "iam": _iam,
    "logs": _logs,
    "sns": _sns,
}
ALSO: Mapping[str, Callable[[Request, Values], Sequence[tuple[str, str | None]]]] = {}

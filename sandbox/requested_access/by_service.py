"""What a request asks for where that is not one action with the resources of the patterns.

These services name a resource by a URL, an alias, an id or a suffix, or one request of theirs needs several actions.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlparse

from moto.utilities.utils import get_partition

from sandbox import organization, resources
from sandbox.backends import backend_of
from sandbox.requested_access.known_arns import arn_of_iam, existing, of_iam
from sandbox.requested_access.request import Request

Values = Mapping[str, Any]
Arns = Sequence[str | None]
"""None stands for a resource that is unknown."""
Asked = Sequence[tuple[str, str | None]]
"""Actions without their prefix ("" for that of the operation), and their resources."""

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "athena": {"WorkGroupName": "primary"},
    "ecs": {"ClusterName": "default"},
    "scheduler": {"GroupName": "default"},
}
"""What a request means that does not tell."""

WHOLE_TYPE = {"docdb", "efs", "elasticache", "neptune", "rds", "redshift"}
"""Services whose Describe operations, asked for everything, are about type:* and not about *."""


def _arn(request: Request, resource: str, service: str = "") -> str:
    service, region = service or request.service, request.region
    return f"arn:{get_partition(region)}:{service}:{region}:{request.account}:{resource}"


def _one(arns: Arns) -> Asked:
    return [("", arn) for arn in arns]


def _listed(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else [value] if value else []


def _sqs(request: Request, values: Values) -> Asked | None:
    url = values.get("QueueUrl") or ("" if "QueueName" in values else request.bare_path)
    account, _, name = urlparse(url).path.strip("/").rpartition("/")
    owner = account or request.account
    return _one([f"arn:{get_partition(request.region)}:sqs:{request.region}:{owner}:{name}"]) if name else None


def _apigateway(request: Request, values: Values) -> Asked:
    path = request.bare_path.removeprefix("/v2") if request.service == "apigatewayv2" else request.bare_path
    path = path if path.startswith("/tags/") else unquote(path)  # of tags AWS's ARN has the encoded path
    return _one([f"arn:{get_partition(request.region)}:apigateway:{request.region}::{path.rstrip('/')}"])


def _bedrock(request: Request, values: Values) -> Asked:
    model = re.search(r"/model/([^/]+)/", request.bare_path)
    name = unquote(model[1]) if model else ""
    if not name or name.startswith("arn:"):
        return _one([name or None])
    if re.match(r"(us|eu|apac|global|jp|au|us-gov)\.", name):
        return _one([_arn(request, f"inference-profile/{name}", "bedrock")])
    return _one([f"arn:{get_partition(request.region)}:bedrock:{request.region}::foundation-model/{name}"])


def _published(request: Request, values: Values) -> Asked | None:
    """A topic may be the target of a message, as a phone's endpoint may."""
    return _one([values["TargetArn"]]) if "TargetArn" in values else None


def _tagged_in_elb(request: Request, values: Values) -> Asked | None:
    """Its tags are of more than the load balancers that the data know."""
    return _one(_listed(values.get("ResourceArns"))) if request.operation in ("AddTags", "RemoveTags") else None


def _events(request: Request, values: Values) -> Asked | None:
    if request.operation == "PutEvents":
        entries = [entry for entry in values.get("Entries", []) if isinstance(entry, dict)]
        names = dict.fromkeys(str(entry.get("EventBusName", "default")) for entry in entries)
        return _one([_bus(request, name) for name in names])
    if request.operation == "DescribeEventBus":
        return _one([_bus(request, values.get("Name", "default"))])
    name = values.get("Rule") or (values.get("Name") if request.operation.endswith("Rule") else None)
    if not name:
        return None
    bus = values.get("EventBusName", "default").rpartition("/")[2]
    return _one([_arn(request, f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")])


def _bus(request: Request, name: str) -> str:
    return name if name.startswith("arn:") else _arn(request, f"event-bus/{name}")


def _kms(request: Request, values: Values) -> Asked | None:
    source, alias = values.get("SourceKeyId") or values.get("KeyId"), values.get("AliasName")
    if "CiphertextBlob" in values:
        source = _key_of(request, values["CiphertextBlob"]) or source
    if request.operation == "ReEncrypt":
        return [
            ("ReEncryptFrom", _key(request, source)),
            ("ReEncryptTo", _key(request, values.get("DestinationKeyId"))),
        ]
    if alias:
        keys = [values.get("TargetKeyId", alias), *([alias] if request.operation == "UpdateAlias" else [])]
        return _one([_arn(request, alias), *dict.fromkeys(_key(request, key) for key in keys)])
    return _one([_key(request, source)]) if source or "CiphertextBlob" in values else None


def _key(request: Request, name: str | None) -> str | None:
    """The key's ARN: AWS decides about the key, also where the request names an alias."""
    if not name or (name.startswith("arn:") and ":alias/" not in name):
        return name
    if not name.startswith("arn:") and not name.startswith("alias/"):
        return _arn(request, f"key/{name}")
    arn = name if name.startswith("arn:") else _arn(request, name)
    if arn.count(":") < 5:
        return None
    _, partition, _, region, account, alias = arn.split(":", 5)
    backend = backend_of("kms", account, region)
    key = backend.get_key_id_from_alias(alias) if backend else None
    return f"arn:{partition}:kms:{region}:{account}:key/{key.rpartition('/')[2]}" if key else None


def _key_of(request: Request, ciphertext: str) -> str | None:
    """A ciphertext tells its key, also that of another account."""
    try:
        return resources.key_of(base64.b64decode(ciphertext), request.region)
    except ValueError:
        return None


def _secrets(request: Request, values: Values) -> Asked | None:
    if request.operation == "BatchGetSecretValue":
        secrets = [_secret(request, name) for name in _listed(values.get("SecretIdList"))]
        return [
            ("", "*"),
            *(("GetSecretValue", arn) for arn in secrets),
            *([] if secrets else [("GetSecretValue", None)]),
        ]
    name = values.get("SecretId") or (values.get("Name") if request.operation == "CreateSecret" else None)
    return _one([_secret(request, name)]) if name else None


def _secret(request: Request, name: str) -> str:
    """With its suffix of six characters, as AWS decides; of what does not exist with ?, as AWS writes it."""
    arn = name if name.startswith("arn:") else _arn(request, f"secret:{name}")
    if name.startswith("arn:") and re.search("-[A-Za-z0-9]{6}$", name):
        return arn
    return existing("secretsmanager", f"{arn}-??????") or (arn if name.startswith("arn:") else f"{arn}-??????")


def _ssm(request: Request, values: Values) -> Asked | None:
    names = [*_listed(values.get("Name")), *_listed(values.get("Names")), *_listed(values.get("Path"))]
    if values.get("ResourceType") == "Parameter":
        names = _listed(values.get("ResourceId"))
    elif "Parameter" not in request.operation:
        return None
    bare = [name if name.startswith("arn:") else name.partition(":")[0].strip("/") for name in names]
    return _one([name if name.startswith("arn:") else _arn(request, f"parameter/{name}") for name in bare]) or None


def _layers(request: Request, values: Values) -> Asked | None:
    if "LayerName" not in values or request.operation == "ListLayerVersions":  # which knows no resources
        return None
    name, version = values["LayerName"], values.get("VersionNumber")
    layer = name if name.startswith("arn:") else _arn(request, f"layer:{name}")
    return _one([f"{layer}:{version}" if version else layer])


def _account(request: Request, values: Values) -> Asked | None:
    """Of a member account AWS's ARN has the organization."""
    if "AccountId" not in values or values["AccountId"] == request.account:
        return None
    organization_id = organization.id_of(request.account)
    if organization_id is None:
        return _one([None])
    start = f"arn:{get_partition(request.region)}:account::{request.account}:account"
    return _one([f"{start}/{organization_id}/{values['AccountId']}"])


def _organizations(request: Request, values: Values) -> Asked | None:
    named = [value for name, value in values.items() if name.endswith("Id") and isinstance(value, str)]
    ids = [value for value in named if re.fullmatch("[0-9]{12}|(ou|r|p)-[A-Za-z0-9-]+", value)]
    if not ids:
        return None
    backend = organization.managing(request.account)
    entities = [*backend.accounts, *backend.ou, *backend.policies] if backend else []
    known = {entity.id: entity.arn for entity in entities}
    return _one([known.get(one) for one in ids])


def _iam(request: Request, values: Values) -> Asked | None:
    """A simulation is about the principal, a profile is given a role, and who names no user means himself."""
    if request.operation == "AddRoleToInstanceProfile" and {"RoleName", "InstanceProfileName"} <= values.keys():
        profile = arn_of_iam(request.account, "instance-profile", values["InstanceProfileName"])
        return [("", profile), ("PassRole", arn_of_iam(request.account, "role", values["RoleName"]))]
    if request.operation == "SimulatePrincipalPolicy":
        return _one([values.get("PolicySourceArn")])
    if request.operation == "GetAccessKeyLastUsed":
        keys = [(user, key) for user in of_iam(request.account, "user") for key in user.access_keys]
        return _one([next((user.arn for user, key in keys if key.access_key_id == values.get("AccessKeyId")), None)])
    if request.operation in _OF_HIMSELF and "UserName" not in values:
        return _one([request.caller if ":user/" in request.caller else None])
    return None


_OF_HIMSELF = {
    "ChangePassword",
    "CreateAccessKey",
    "DeleteAccessKey",
    "DeleteSigningCertificate",
    "GetUser",
    "ListAccessKeys",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "UpdateAccessKey",
    "UpdateSigningCertificate",
    "UploadSigningCertificate",
}


def _athena(request: Request, values: Values) -> Asked | None:
    ids = [one for name in values if "Quer" in name for one in _listed(values[name]) if re.search("Ids?$", name)]
    if not ids:
        return None
    backend = backend_of("athena", request.account, request.region)
    queries = {**backend.executions, **backend.named_queries} if backend else {}
    groups = [getattr(queries.get(one), "workgroup", None) for one in ids]
    return _one(list(dict.fromkeys(_arn(request, f"workgroup/{group.name}") if group else None for group in groups)))


def _dynamodb(request: Request, values: Values) -> Asked | None:
    if tables := values.get("RequestItems"):
        return _one([_table(request, name) for name in tables])
    if items := values.get("TransactItems"):
        parts = [part for item in _objects(items) for part in item.items() if isinstance(part[1], dict)]
        names = [f"{verb}Item" if verb != "ConditionCheck" else "ConditionCheckItem" for verb, _ in parts]
        return [(name, _table(request, part.get("TableName"))) for name, (_, part) in zip(names, parts, strict=True)]
    statements = values.get("TransactStatements") or values.get("Statements") or [values]
    found = [_statement(request, str(one["Statement"])) for one in _objects(statements) if "Statement" in one]
    return list(dict.fromkeys(found)) or None


def _objects(items: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [item for item in items if isinstance(item, Mapping)]


def _table(request: Request, name: Any) -> str | None:
    if not isinstance(name, str):
        return None
    return name if name.startswith("arn:") else _arn(request, f"table/{name}")


def _statement(request: Request, statement: str) -> tuple[str, str | None]:
    """The action and the table of a PartiQL statement; unless exactly one place could be the table's, it is unknown."""
    verb = re.match(r"\s*(insert|update|delete)\b", statement, re.IGNORECASE)
    action = f"PartiQL{verb[1].capitalize() if verb else 'Select'}"
    places = re.findall(r"""\b(?:from|into|update)\s+"?([\w.:/-]+)"?(?:\."?([\w.-]+)"?)?""", statement, re.IGNORECASE)
    if len(places) != 1:
        return action, None
    table, index = places[0]
    return action, _arn(request, f"table/{table}" + (f"/index/{index}" if index else ""))


def _of_an_iterator(request: Request, values: Values) -> Asked | None:
    """An iterator of a stream tells the stream, in moto as in AWS."""
    iterator = values.get("ShardIterator", "")
    if request.operation != "GetRecords" or "StreamARN" in values or not iterator:
        return None
    if iterator.startswith("arn:"):
        return _one([iterator.partition("|")[0]])
    try:
        name = base64.b64decode(iterator).decode().partition(":")[0]
    except ValueError:
        return _one([None])
    return _one([_arn(request, f"stream/{name}")])


def _tagged_in_ec2(request: Request, values: Values) -> Asked | None:
    if request.operation not in ("CreateTags", "DeleteTags"):
        return None
    kinds = [(EC2_IDS.get(one.rpartition("-")[0]), one) for one in _listed(values.get("Resources"))]
    return _one([_arn(request, f"{kind}/{one}") if kind else None for kind, one in kinds])


EC2_IDS = {
    "cgw": "customer-gateway",
    "dopt": "dhcp-options",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "key": "key-pair",
    "acl": "network-acl",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "vgw": "vpn-gateway",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "vpn": "vpn-connection",
}

INSTEAD: Mapping[str, Callable[[Request, Values], Asked | None]] = {
    "account": _account,
    "apigateway": _apigateway,
    "apigatewayv2": _apigateway,
    "athena": _athena,
    "bedrock-runtime": _bedrock,
    "dynamodb": _dynamodb,
    "dynamodbstreams": _of_an_iterator,
    "ec2": _tagged_in_ec2,
    "elbv2": _tagged_in_elb,
    "events": _events,
    "iam": _iam,
    "kinesis": _of_an_iterator,
    "kms": _kms,
    "lambda": _layers,
    "organizations": _organizations,
    "secretsmanager": _secrets,
    "sns": _published,
    "sqs": _sqs,
    "ssm": _ssm,
}

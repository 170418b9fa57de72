"""ARNs of the patterns as the service has them: with a path, without a prefix that an id came with, and the like."""

import re
from collections.abc import Callable, Iterator, Mapping

from sandbox.backends import backend_of
from sandbox.requested_access.by_service import EC2_IDS, Arns, Values
from sandbox.requested_access.known_arns import of_iam
from sandbox.requested_access.request import Request


def _index(request: Request, arn: str, values: Values) -> str | None:
    """Of an index AWS decides about the index alone."""
    return None if "IndexName" in values and "/index/" not in arn else arn


def _iam_path(request: Request, arn: str, values: Values) -> str:
    """The path of what is created is in the request, of what exists it is looked up."""
    head, _, name = arn.rpartition("/")
    if request.operation.startswith("Create") and "Path" in values:
        return f"{head}{values['Path']}{name}"
    kind = head.rpartition(":")[2]
    return next((thing.arn for thing in of_iam(request.account, kind) if getattr(thing, "name", None) == name), arn)


def _broker(request: Request, arn: str, values: Values) -> str:
    """A broker's ARN has its name, which requests do not tell; moto has other ARNs."""
    name = arn.rpartition(":")[2]
    backend = backend_of("mq", request.account, request.region)
    broker = backend.brokers.get(name) if backend else None
    return arn.replace(":broker:*:", f":broker:{broker.name}:") if broker else arn


def _task_definition(request: Request, arn: str, values: Values) -> str:
    """A task definition is named with its revision, or without if its newest is meant."""
    head, _, name = arn.partition(":task-definition/*:")
    if not name or ":" in name:
        return f"{head}:task-definition/{name}" if name else arn
    backend = backend_of("ecs", request.account, request.region)
    revisions = backend.task_definitions.get(name) if backend else None
    return f"{head}:task-definition/{name}:{max(revisions) if revisions else '*'}"


def _project(request: Request, arn: str, values: Values) -> str:
    """The id of a build, or of a batch of them, is its project's name, a colon and a number."""
    return ":".join(arn.split(":")[:6])


def _by_id(request: Request, arn: str, values: Values) -> str | None:
    """EC2's ARNs have ids: of what exists a name does not tell the id, and of what is created there is none yet."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind == "key-pair":  # the only ones whose ARN has the name
        return UNKNOWN if "KeyPairId" in values else arn
    prefixes = [f"{prefix}-" for prefix, of in EC2_IDS.items() if of == kind]
    if not prefixes or name.startswith((*prefixes, "*")):
        return arn
    is_created = request.operation == f"Create{kind.title().replace('-', '')}"
    return f"{arn.rpartition('/')[0]}/*" if is_created else UNKNOWN


def _document(request: Request, arn: str, values: Values) -> str | None:
    """AWS's own documents have no account. A setting's id is a path. An id tells which kind of instance it is."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if name.startswith({"instance": "mi-", "managed-instance": "i-"}.get(kind, "\n")):
        return None
    arn = arn.replace(":servicesetting//", ":servicesetting/")
    return re.sub(r":[0-9]+:document/(?=aws|amazon|amzn)", "::document/", arn, flags=re.IGNORECASE)


def _function(request: Request, arn: str, values: Values) -> str:
    """A function may be named by its name, a part of its ARN, or its ARN; each may end in a version or an alias."""
    found = re.fullmatch(r"(arn:[^:]+:lambda:[^:]*):([^:]*):function:(?:(?:([0-9]{12}):)?function:)?(.+)", arn)
    if not found:
        return arn
    start, account, other, name = found.groups()
    qualifier = f":{values['Qualifier']}" if "Qualifier" in values and ":" not in name else ""
    return f"{start}:{other or account}:function:{name}{qualifier}"


def _log_group(request: Request, arn: str, values: Values) -> str:
    """CloudWatch Logs wants a log group's ARN with :* at the end, but for tags without."""
    if request.operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return arn.removesuffix(":*")
    return f"{arn}:*" if re.fullmatch("arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:]+", arn) else arn


def _topic(request: Request, arn: str, values: Values) -> str:
    """Of a subscription AWS decides about its topic."""
    return ":".join(arn.split(":")[:6])


def _file_system(request: Request, arn: str, values: Values) -> str | None:
    """A file system's and an access point's id tell what they are."""
    kind, name = arn.rpartition(":")[2].split("/", 1)
    return arn if (kind == "access-point") == name.startswith("fsap-") else None


def _zone(request: Request, arn: str, values: Values) -> str:
    """An id may come with its type, as Route 53 returns it: /hostedzone/Z123."""
    return re.sub("(:::[a-z]+)//?[a-z]+/", r"\1/", arn)


def _web_acl(request: Request, arn: str, values: Values) -> str:
    return arn.replace(":REGIONAL/", ":regional/").replace(":CLOUDFRONT/", ":global/")


UNKNOWN = "unknown"

AFTER: Mapping[str, Callable[[Request, str, Values], str | None]] = {
    "codebuild": _project,
    "dynamodb": _index,
    "ec2": _by_id,
    "ecs": _task_definition,
    "efs": _file_system,
    "iam": _iam_path,
    "lambda": _function,
    "logs": _log_group,
    "mq": _broker,
    "route53": _zone,
    "sns": _topic,
    "ssm": _document,
    "wafv2": _web_acl,
}
"""Each returns the ARN as AWS has it, None if the request is not about this one, or UNKNOWN."""


def mended(request: Request, arns: Arns, values: Values) -> Iterator[str | None]:
    """The ARNs of the patterns, as the service has them."""
    mend = AFTER.get(request.service)
    for arn in arns:
        if arn is None or mend is None or ":" not in arn:
            yield arn
        elif found := mend(request, arn, values):
            yield None if found == UNKNOWN else found

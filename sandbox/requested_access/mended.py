"""ARNs of the patterns as the service has them: with a path, without a prefix that an id came with, and the like."""

import re
from collections.abc import Callable, Iterator, Mapping

from sandbox.requested_access.by_service import Arns, Values, of_iam
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


AFTER: Mapping[str, Callable[[Request, str, Values], str | None]] = {
    "dynamodb": _index,
    "efs": _file_system,
    "iam": _iam_path,
    "lambda": _function,
    "logs": _log_group,
    "route53": _zone,
    "sns": _topic,
    "wafv2": _web_acl,
}
"""Each returns the ARN as AWS has it, or None if the request is not about this one."""


def mended(request: Request, arns: Arns, values: Values) -> Iterator[str | None]:
    """The ARNs of the patterns, as the service has them."""
    mend = AFTER.get(request.service)
    for arn in arns:
        if arn is None or mend is None or ":" not in arn:
            yield arn
        elif found := mend(request, arn, values):
            yield found

"""What a request to S3 asks for: S3's actions have other names than its operations, and some requests need several.

The operation is found by botocore's model: the method, bucket or key, and the query's names. (moto's own table lacks
many.) Names and further permissions: "Required permissions for Amazon S3 API operations" in S3's user guide.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from sandbox.requested_access.data import actions_of
from sandbox.requested_access.request import Request, model_of

_NAMES = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
    "CreateMultipartUpload": "PutObject",
    "CreateSession": "s3express:CreateSession",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListDirectoryBuckets": "s3express:ListAllMyDirectoryBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PostObject": "PutObject",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "RenameObject": "PutObject",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Bucket configurations: DeleteBucketEncryption, for example, is PutEncryptionConfiguration.
_CONFIGURATIONS = re.compile(
    "(Get|Put|Delete|List)Bucket"
    "(Accelerate|Analytics|Encryption|IntelligentTiering|Inventory|Lifecycle|Metrics|Replication)(Configurations?)?"
)
_LIST_KEYS = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
# Not of this API: other services, and what browsers ask.
_ELSEWHERE = {"ListDirectoryBuckets", "WriteGetObjectResponse", "BucketCORSPreflightCheck", "ObjectCORSPreflightCheck"}

Asked = tuple[str, str | None]
"""An action and a resource; None is an unknown one."""


def asked_of(request: Request) -> Sequence[Asked]:
    """The actions and resources that must all be allowed; there is always one."""
    found = dict.fromkeys(one for name in operations_of(request) for one in _asked(request, name))
    return list(found) or [(f"s3:{request.operation}", None)]


def keys_of(request: Request) -> tuple[Mapping[str, str | list[str]], Sequence[str]]:
    """The condition keys of S3's own, and the names of those that are certainly absent if they are not there."""
    keys: dict[str, str | list[str]] = {
        key: request.query[name][0] for name, key in _LIST_KEYS.items() if name in request.query
    }
    for name, value in request.headers.items():
        if (key := f"s3:{name.lower()}") in _header_keys():
            keys[key] = value
    if version := request.query.get("versionId"):
        keys["s3:VersionId"] = version[0]
    if tagging := request.headers.get("x-amz-tagging"):
        tags = {name: values[0] for name, values in parse_qs(tagging, keep_blank_values=True).items()}
        keys |= {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
        keys["s3:RequestObjectTagKeys"] = list(tags)
    if "CreateBucket" in operations_of(request):
        found = re.search(rb"<LocationConstraint[^>]*>([^<]*)<", _body(request))
        keys |= {"s3:LocationConstraint": found[1].decode()} if found else {}
    return keys, _known("tagging" in request.query)


@cache
def _known(tags_in_body: bool) -> Sequence[str]:
    of_tags = ["s3:RequestObjectTag/", "s3:RequestObjectTagKeys", "aws:RequestTag/", "aws:TagKeys"]
    others = [*_LIST_KEYS.values(), *sorted(_header_keys()), "s3:VersionId", "s3:LocationConstraint"]
    return others if tags_in_body else others + of_tags


def operations_of(request: Request) -> Sequence[str]:
    """The API's operations that the request may be; several only for a query that no SDK sends."""
    level = "key" if request.key else "bucket" if request.bucket else ""
    return _matching(request.method, level, frozenset(_names(request)))


def _names(request: Request) -> Iterator[str]:
    yield from _telling() & request.query.keys()
    if "x-amz-copy-source" in request.headers:
        yield "x-amz-copy-source"


@cache
def _telling() -> Set[str]:
    return frozenset(name for *_, names in _operations() for name in names)


@cache
def _operations() -> Sequence[tuple[str, str, str, frozenset[str]]]:
    """For each operation the method, the level, and the names that its query or its headers must have."""
    model = model_of("s3")
    assert model
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = str(operation.http["requestUri"]).partition("?")
        shape = operation.input_shape
        required = [shape.members[member].serialization for member in shape.required_members] if shape else []
        names = {one.partition("=")[0] for one in query.split("&") if one}
        names |= {one["name"] for one in required if one.get("location") == "querystring"}
        names |= {one["name"] for one in required if one.get("name") == "x-amz-copy-source"}
        level = "key" if "{Key" in path else "bucket" if "{Bucket" in path else ""
        if name not in _ELSEWHERE:
            found.append((name, str(operation.http["method"]), level, frozenset(names)))
    return found


@cache
def _header_keys() -> Set[str]:
    names = {key for action in actions_of("s3").values() for key in action["conditionKeys"]}
    return frozenset(name for name in names if name.startswith("s3:x-amz-"))


@cache
def _matching(method: str, level: str, names: frozenset[str]) -> Sequence[str]:
    fitting = [
        (name, needed) for name, verb, at, needed in _operations() if (verb, at) == (method, level) and needed <= names
    ]
    return [name for name, needed in fitting if not any(needed < other for _, other in fitting)]


@cache
def name_of(operation: str, versioned: bool = False) -> str:
    """The action of an operation, with its prefix; `versioned` of a request for a certain version."""
    if found := _CONFIGURATIONS.fullmatch(operation):
        name = f"{'Put' if found[1] in ('Put', 'Delete') else 'Get'}{found[2]}Configuration"
    else:
        name = _NAMES.get(operation, operation)
    if ":" in name:
        return name
    version = name.replace("Object", "ObjectVersion", 1)
    name = version if versioned and version.lower() in actions_of("s3") else name
    known = actions_of("s3").get(name.lower())
    return f"s3:{known['name'] if known else name}"


def _asked(request: Request, operation: str) -> Iterator[Asked]:
    resource = "*"
    if request.bucket:
        resource = f"arn:aws:s3:::{request.bucket}" + (f"/{request.key}" if request.key else "")
    versioned = bool(request.query.get("versionId"))
    if operation == "DeleteObjects":
        for key, version in _listed(request):
            yield name_of("DeleteObject", bool(version)), f"{resource}/{key}"
    elif operation == "PostObject":
        yield "s3:PutObject", f"{resource}/{request.fields.get('key', '')}"
    else:
        yield name_of(operation, versioned), resource
    if operation == "GetObjectAttributes":
        yield name_of("GetObject", versioned), resource
    if operation in ("CopyObject", "UploadPartCopy"):
        source, _, query = unquote(request.headers["x-amz-copy-source"]).partition("?versionId=")
        yield (
            name_of("GetObject", bool(query)),
            source if source.startswith("arn:") else f"arn:aws:s3:::{source.lstrip('/')}",
        )
    yield from ((name, resource) for name in _by_headers(request, operation))


def _by_headers(request: Request, operation: str) -> Iterator[str]:
    headers = {name.lower() for name, _ in request.headers.items() if name.lower().startswith("x-amz-")}
    acl = "x-amz-acl" in headers and request.headers.get("x-amz-acl") != "private"
    acl = acl or any(name.startswith("x-amz-grant-") for name in headers)
    if operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        if acl:
            yield "s3:PutObjectAcl"
        if "x-amz-tagging" in headers:
            yield "s3:PutObjectTagging"
        if "x-amz-object-lock-mode" in headers:
            yield "s3:PutObjectRetention"
        if "x-amz-object-lock-legal-hold" in headers:
            yield "s3:PutObjectLegalHold"
    if operation == "CreateBucket":
        if acl:
            yield "s3:PutBucketAcl"
        if "x-amz-object-ownership" in headers:
            yield "s3:PutBucketOwnershipControls"
        if "x-amz-bucket-object-lock-enabled" in headers:
            yield from ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning")
    if "x-amz-bypass-governance-retention" in headers:
        yield "s3:BypassGovernanceRetention"


def _listed(request: Request) -> Iterator[tuple[str, str]]:
    """The keys of DeleteObjects, and their versions."""
    try:
        objects = ElementTree.fromstring(_body(request)).iterfind("{*}Object")
    except ElementTree.ParseError:
        return  # moto refuses it too
    for found in objects:
        yield found.findtext("{*}Key") or "", found.findtext("{*}VersionId") or ""


def _body(request: Request) -> bytes:
    return request.body if isinstance(request.body, bytes) else request.body.encode()

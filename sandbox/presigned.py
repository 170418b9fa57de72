"""Presigned URLs. Their query says who signed, but moto looks into the headers, so it is put there.

S3 still accepts version 2 of signatures, with which boto3 presigns by default; other services have version 4 alone.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from moto.core.request import EnvironHeaders

from sandbox.accounts import REGION
from sandbox.aws_errors import denied

Query = Mapping[str, str]
HEADERS = {"x-amz-date", "x-amz-security-token"}
"""Those that put_into_headers makes, whose values the query had signed."""


def query_of(environ: Mapping[str, Any]) -> Query:
    """The query of a presigned URL; empty for any other request."""
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    is_presigned = "HTTP_AUTHORIZATION" not in environ and not query.keys().isdisjoint({"X-Amz-Signature", "Signature"})
    return query if is_presigned else {}


def put_into_headers(environ: dict[str, Any], query: Query) -> None:
    """As if the request had been signed there."""
    scope = f"{query.get('AWSAccessKeyId')}/{datetime.now(UTC):%Y%m%d}/{REGION}/s3/aws4_request"  # of version 2
    credential, names = query.get("X-Amz-Credential", scope), query.get("X-Amz-SignedHeaders", "")
    signature = query.get("X-Amz-Signature", "")
    environ["HTTP_AUTHORIZATION"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    environ["HTTP_X_AMZ_DATE"] = query.get("X-Amz-Date", "")
    if token := query.get("X-Amz-Security-Token"):
        environ["HTTP_X_AMZ_SECURITY_TOKEN"] = token


def version_2(environ: Mapping[str, Any], query: Query, credentials: Credentials) -> str:
    """The signature that the request should have."""
    headers = {name.lower(): value for name, value in EnvironHeaders(dict(environ)).items()}
    url, bucket = urlsplit(environ["REQUEST_URI"]), environ["HTTP_HOST"].rpartition(".localhost")[0]
    signature: str = _Version2(credentials, query.get("Expires", "")).get_signature(
        environ["REQUEST_METHOD"],
        url,
        HTTPHeaders.from_dict({**query, **headers}),  # type: ignore[attr-defined]
        auth_path=f"/{bucket}{url.path}" if bucket else url.path,
    )
    return signature


class _Version2(HmacV1QueryAuth):
    """The date that it signs is when the URL expires."""

    def _get_date(self) -> str:
        return str(self._expires)


def check_time(query: Query) -> None:
    """Raise if the URL has expired; its signature must have been verified before."""
    end = float(query.get("Expires", 0))
    if made := query.get("X-Amz-Date"):
        start = datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        end = start.timestamp() + float(query.get("X-Amz-Expires", 0))
    if end < time.time():
        raise denied("Request has expired")

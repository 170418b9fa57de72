"""GetSessionToken and GetFederationToken: temporary credentials of a user.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
"""

from sandbox.aws_errors import denied
from sandbox.callers import NOTHING, Caller
from sandbox.sts.session_parameters import (
    Parameters,
    check_name,
    check_seconds,
    check_session_parameters,
    session_policies,
    session_tags,
)
from sandbox.sts.sessions import Session, issue

_DEFAULT_SECONDS = 43200
_MAXIMUM_SECONDS = 129600


def session_token(caller: Caller, parameters: Parameters) -> Session:
    """A session that may do what its user may, except call IAM."""
    seconds = _seconds("GetSessionToken", caller, parameters)
    if parameters.get("SerialNumber") or parameters.get("TokenCode"):
        raise denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
    return issue(caller.identity, "", seconds, kind="user")


def federation_token(caller: Caller, parameters: Parameters) -> Session:
    """A session that may do what both its user and its session policy may; without one, nothing."""
    seconds = _seconds("GetFederationToken", caller, parameters)
    check_name("name", parameters.get("Name") or "", 32)
    check_session_parameters(parameters)
    policies = session_policies(parameters, caller.account) or (NOTHING,)
    tags = session_tags(parameters)
    return issue(caller.identity, parameters["Name"], seconds, kind="federated user", policies=policies, tags=tags)


def _seconds(operation: str, caller: Caller, parameters: Parameters) -> int:
    if caller.session:
        raise denied(f"Cannot call {operation} with session credentials")
    seconds = int(parameters.get("DurationSeconds") or _DEFAULT_SECONDS)
    check_seconds(seconds, _MAXIMUM_SECONDS)
    return seconds

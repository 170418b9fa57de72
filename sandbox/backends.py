"""moto's state of a service in an account and a region, if there is any: reading must not create accounts."""

import sys
from typing import Any

_NAMES = {  # where ARN or boto3's service, moto's module and its backends have different names
    "elasticbeanstalk": ("elasticbeanstalk", "eb"),
    "elasticfilesystem": ("efs", "efs"),
    "elasticloadbalancing": ("elbv2", "elbv2"),
    "lambda": ("awslambda", "lambda"),
    "neptune": ("rds", "rds"),
    "states": ("stepfunctions.parser", "stepfunctions_parser"),
}


def backend_of(service: str, account: str, region: str) -> Any | None:
    """moto's backend, of a service without regions in any region; None if nothing of it was made yet."""
    usual = service.replace("-", "")
    module, name = _NAMES.get(service, (usual, usual))
    backends = getattr(sys.modules.get(f"moto.{module}.models"), f"{name}_backends", None)
    of_account = dict.get(backends, account) if isinstance(backends, dict) else None
    return None if of_account is None else dict.get(of_account, region or "aws") or dict.get(of_account, "aws")

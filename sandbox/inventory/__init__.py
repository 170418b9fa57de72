"""What the targets hold, for questions to find: instances, volumes and functions, and what checks judge.

Production is mostly as it should be, in each region, and staging mostly as it should not. moto makes its state of a
service in an account and a region when it is first asked for: it is filled then (lazily.py), so that the start of a
sandbox costs nothing. Only what an account has from the beginning, users and buckets, is made with it.
"""

from typing import Any

from sandbox.inventory import compute, data, identity, lazily, monitoring, network


def fill(account: str) -> None:
    """Put into a new target what moto's state has from the beginning."""
    identity.fill(account)
    data.fill(account)


def fill_when_asked() -> None:
    """Let moto's state of all else begin with the inventory."""
    lazily.fill_when_asked(
        {
            "CloudTrailBackend": monitoring.add_trail,
            "ConfigBackend": monitoring.add_recorder,
            "EC2Backend": _fill_ec2,
            "GuardDutyBackend": monitoring.add_detector,
            "KmsBackend": data.add_key,
            "LambdaBackend": compute.add_functions,
            "RDSBackend": data.add_database,
            "S3ControlBackend": data.block,
            "SecurityHubBackend": monitoring.enable_hub,
        }
    )


def _fill_ec2(ec2: Any) -> None:
    compute.add_instances(ec2)
    data.add_images(ec2)
    network.add(ec2)

"""Instances, volumes and functions. README.md shows some of them, and its tests compare."""

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.accounts import ANALYTICS, LEGACY, PRODUCTION, STAGING

ROLE = "functions"
"""Of every function."""
_IMAGE = "ami-0a1b2c3d4e5f60718"


@dataclass(frozen=True)
class Instance:
    """An instance with a root volume of 30 GiB, tagged with its name."""

    name: str
    type: str
    running: bool = True
    encrypted: bool = True


@dataclass(frozen=True)
class Volume:
    """A volume of its own, tagged with its name."""

    name: str
    gib: int
    encrypted: bool = True


@dataclass(frozen=True)
class Function:
    """A function that does nothing."""

    name: str
    runtime: str


Thing = Instance | Volume | Function

INVENTORY: dict[tuple[str, str], Sequence[Thing]] = {
    (PRODUCTION, "us-east-1"): [
        Instance("web-1", "m7i.large"),
        Instance("web-2", "m7i.large"),
        Instance("reports", "c5.2xlarge", running=False),
        Volume("invoices", 500),
        Function("send-invoices", "python3.13"),
        Function("resize-images", "nodejs14.x"),
    ],
    (PRODUCTION, "eu-central-1"): [
        Instance("web-eu-1", "m7i.large", encrypted=False),
        Function("send-invoices", "python3.13"),
    ],
    (STAGING, "us-east-1"): [
        Instance("web-1", "t3.small"),
        Instance("build", "m5.xlarge", running=False, encrypted=False),
        Function("send-invoices", "python3.13"),
        Function("nightly-cleanup", "python3.8"),
    ],
    (STAGING, "eu-south-1"): [Instance("web-it-1", "t3.micro"), Volume("upload-test", 20, encrypted=False)],
    (ANALYTICS, "us-east-1"): [Instance("notebook", "r6i.4xlarge"), Function("load-events", "java8.al2")],
    (LEGACY, "us-west-2"): [
        Instance("fileserver", "m3.medium", encrypted=False),
        Volume("archive", 2000, encrypted=False),
        Function("rotate-logs", "python2.7"),
    ],
}
"""By account id and region."""
FUNCTIONS_OF = {account for (account, _), things in INVENTORY.items() if any(isinstance(t, Function) for t in things)}
"""The accounts that have functions."""


def add_instances(ec2: Any) -> None:
    """Put instances and volumes into moto's state of EC2."""
    _add(ec2, _add_to_ec2)


def add_functions(functions: Any) -> None:
    """Put functions into moto's state of Lambda."""
    _add(functions, _add_to_lambda)


def _add(state: Any, add: Callable[[Any, Thing], None]) -> None:
    for thing in INVENTORY.get((state.account_id, state.region_name), ()):
        add(state, thing)


def _add_to_ec2(ec2: Any, thing: Thing) -> None:
    match thing:
        case Instance(name, kind, running, encrypted):
            reservation = ec2.run_instances(
                _IMAGE,
                1,
                None,
                [],
                instance_type=kind,
                is_instance_type_default=False,
                region_name=ec2.region_name,
                tags={"instance": {"Name": name}, "volume": {"Name": name}},
                block_device_mappings=[
                    {
                        "DeviceName": "/dev/xvda",
                        "Ebs": {
                            "VolumeSize": 30,
                            "VolumeType": "gp3",
                            "Encrypted": encrypted,
                            "DeleteOnTermination": True,
                        },
                    }
                ],
            )
            if not running:
                ec2.stop_instances([reservation.instances[0].id])
        case Volume(name, gib, encrypted):
            zone = f"{ec2.region_name}a"
            ec2.create_volume(gib, zone, encrypted=encrypted, volume_type="gp3").add_tags({"Name": name})


def _add_to_lambda(functions: Any, thing: Thing) -> None:
    if isinstance(thing, Function):
        functions.create_function(
            {
                "FunctionName": thing.name,
                "Runtime": thing.runtime,
                "Role": f"arn:aws:iam::{functions.account_id}:role/{ROLE}",
                "Handler": "index.handler",
                "Code": {"ZipFile": _empty_zip()},
            }
        )


@cache
def _empty_zip() -> str:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return base64.b64encode(buffer.getvalue()).decode()

"""Deploy sweep-template.yaml, the state machine for thousands of accounts, into the hub of the running sandbox.

    python -m sandbox.deploy_sweep BatchSize=50

prints the ARN of the state machine and the name of the bucket. The next time it updates the stack; a parameter that is
not given keeps its value. With the AWS CLI, on AWS or here, this is
`aws cloudformation deploy --template-file sweep-template.yaml ...`.

It needs a running sandbox (make sandbox) with the app in it (chalice deploy --stage sandbox), and works in a sandbox
only, whatever AWS the shell is set up for.
"""

import sys

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

from argparse import ArgumentTypeError
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.deploy_stack import StackFailed, UnknownParameter, deploy_stack
from sandbox.developer import Clients, NoSandbox, developer
from sandbox.state_file import PROJECT
from terminal.command import Parser, run

STAGE = "sandbox"
SWEEP_TEMPLATE = "sweep-template.yaml"
SWEEP_ROLE = "cross-account-sandbox-sweep"
STACK = "cross-account-sandbox-sweep"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m sandbox.deploy_sweep", __doc__)
    parser.add_argument(
        "parameters", metavar="NAME=VALUE", nargs="*", type=_parameter, help="a parameter of the template"
    )
    given = dict(parser.parse_args(arguments).parameters)
    if given.get("Stage", STAGE) != STAGE:
        parser.error(f"the stage is {STAGE} here, and not {given['Stage']}")
    try:
        hub = developer()
        if not _is_deployed(hub):  # or the bucket would be left, which the template keeps
            print("The app is not deployed in this sandbox: chalice deploy --stage sandbox", file=sys.stderr)
            return 1
        for value in deploy_sweep(hub("cloudformation"), **given).values():
            print(value)
    except UnknownParameter as error:
        parser.error(str(error))
    except NoSandbox as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError, StackFailed) as error:
        print(f"Could not deploy the state machine: {error}", file=sys.stderr)
        return 1
    return 0


def deploy_sweep(cloudformation: Any, **parameters: str) -> dict[str, str]:
    """Create or update the stack in the account of the client, and return its outputs."""
    return deploy_stack(cloudformation, STACK, PROJECT / SWEEP_TEMPLATE, {"Stage": STAGE}, parameters)


def _is_deployed(hub: Clients) -> bool:
    iam = hub("iam")
    try:
        iam.get_role(RoleName=SWEEP_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ArgumentTypeError(f"{text!a} is not of the form NAME=VALUE")
    return name, value


if __name__ == "__main__":
    run(main)

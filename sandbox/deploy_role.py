"""Deploy role-template.yaml into an account of the running sandbox, as the account's administrator would.

    python -m sandbox.deploy_role 456789012345

prints the ARN of the role. Where the role is already, the stack is updated to what the template says now, with the
parameters that it has. With the AWS CLI, on AWS or here, this is
`aws cloudformation deploy --template-file role-template.yaml ...`.

It needs a running sandbox (make sandbox), and works in a sandbox only, whatever AWS the shell is set up for.
"""

import sys

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

import re
from argparse import ArgumentTypeError

from botocore.exceptions import BotoCoreError, ClientError

from sandbox import accounts
from sandbox.deploy_stack import StackFailed, deploy_stack
from sandbox.developer import Clients, NoSandbox, administrator, developer
from sandbox.state_file import PROJECT
from terminal.command import Parser, run


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m sandbox.deploy_role", __doc__)
    parser.add_argument("account", metavar="ACCOUNT", type=_account_id, help="the account's id")
    account = parser.parse_args(arguments).account
    try:
        hub = developer()
        if account not in _accounts(hub):
            parser.error(f"{account} is not an account of this sandbox. They are: aws organizations list-accounts")
        print(deploy_role(hub, account))
    except NoSandbox as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError, StackFailed) as error:
        print(f"The role was not deployed in {account}: {error}", file=sys.stderr)
        return 1
    return 0


def deploy_role(hub: Clients, account: str) -> str:
    """Create or update the stack of role-template.yaml in an account; returns the role's ARN."""
    cloudformation = (hub if account == accounts.HUB else administrator(hub, account))("cloudformation")
    template = PROJECT / accounts.ROLE_TEMPLATE
    outputs = deploy_stack(cloudformation, accounts.ROLE_STACK, template, accounts.role_parameters(), {})
    return outputs["RoleArn"]


def _account_id(text: str) -> str:
    if not re.fullmatch("[0-9]{12}", text):
        raise ArgumentTypeError(f"{text!a} is not an account's id, which has twelve digits")
    return text


def _accounts(hub: Clients) -> set[str]:
    pages = hub("organizations").get_paginator("list_accounts").paginate()
    return {account["Id"] for page in pages for account in page["Accounts"]}


if __name__ == "__main__":
    run(main)

"""AWS on a laptop: a hub account, an organization and target accounts on loopback, for cross-account.

The unchanged `chalice`, `aws` and boto3 use it through AWS_ENDPOINT_URL. It is moto's server plus what moto lacks:
policies that decide as in AWS, sessions, and Lambda with AWS's own runtime client and boto3.

    python -m sandbox                  run it; `eval "$(python -m sandbox env)"` in another shell
    with sandbox.running() as box:     the same for tests, in a separate process

The developer is the hub's administrator and deploys roles, functions and layers of any name, with any tool; Chalice
is denied in every stage except `sandbox` and `acceptance`.

Nothing is served to a web page, or without a signature of this sandbox's own keys, but the record of calls: guard.py.

How a request is decided, and in which module:

    guard                signature, expiry, closed accounts, regions that are off
    requested_access/    which actions on which resources it needs, and which condition keys it sets
    case                 which policies apply to each of them, and the keys that AWS sets
    decide               allowed, implicitly denied or explicitly denied, and by which kind of policy
    sts/                 AssumeRole, GetSessionToken and GetFederationToken
    organization, resources, callers, regions    what moto's state says of each

Everything else:

    __main__, running, server       the command, the same for tests and demos, and what both run
    accounts, world, inventory/     the accounts, and what is in them at the start
    functions/                      what Lambda runs
    moto_patches/                   what moto does otherwise than AWS
    state_file, credentials_file, shell, names/     how a shell finds it
    leftovers                       its folders, also those of one that was killed
    deploy_role, deploy_sweep       commands in a running sandbox; developer.py: their clients, for it alone
    demo, demo_scale                commands with a sandbox of their own

It follows AWS's documentation, and another engine's verdicts on thousands of cases (tests/sandbox/verdicts). What the
sandbox does not know, it refuses: a condition key, an operator, a resource that it cannot find in a request.

Not enforced: the permissions that CloudFormation needs for what it creates; resource policies of services that
resources.py does not list (other accounts' resources of these are closed); VPC endpoint policies; MFA (no session has
it); a function's memory size, architecture and Python version (its log says which Python runs it); retries of
asynchronous invocations. S3's ACLs and KMS's grants allow nothing.
CloudFormation makes no policies of Organizations. Lambda refuses reserved variables such as AWS_ACCESS_KEY_ID; here
they are overridden. Unsigned calls of AWS (Cognito, AssumeRoleWithWebIdentity and AssumeRoleWithSAML) and presigned
POSTs of S3 are refused.
"""

from sandbox.running import Box, SandboxNotStarted, running

__all__ = ["Box", "SandboxNotStarted", "running"]

"""AWS on a laptop: a hub account, an organization and target accounts on loopback, for cross-account.

The unchanged `chalice`, `aws` and boto3 use it through AWS_ENDPOINT_URL. It is moto's server plus what moto lacks:
trust policies, identity policies with conditions, and Lambda with AWS's own runtime client and boto3.

    python -m sandbox                  run it; `eval "$(python -m sandbox env)"` in another shell
    with sandbox.running() as box:     the same for tests, in a separate process

The developer is the hub's administrator and deploys roles, functions and layers of any name, with any tool; Chalice
is denied in every stage except `sandbox`.

Nothing is served to a web page, or without a signature of this sandbox's own keys, but the record of calls: guard.py.

Enforced: signatures; identity policies (Allow, Deny, Not…, wildcards, conditions) and permissions boundaries on
every call; trust policies, MaxSessionDuration and the one-hour maximum of role chaining in AssumeRole; that Lambda and
Step Functions may assume their roles; a function's timeout, payload limits and concurrency; its role's right to log.

Not enforced: session policies (their form is checked), SCPs and RCPs, expiry of credentials, iam:PassRole, resource
policies other than trust (buckets, functions), a role's unique id in a trust policy, a function's memory size, retries
of asynchronous invocations, and the permissions that CloudFormation needs for what it creates. Lambda refuses reserved
variables such as AWS_ACCESS_KEY_ID; here they are overridden. Unsigned calls of AWS (Cognito, AssumeRoleWithWebIdentity
and AssumeRoleWithSAML) and presigned POSTs of S3 are refused.
An operator, condition key or policy variable that the sandbox does not know denies.
"""

from sandbox.running import Box, SandboxNotStarted, running

__all__ = ["Box", "SandboxNotStarted", "running"]

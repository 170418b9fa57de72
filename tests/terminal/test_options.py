"""What is typed, as the event of a sweep; and what is refused before anything is sent."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import Any

import pytest

from terminal.options import event_of, parse

EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("identity", {"check": "identity", "params": {}}),
    ("identity s3_buckets", {"checks": ["identity", "s3_buckets"], "params": {}}),
    ("s3_buckets identity --param prefix=7", {"checks": ["s3_buckets", "identity"], "params": {"prefix": "7"}}),
    (
        "ec2:DescribeVolumes --query Volumes --arguments '{\"MaxResults\": 5}' identity",
        {
            "checks": ["api_call", "identity"],
            "params": {"operation": "ec2:DescribeVolumes", "query": "Volumes", "arguments": {"MaxResults": 5}},
        },
    ),
    (
        "api_call --param operation=ec2:DescribeVolumes --query Volumes",
        {"check": "api_call", "params": {"operation": "ec2:DescribeVolumes", "query": "Volumes"}},
    ),
    ("identity --regions all", {"check": "identity", "regions": "all", "params": {}}),
    (
        "identity --regions eu-west-1,us-east-1",
        {"check": "identity", "regions": ["eu-west-1", "us-east-1"], "params": {}},
    ),
    (
        "identity --account-tags env=prod,team=a=b --account-tags tier=",
        {"check": "identity", "account_tags": {"env": "prod", "team": "a=b", "tier": ""}, "params": {}},
    ),
    ("identity --tags", {"check": "identity", "tags": True, "params": {}}),
]


@pytest.mark.parametrize(("typed", "event"), EVENTS)
def test_what_is_typed_is_the_event_of_the_function(typed, event):
    assert event_of(parse(shlex.split(typed), None)) == event


WRONG = [
    ("", "name a check or an operation, such as s3_buckets"),
    ("nonsense", "There is no check 'nonsense'. There are: identity, preflight"),
    ("identity --nonsense", "unrecognized arguments: --nonsense"),
    ("identity --acc 1", "unrecognized arguments: --acc"),
    ("identity --accounts ''", "argument --accounts: it is empty"),
    ("identity --accounts ' , '", "argument --accounts: it is empty"),
    ("identity --accounts 1 --organizational-unit ou-ab12-34cd56ef", "not allowed with argument"),
    ("identity --accounts 1 --exclude 100000000001", "but not both"),
    ("identity --organizational-unit all", "organizational_unit must be the id of a unit"),
    ("identity --exclude 1", "exclude must be a list of account ids"),
    ("identity --regions ireland", "region must be the name of an AWS region"),
    ("identity --concurrency many", "argument --concurrency: invalid int value: 'many'"),
    ("identity --concurrency 0", "concurrency must be a whole number from 1 to 64"),
    ("identity --html no/such/folder/page.html", "the directory of 'no/such/folder/page.html' does not exist"),
    ("identity --accounts @no-such-file", "the file 'no-such-file' could not be read: No such file or directory"),
    ("identity --accounts @.", "the file '.' could not be read: Is a directory"),
    (f"identity --accounts @{os.devnull}", f"the file '{os.devnull}' is empty"),
    (f"identity --accounts @{sys.executable}", "is not a text in UTF-8"),
    ("identity --timeout soon", "argument --timeout: it must be a number of seconds above 0, such as 90, not 'soon'"),
    ("identity --timeout 0", "argument --timeout: it must be a number of seconds above 0"),
    ("identity --timeout nan", "argument --timeout: it must be a number of seconds above 0"),
    ("identity --timeout inf", "argument --timeout: it must be a number of seconds above 0"),
    ("s3_buckets --param prefix", "--param takes NAME=VALUE, not 'prefix'"),
    ("s3_buckets --param sufix=x", "takes no parameter 'sufix'"),
    ("bedrock_converse", "needs the parameter model_id"),
    ("identity --stage staging", "There is no stage 'staging' in .chalice/config.json. There are: dev"),
    ("--list identity", "name a check or an operation, such as s3_buckets"),
    ("--list --credentials 100000000001", "name a check or an operation"),
    ("--credentials 100000000001 identity", "name a check or an operation"),
    ("identity --json --format csv", "argument --format: not allowed with argument --json"),
    ("identity --format xml", "argument --format: invalid choice: 'xml'"),
    ("ec2:DescribeVolumes --arguments " + "[" * 100_000, "argument --arguments: it must be a JSON object"),
    (
        "identity --output rows.xls",
        "The ending of 'rows.xls' does not say the format. These do: .txt, .csv, .json,",
    ),
    ("identity --output no/such/rows.csv", "the directory of 'no/such/rows.csv' does not exist"),
    ("identity --output page.html --html ./page.html", "--output and --html name the same file, 'page.html'"),
    ("identity --since a.jsonl --html a.jsonl", "--since and --html name the same file, 'a.jsonl'"),
    ("identity --since no-such.jsonl", "--since: the file 'no-such.jsonl' cannot be read: No such file or directory."),
    ("identity --since old.jsonl --format html", "--since is shown as a table, csv, json or jsonl."),
    ("identity --account-tags env", "argument --account-tags: it takes NAME=VALUE, each name once, not 'env'"),
    ("identity --account-tags =x", "it takes NAME=VALUE, each name once, not '=x'"),
    ("identity --account-tags env=a,env=b", "it takes NAME=VALUE, each name once, not 'env=b'"),
    ("identity --account-tags ''", "it takes NAME=VALUE, each name once, not ''"),
    ("identity --query x", "--query is for an operation, such as ec2:DescribeInstances."),
    ("identity --arguments {}", "--arguments is for an operation, such as ec2:DescribeInstances."),
    ("identity --arguments [1]", 'argument --arguments: it must be a JSON object, such as {"MaxResults": 10}'),
    ("identity --arguments {", "argument --arguments: it must be a JSON object"),
    ("identity --arguments @no-such.json", "the file 'no-such.json' could not be read: No such file or directory"),
    (
        "ec2:DescribeInstances ec2:DescribeVolumes",
        "One operation at a time, not 2: 'ec2:DescribeInstances', 'ec2:Descr",
    ),
    ("s3:GetObject", "api_call does not ask s3:GetObject"),
    ("ec2:DescribeInstance", "Nearest: ec2:DescribeInstances"),
    ("ec2:DescribeInstances --query Reservations[", "does not parse"),
    ("ec2:DescribeVolumes --arguments '{\"Filters\": 1}'", "The arguments do not suit ec2:DescribeVolumes"),
    ("identity --fail-on fire", "argument --fail-on: invalid choice: 'fire'"),
    ("posturee", "There is no check 'posturee'. Did you mean posture? There are: "),
    ("identity s3_bucket", "There is no check 's3_bucket'. Did you mean s3_buckets? There are: "),
    ("identity s3_buckets --param sufix=x", "None of these checks takes a parameter 'sufix'"),
]


@pytest.mark.parametrize(("typed", "sentence"), WRONG)
def test_what_is_wrong_gets_one_line_and_nothing_is_sent(aws, run, folder, typed, sentence):
    (folder / "old.jsonl").touch()
    status, out, err = run(*shlex.split(typed))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("sweep.py: ")
    assert sentence in err
    assert aws.seen == []


def test_arguments_may_be_in_a_file(folder):
    (folder / "volumes.json").write_text('{"MaxResults": 5}')
    event = event_of(parse(["ec2:DescribeVolumes", "--arguments", "@volumes.json"], None))
    assert event["params"]["arguments"] == {"MaxResults": 5}


def test_the_checks_are_listed_with_parameters_and_actions(aws, run):
    status, out, err = run("--list")
    assert (status, err, aws.seen) == (0, "", [])
    assert (
        "s3_buckets\n"
        "  List the account's buckets: name, creation date and region.\n"
        '  --param prefix=  str, default ""\n'
        "  s3:ListAllMyBuckets, asked once in an account\n"
    ) in out
    assert "  --param model_id=  str, required\n" in out
    assert "  gives verdicts, group network; CIS 5: 5.3, 5.4; CIS 7: 6.3, 6.4; FSBP: EC2.13\n" in out


def test_the_checks_are_listed_as_json_as_the_route_does_it(run, http):
    assert json.loads(run("--list", "--format", "json")[1]) == http("GET", "/checks")[1]

"""--help: its examples run, and it shows every exit status."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from terminal.exit_status import MEANINGS, Status
from terminal.help import EXAMPLES
from tests.fake_aws import Reply, Request
from tests.fake_hub import ids
from tests.terminal.drive import ORGANIZATION, organization_of

COMMANDS = [" ".join(line.split()) for line in re.sub(r"\\\n", "", EXAMPLES).strip().splitlines()]


EC2 = {
    "DescribeRegions": "<regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo>",
    "DescribeInstances": "<reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>"
    "</item></instancesSet></item></reservationSet>",
    "DescribeVolumes": "<volumeSet><item><volumeId>vol-1</volumeId></item></volumeSet>",
}


def organization_or_ec2(request: Request) -> Reply:
    if request.service == "ec2":
        operation = request.form["Action"]
        return Reply(f"<{operation}Response>{EC2[operation]}</{operation}Response>")
    if request.headers["x-amz-target"].endswith(".ListTagsForResource"):
        return Reply('{"Tags": [{"Key": "env", "Value": "prod"}]}')
    return organization_of(*ids(2))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_runs(aws, run, folder, command):
    aws.tell(ORGANIZATION, organization_or_ec2, always=True)
    (folder / "monday.jsonl").touch()
    words = shlex.split(command.partition(" | ")[0])
    assert words[:2] == ["python", "sweep.py"]
    status, out, err = run(*words[2:])
    assert status in (Status.DONE, Status.CHANGED), err
    assert ids(2)[1] in out or "--list" in words or list(folder.glob("*.csv")) or list(folder.glob("*.jsonl"))


def test_it_shows_the_command_of_this_installation_for_other_tools(run, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/some where/sweep.py"])
    status, out, _ = run("--help")
    assert status == 0
    expected = f"env AWS_PROFILE=hub {sys.executable} '/some where/sweep.py' --credentials 123456789012 --stage prod\n"
    assert expected in out


def test_it_shows_every_status(run):
    out = run("--help")[1]
    for status, meaning in MEANINGS.items():
        assert f"  {status:>3}  {meaning}\n" in out
    assert set(MEANINGS) == set(Status)

"""What --help says below the options."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from terminal.exit_status import MEANINGS

EXAMPLES = r"""
  python sweep.py preflight
  python sweep.py s3_buckets identity --exclude 111122223333
  python sweep.py ec2:DescribeInstances --regions all --output instances.csv \
      --query 'Reservations[].Instances[].{id: InstanceId, type: InstanceType, state: State.Name}'
  python sweep.py ec2:DescribeVolumes --arguments '{"Filters": [{"Name": "encrypted", "Values": ["false"]}]}' \
      --query 'Volumes[].{id: VolumeId, size: Size}' --account-tags env=prod --tags
  python sweep.py s3_buckets --format csv | grep website
  python sweep.py s3_buckets --output monday.jsonl
  python sweep.py s3_buckets --since monday.jsonl --output tuesday.jsonl
  python sweep.py --list
"""


def epilog() -> str:
    """Examples, how other tools get into an account, and the exit statuses."""
    return f"examples:{EXAMPLES}\n{_for_other_tools()}\n{_statuses()}"


def _for_other_tools() -> str:
    command = shlex.join([sys.executable, str(Path(sys.argv[0]).resolve()), "--credentials", "123456789012"])
    return f"""credentials for other tools:
  With this in ~/.aws/config, aws, terraform or any other tool works in the account by AWS_PROFILE=production:

  [profile production]
  credential_process = env AWS_PROFILE=hub {command} --stage prod

  Here the hub's own credentials are in the profile hub. It has to be named: the tool's AWS_PROFILE is handed on.
"""


def _statuses() -> str:
    lines = (f"  {status:>3}  {meaning}" for status, meaning in MEANINGS.items())
    return "exit status, the first that holds:\n" + "\n".join(lines)

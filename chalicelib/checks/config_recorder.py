from __future__ import annotations

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok
from chalicelib.cross_account import Account


@check(
    actions=["config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus"], group="monitoring"
)
def config_recorder(account: Account) -> Findings:
    """Find regions in which AWS Config records nothing: there is no recorder, it is stopped, or it fails.

    Recorders that belong to an AWS service do not count. Which types of resources one records is not looked at.

    Controls: CIS 5: 3.3; CIS 7: 4.3; FSBP: Config.1.
    """
    config = account.client("config")
    listed = require_field(config.describe_configuration_recorders(), "ConfigurationRecorders")
    recorders = [recorder for recorder in listed if not _is_of_a_service(recorder)]
    if not recorders:
        yield alarm(account.id, "There is no configuration recorder here.")
        return
    statuses = require_field(config.describe_configuration_recorder_status(), "ConfigurationRecordersStatus")
    by_name = {require_field(status, "name"): status for status in statuses}
    for recorder in recorders:
        yield judge(recorder, by_name.get(require_field(recorder, "name"), {}))


def judge(recorder: Response, status: Response) -> Finding:
    """Judge a recorder by its status; {}: AWS tells of none."""
    resource = recorder.get("arn") or recorder["name"]
    last = status.get("lastStatus")
    columns = {"last_status": last, "last_error": status.get("lastErrorCode")}
    if not require_field(status, "recording"):
        return alarm(resource, "It is stopped.", **columns)
    match (last or "Pending").lower():  # "Success" in AWS's model, "SUCCESS" in its examples
        case "failure":
            return alarm(resource, "It is on, but what it last had to record failed.", **columns)
        case "pending":
            return info(resource, "It is on, and what it last had to record is pending.", **columns)
    return ok(resource, "It is recording.", **columns)


def _is_of_a_service(recorder: Response) -> bool:
    return "servicePrincipal" in recorder or recorder.get("recordingScope") == "INTERNAL"

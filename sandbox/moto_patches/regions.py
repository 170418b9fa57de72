"""EC2's list of regions, opting into one, buckets in them, and EC2 without foreign images."""

import os
from typing import Any

from sandbox import authorization, organization, regions
from sandbox.aws_errors import AwsError


def load_no_foreign_images() -> None:
    # moto puts AWS's images into each account and region, which costs 63 ms and 3.6 MiB and brings 1,301 foreign
    # snapshots, unless this variable is set by then. Delete this when moto loads them when they are asked for.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


def tell_which_are_enabled() -> None:
    # moto returns all regions to each account, and says of three that they need no opt-in. Delete this when moto knows
    # AllRegions and which regions an account has opted into.
    from moto.core.responses import ActionResult
    from moto.ec2.models.availability_zones_and_regions import Region
    from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
    from moto.utilities.utils import filter_resources

    def described(account: str, name: str) -> Region:
        opted = "opted-in" if regions.enabled(account, name) else "not-opted-in"
        return Region(name, f"ec2.{name}.amazonaws.com", "opt-in-not-required" if name in regions.BY_DEFAULT else opted)

    def describe_regions(self: Any) -> ActionResult:
        self.error_on_dryrun()
        asked = self._get_param("RegionNames", [])
        if unknown := sorted({*asked} - {*regions.ALL}):
            raise AwsError("InvalidParameterValue", f"Invalid region found: [{', '.join(unknown)}]")
        everything = asked or self._get_bool_param("AllRegions", False)
        found = [
            described(self.current_account, name)
            for name in asked or regions.ALL
            if everything or regions.enabled(self.current_account, name)
        ]
        attributes = (("region-name", "name"), ("endpoint", "endpoint"), ("opt-in-status", "opt_in_status"))
        return ActionResult({"Regions": filter_resources(found, self._filters_from_querystring(), attributes)})

    AvailabilityZonesAndRegions.describe_regions = describe_regions  # type: ignore[method-assign]


def enable_regions() -> None:
    # moto's Account Management has no regions, and gives the contacts of any account to any other one. Delete this when
    # moto has regions and looks at who calls.
    from moto.account import urls
    from moto.account.responses import AccountResponse
    from moto.core.responses import ActionResult, EmptyResult

    def account_of(self: Any) -> str:
        caller = authorization.caller_of(self).account
        account: str | None = self._get_param("AccountId")
        if account is None:
            return caller
        if not _may_manage(caller, account):
            raise AwsError("AccessDeniedException", f"Account {caller} may not manage the account {account}.")
        return account

    def status_of(account: str, region: str) -> dict[str, str]:
        own = "ENABLED" if regions.enabled(account, region) else "DISABLED"
        return {"RegionName": region, "RegionOptStatus": "ENABLED_BY_DEFAULT" if region in regions.BY_DEFAULT else own}

    def list_regions(self: Any) -> ActionResult:
        account, wanted = account_of(self), self._get_param("RegionOptStatusContains")
        listed = [status_of(account, region) for region in regions.ALL]
        return ActionResult({"Regions": [r for r in listed if not wanted or r["RegionOptStatus"] in wanted]})

    def get_region_opt_status(self: Any) -> ActionResult:
        return ActionResult(status_of(account_of(self), region_of(self, regions.ALL)))

    def enable_region(self: Any) -> EmptyResult:
        regions.enable(account_of(self), region_of(self, {*regions.ALL} - regions.BY_DEFAULT))
        return EmptyResult()

    def disable_region(self: Any) -> EmptyResult:
        regions.disable(account_of(self), region_of(self, {*regions.ALL} - regions.BY_DEFAULT))
        return EmptyResult()

    def region_of(self: Any, possible: Any) -> str:
        region: str = self._get_param("RegionName")
        if region not in possible:
            raise AwsError("ValidationException", f"{region} is not a region that this operation can be used for.")
        return region

    AccountResponse._get_account_id = account_of  # type: ignore[method-assign]
    for operation in (list_regions, get_region_opt_status, enable_region, disable_region):
        setattr(AccountResponse, operation.__name__, operation)
    for path in ("listRegions", "getRegionOptStatus", "enableRegion", "disableRegion"):
        urls.url_paths[f"{{0}}/{path}$"] = AccountResponse.dispatch


def make_buckets_where_they_may_be() -> None:
    # moto makes a bucket in any region, also in one that does not exist. Delete this when moto refuses.
    from moto.s3.exceptions import InvalidLocationConstraintException
    from moto.s3.models import S3Backend

    original = S3Backend.create_bucket

    def create_bucket(self: Any, bucket_name: str, region_name: str, *args: Any, **kwargs: Any) -> Any:
        if region_name != "EU" and not regions.enabled(self.account_id, region_name):  # "EU" is eu-west-1 of old
            raise InvalidLocationConstraintException
        return original(self, bucket_name, region_name, *args, **kwargs)

    S3Backend.create_bucket = create_bucket  # type: ignore[method-assign]


def _may_manage(caller: str, account: str) -> bool:
    """Whether an account may name another as AccountId: the management account and a delegated administrator.

    https://docs.aws.amazon.com/accounts/latest/reference/using-orgs.html
    """
    service = "account.amazonaws.com"
    managing = organization.managing(caller)
    if managing is None or organization.managing(account) is not managing or account == managing.account_id:
        return False
    if not any(trusted["ServicePrincipal"] == service for trusted in managing.services):
        return False
    delegated = any(admin.account.id == caller and service in admin.services for admin in managing.admins)
    return caller == managing.account_id or delegated

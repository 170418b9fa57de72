from __future__ import annotations

from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cross_account import InvalidInput
from chalicelib.cross_account.region import known_regions, valid_region

GLOBALS = sorted(
    name for name in known_regions() if name.endswith("-global")
)  # botocore's, of services without regions
REGIONS = sorted(known_regions() - set(GLOBALS))


def test_every_region_of_every_partition_is_one() -> None:
    session = boto3.Session()
    listed = [session.get_available_regions("ec2", partition) for partition in session.get_available_partitions()]
    assert {"eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"} <= {name for names in listed for name in names}
    assert {name for names in listed for name in names} <= set(REGIONS)
    assert [valid_region(region) for region in REGIONS] == REGIONS


@pytest.mark.parametrize("name", GLOBALS)
def test_a_global_one_is_not_a_region(name: str) -> None:
    with pytest.raises(InvalidInput, match="must be the name"):
        valid_region(name)


@pytest.mark.parametrize("typo", ["us-esat-1", "xx-nowhere-9", "eu-west-11", "uk-west-1"])
def test_a_region_that_does_not_exist_is_refused_by_name(typo: str) -> None:
    with pytest.raises(InvalidInput, match=f"^There is no AWS region {typo}\\."):
        valid_region(typo)


@pytest.mark.parametrize("name", ["", "eu-west-1\n", " eu-west-1", "EU-WEST-1", "eu-west-1.evil.example", "ｅu-west-1"])
def test_what_cannot_be_a_host_name_is_not_repeated(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^region must be the name of an AWS region, such as eu-west-1\."):
        valid_region(name)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.sampled_from(REGIONS))


@given(ANYTHING | st.sampled_from(REGIONS).map(str.encode))
def test_only_a_str_is_a_region(value: Any) -> None:
    with pytest.raises(InvalidInput, match="must be the name"):
        valid_region(value)


@given(st.text() | st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True))
def test_a_text_is_a_region_only_if_botocore_knows_it(text: str) -> None:
    try:
        assert valid_region(text) in REGIONS
    except InvalidInput:
        assert text not in REGIONS

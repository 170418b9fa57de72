"""What the targets hold, for questions to find: instances, volumes and functions, and what checks judge.

Production is mostly as it should be, in each region, and staging mostly as it should not. moto makes its state of a
service in an account and a region when it is first asked for: it is filled then (lazily.py), so that the start of a
sandbox costs nothing. Only what an account has from the beginning, users and buckets, is made with it.
"""

from sandbox.inventory import data, identity, monitoring, network, things


def fill_when_asked() -> None:
    """Let moto's state of each service begin with the inventory."""
    things.fill_when_asked()
    data.fill_when_asked()
    network.fill_when_asked()
    monitoring.fill_when_asked()


def fill(account: str) -> None:
    """Put into a new target what moto's state has from the beginning."""
    identity.fill(account)
    data.fill(account)

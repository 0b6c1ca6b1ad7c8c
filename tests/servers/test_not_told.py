"""What VirtFusion did not tell is shown as not known, never as a figure."""

from __future__ import annotations

from hostwright.core.db import Command, Database
from tests.support.app import Makers, Person, SignIn

forget_details = Command(
    """
    update servers set power = 'unknown', hostname = null, cores = null, memory_mib = null, disk_gib = null,
        traffic_limit_gb = null, operating_system = null, package = null, hypervisor = null, primary_ipv4 = null,
        primary_ipv6 = null, location_id = null, detailed_at = null, power_observed_at = null where id = $1
    """
)


async def test_defect_43_a_server_that_was_only_listed_has_no_invented_figures(
    database: Database, makers: Makers, sign_in: SignIn, owner: Person
) -> None:
    server_id = await makers.server(owner.customer_id)
    async with database.transaction() as tx:
        await forget_details.run(tx, server_id)
    browser = await sign_in(owner)

    read = (await browser.get(f"/api/user/servers/{server_id}")).json()
    told = ("hostname", "cores", "memoryMib", "diskGib", "operatingSystem", "location", "package", "powerObservedAt")
    assert {name: read[name] for name in told} == dict.fromkeys(told)
    assert (read["power"], read["addresses"]) == ("unknown", [])

    page = (await browser.get(f"/servers/{server_id}")).text
    assert "This server has no address yet." in page
    for unit in ("vCPU", "GB", "GiB", "MB"):
        assert unit not in page
    row = (await browser.get("/servers")).text
    for unit in ("vCPU", "GB", "GiB"):
        assert unit not in row

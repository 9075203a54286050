"""Where a service's follow-on links may lead."""

from typing import TYPE_CHECKING

import pytest

from postroom.domain.errors import Invalid
from postroom.features.services import leads_to_allowed_host, set_link_hosts

if TYPE_CHECKING:
    from tests.features.conftest import Office

HOSTS = ("forms.hackney.gov.uk", "*.survey.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://forms.hackney.gov.uk",
        "https://forms.hackney.gov.uk/",
        "HTTPS://Forms.Hackney.GOV.UK:443/a?b=c%20d&e=[1]#f",
        "https://a.survey.example/x",
        "https://a.b.survey.example/x",
    ],
)
def test_what_leads_to_an_allowed_host(url: str) -> None:
    assert leads_to_allowed_host(url, HOSTS) is True


@pytest.mark.parametrize(
    "url",
    [
        "http://forms.hackney.gov.uk/",
        "//forms.hackney.gov.uk/",
        "javascript:alert(1)//https://forms.hackney.gov.uk",
        "https://forms.hackney.gov.uk.evil.example/",
        "https://evilforms.hackney.gov.uk/",
        "https://hackney.gov.uk/",
        "https://forms.hackney.gov.uk@evil.example/",
        "https://joe:x@forms.hackney.gov.uk/",
        "https://evil.example\\@forms.hackney.gov.uk/",
        "https://evil.example/https://forms.hackney.gov.uk/",
        "https://forms.hackney.gov.uk:8443/",
        "https://forms.hackney.gov.uk:x/",
        "https://survey.example/",
        "https://.survey.example/",
        "https://forms.hackney.gov.uk./",
        "https://forms.hackney.gov.uk/a b",
        "https://forms.hackney.gov.uk/\r\nSet-Cookie: a=b",
        "https://forms.hackney.gov.uk/<script>",
        "https://[::1]/",
        "https://[forms.hackney.gov.uk/",
        "https:///forms.hackney.gov.uk",
        "https://forms.hackney.gov.uk/" + "x" * 2_000,
        "",
    ],
)
def test_what_leads_elsewhere(url: str) -> None:
    assert leads_to_allowed_host(url, HOSTS) is False


async def test_hosts_are_kept_for_the_service_alone(office: "Office") -> None:
    async with office.app.database.transaction() as conn:
        kept = await set_link_hosts(
            conn,
            service_id=office.repairs.service_id,
            hosts=["Forms.hackney.gov.uk", "*.survey.example", "forms.hackney.gov.uk"],
        )

    by_name = {each.name: each.link_hosts for each in await office.app.directory.every()}
    assert kept == HOSTS
    assert by_name == {"repairs": HOSTS, "housing": ()}


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "*.uk.",
        "https://hackney.gov.uk",
        "hackney",
        "a b.uk",
        "*.*.uk",
        "hackney.gov.uk/x",
        "10.0.0.1",
        "-a.uk",
    ],
)
async def test_what_is_no_host_is_refused_and_changes_nothing(office: "Office", host: str) -> None:
    async def choose(*hosts: str) -> None:
        async with office.app.database.transaction() as conn:
            await set_link_hosts(conn, service_id=office.repairs.service_id, hosts=hosts)

    await choose("forms.hackney.gov.uk")
    with pytest.raises(Invalid):
        await choose("other.hackney.gov.uk", host)

    assert {each.link_hosts for each in await office.app.directory.every()} == {(), ("forms.hackney.gov.uk",)}

"""However many rows there are: an officer's list and count in 20 groups are found by indexes alone."""

import re
from typing import TYPE_CHECKING

import pytest

from postroom.domain.caller import Person
from postroom.features.notifications.find import Filters, count_found, find_page
from tests.features.plans import Plans

if TYPE_CHECKING:
    from tests.features.conftest import Office

GROUPS = tuple(f"team-{number}" for number in range(20))
OFFICER = Person("amala.officer@hackney.gov.uk", GROUPS)
FILTERS = {
    "all": Filters(),
    "unread": Filters(is_read=False),
    "needs action": Filters(outstanding=True),
}
# Of a table that may be large; the views over lists of values and of what was found stand in the plans too.
READ_WHOLE = re.compile(r"(Seq Scan on|SCAN) (notifications|reader_states|reader_counts)\b")


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
async def test_a_page_and_a_count_read_no_table_whole(office: "Office", filters: Filters) -> None:
    for group in GROUPS:
        await office.create(office.screen(user=f"group:{group}", require_action=True))
    plans = Plans(office.app.database, about="SELECT")

    async with office.app.database.reading() as conn:
        page = await find_page(conn, filters, caller=OFFICER, vault=office.app.vault, now=office.now)
        count = await count_found(conn, filters, caller=OFFICER, vault=office.app.vault, now=office.now)

    found = await plans.found()
    assert (len(page.items), count.number) == (20, 20)
    assert len(found) > 1
    assert [plan for plan in found if READ_WHOLE.search(plan)] == []


def test_a_table_that_is_read_whole_is_seen() -> None:
    assert READ_WHOLE.search("Seq Scan on notifications  (cost=0.00..1.01)")
    assert READ_WHOLE.search("SCAN notifications")
    assert READ_WHOLE.search("SCAN notifications USING COVERING INDEX ix_notifications_audience")
    assert not READ_WHOLE.search("SEARCH reader_states USING PRIMARY KEY (notification_id=?)")

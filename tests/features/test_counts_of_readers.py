"""Whatever people and services do, in whatever order: a person's counts are what their list has, exactly."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from postroom.domain.action import FINAL, READING, ActionType
from postroom.domain.caller import Person
from postroom.domain.errors import Conflict, NotFound
from postroom.domain.notification import Notification
from postroom.features.notifications.act import Action
from postroom.features.notifications.find import Count, Filters, count_found
from postroom.features.notifications.mark import Mark, Marked, mark
from postroom.features.readers.fold import fold
from postroom.interfaces.worker import end_what_expired

if TYPE_CHECKING:
    from tests.features.conftest import Office

Offices = Callable[[str], AbstractAsyncContextManager["Office"]]

AMALA = Person("amala@hackney.gov.uk", groups=("estates", "income"))
JOE = Person("joe@hackney.gov.uk", groups=("Estates",), patches=("north-1",))
SAM = Person("sam@hackney.gov.uk", may_reopen=True)
USERS = ("amala@hackney.gov.uk", "joe@hackney.gov.uk", "group:estates", "group:income", "patch:north-1")
ACTIONS = tuple(ActionType)
HOUR = timedelta(hours=1)


@dataclass
class Expected:
    """What a person can have done with one notification."""

    user: str
    requires: bool
    done: ActionType | None = None
    gone: bool = False
    thread: str | None = None
    expires_at: datetime | None = None
    seen: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)

    def marked(self, action: ActionType, email: str) -> bool:
        """Do it for one person; whether that changed anything."""
        before = [email in each for each in (self.seen, self.read, self.archived)]
        if action is ActionType.IS_UNREAD:
            self.read.discard(email)
            self.archived.discard(email)
        elif action is not ActionType.ARCHIVED or not self.waits:
            self.seen.add(email)
            if action is not ActionType.IS_SEEN:
                (self.read if action is ActionType.IS_READ else self.archived).add(email)
        return before != [email in each for each in (self.seen, self.read, self.archived)]

    @property
    def waits(self) -> bool:
        return self.requires and self.done in (None, ActionType.INITIATED)


async def all_pages(office: "Office", person: Person, **filters: Any) -> list[Notification]:
    """A person's list, page by page."""
    found: list[Notification] = []
    before = None
    while True:
        page = await office.find(person, **filters, before=before, limit=5)
        found += page.items
        before = page.next_before
        if before is None:
            return found


async def count(office: "Office", person: Person, **filters: Any) -> Count:
    async with office.app.database.reading() as conn:
        return await count_found(
            conn, Filters(**filters), caller=person, vault=office.app.vault, now=office.now
        )


class Inbox(RuleBasedStateMachine):
    """People read, archive and decide, services send and withdraw, members come and go, counts are folded."""

    office: "Office"
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @initialize()
    def begin(self) -> None:
        self.known: dict[str, Expected] = {}
        self.made: list[Notification] = []
        self.people = [AMALA, JOE, SAM]
        # Each example has its own people and groups in the one database.
        type(self).example += 1
        self.suffix = f"-{type(self).example}"

    example = 0

    def person(self, which: int) -> Person:
        person = self.people[which % 3]
        name, at, host = person.email.partition("@")
        return Person(
            f"{name}{self.suffix}{at}{host}",
            groups=tuple(f"{group}{self.suffix}" for group in person.groups),
            patches=tuple(f"{patch}{self.suffix}" for patch in person.patches),
            may_reopen=person.may_reopen,
        )

    def user(self, user: str) -> str:
        name, at, host = user.partition("@")
        return f"{name}{self.suffix}{at}{host}"

    @rule(
        user=st.sampled_from(USERS),
        requires=st.booleans(),
        thread=st.sampled_from([None, None, "lift"]),
        lasts=st.sampled_from([None, None, HOUR]),
    )
    def send(self, user: str, requires: bool, thread: str | None, lasts: timedelta | None) -> None:
        office, user = self.office, self.user(user)
        expires_at = None if lasts is None else office.now + lasts
        made = self.run(
            office.create(
                office.screen(user=user, require_action=requires, thread_key=thread, expires_at=expires_at)
            )
        )
        for expected in self.known.values():
            if thread is not None and (expected.user, expected.thread) == (user, thread):
                expected.gone = True
        self.made.append(made)
        self.known[made.id] = Expected(user, requires, thread=thread, expires_at=expires_at)

    @rule()
    def pass_time(self) -> None:
        self.office.clock.ahead += HOUR
        for expected in self.known.values():
            if expected.expires_at is not None and expected.expires_at <= self.office.now:
                expected.gone = True

    @rule()
    def work(self) -> None:
        self.run(end_what_expired(self.office.app))

    @rule(which=st.integers(0, 2), place=st.integers(0, 30), action=st.sampled_from(ACTIONS))
    def act(self, which: int, place: int, action: ActionType) -> None:
        if not self.made:
            return
        made, person = self.made[place % len(self.made)], self.person(which)
        expected, email = self.known[made.id], person.email
        try:
            self.run(self.office.act(made, Action(action, note="so"), caller=person))
        except NotFound:
            assert expected.gone or email in expected.hidden or expected.user not in lowered(person)
            return
        except Conflict:
            assert expected.gone or (expected.waits if action in READING else expected.done in FINAL)
            return
        if action in READING:
            expected.marked(action, email)
        else:
            expected.done = action

    @rule(place=st.integers(0, 30), which=st.sampled_from([0, 1, 2, None]))
    def withdraw(self, place: int, which: int | None) -> None:
        if not self.made:
            return
        made = self.made[place % len(self.made)]
        expected = self.known[made.id]
        caller = self.office.repairs if which is None else self.person(which)
        try:
            self.run(self.office.withdraw(made, caller=caller))
        except (NotFound, Conflict):
            return
        if isinstance(caller, Person) and expected.user != caller.email:
            expected.hidden.add(caller.email)
        else:
            expected.gone = True

    @rule(which=st.integers(0, 2), group=st.sampled_from(["estates", "income", "planning"]))
    def join_or_leave(self, which: int, group: str) -> None:
        person = self.people[which]
        held = {each.lower() for each in person.groups}
        self.people[which] = Person(
            person.email,
            groups=tuple(sorted(held ^ {group})),
            patches=person.patches,
            may_reopen=person.may_reopen,
        )

    @rule(
        which=st.integers(0, 2),
        action=st.sampled_from(sorted(READING)),
        user=st.sampled_from([None, *USERS]),
        filters=st.integers(0, 35),
        place=st.one_of(st.none(), st.integers(0, 30)),
    )
    def mark_all(
        self, which: int, action: ActionType, user: str | None, filters: int, place: int | None
    ) -> None:
        if not self.made:
            return
        person, chosen = self.person(which), EVERY[filters % len(EVERY)]
        ids = None if place is None else (self.made[place % len(self.made)].id,)
        user = None if user is None else self.user(user)
        wanted = Mark(action, Filters(user=user, **chosen), ids)
        marked = 0
        for made in self.made:
            expected = self.known[made.id]
            is_mine = not expected.gone and expected.user in lowered(person)
            if not is_mine or person.email in expected.hidden or (ids is not None and made.id not in ids):
                continue
            if user in (None, expected.user) and shows(chosen, expected, person.email):
                marked += expected.marked(action, person.email)
        assert self.run(mark_as(self.office, person, wanted)) == Marked(marked, is_complete=True)

    @rule()
    def add_up(self) -> None:
        self.run(fold(self.office.app.database))

    @invariant()
    def everybodys_list_is_what_was_done(self) -> None:
        for which in range(3) if self.made else ():
            self.run(check(self.office, self.person(which), self.known, [{}]))

    def teardown(self) -> None:
        for which in range(3) if self.made else ():
            self.run(check(self.office, self.person(which), self.known, EVERY))


CHOICES = (None, True, False)
EVERY = [
    {"is_archived": archived, "is_read": read, "is_seen": seen, "outstanding": waits}
    for archived, read, seen, waits in product((None, True), CHOICES, (None, False), CHOICES)
]
"""The filters that are combined; where none is said, any of it, but for what is archived."""


async def mark_as(office: "Office", person: Person, wanted: Mark) -> Marked:
    async with office.app.database.transaction() as conn:
        return await mark(conn, wanted, person=person, vault=office.app.vault, now=office.now)


def lowered(person: Person) -> set[str]:
    return {audience.lower() for audience in person.audiences}


async def check(
    office: "Office", person: Person, known: dict[str, Expected], every: list[dict[str, bool | None]]
) -> None:
    """The person's lists by each of the filters, and their counts, hold what they have to."""
    email = person.email
    mine = {
        each: expected
        for each, expected in known.items()
        if not expected.gone and expected.user in lowered(person) and email not in expected.hidden
    }
    for filters in every:
        wanted = {each: expected for each, expected in mine.items() if shows(filters, expected, email)}
        assert await count(office, person, **filters) == Count(
            len(wanted),
            is_exact=True,
            unread=sum(email not in expected.read for expected in wanted.values()),
            unseen=sum(email not in expected.seen for expected in wanted.values()),
            needs_action=sum(expected.waits for expected in wanted.values()),
        )
        found = await all_pages(office, person, **filters)
        assert [each.id for each in found] == sorted(wanted, reverse=True)
        for each in found:
            expected = known[each.id]
            assert (each.is_read, each.is_seen, each.is_archived) == (
                email in expected.read,
                email in expected.seen,
                email in expected.archived,
            )
    if every is EVERY:
        for user in {expected.user for expected in mine.values()}:
            listed = await all_pages(office, person, user=user)
            assert (await count(office, person, user=user)).number == len(listed)


def shows(filters: dict[str, bool | None], expected: Expected, email: str) -> bool:
    holds = {
        "is_archived": email in expected.archived,
        "is_read": email in expected.read,
        "is_seen": email in expected.seen,
        "outstanding": expected.waits,
    }
    wanted = {"is_archived": False} | {name: value for name, value in filters.items() if value is not None}
    return all(holds[name] is value for name, value in wanted.items())


def test_counts_are_what_the_list_has(offices: Offices, database_url: str) -> None:
    with asyncio.Runner() as runner:
        context = offices(database_url)
        office = runner.run(context.__aenter__())
        try:

            class Machine(Inbox):
                pass

            Machine.office = office
            Machine.run = staticmethod(runner.run)  # type: ignore[assignment]
            run_state_machine_as_test(  # type: ignore[no-untyped-call]
                Machine,
                settings=settings(
                    max_examples=12,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(context.__aexit__(None, None, None))

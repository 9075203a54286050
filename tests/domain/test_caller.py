"""What callers may, by their scopes, grants and roles."""

import pytest

from postroom.domain.caller import Grant, Person, ServiceCaller
from postroom.domain.role import Role
from postroom.domain.scope import EVERY_SCOPE, Scope, from_text, to_text


@pytest.mark.parametrize(
    ("scopes", "text"),
    [
        (EVERY_SCOPE, "*"),
        ({Scope.READ}, "notifications:read"),
        ({Scope.WRITE, Scope.READ}, "notifications:read notifications:write"),
        (set(), ""),
        ({Scope.MEMBERS, Scope.READ}, "members:write notifications:read"),
        (set(Scope), " ".join(sorted(Scope))),
    ],
)
def test_scopes_are_kept_as_text_and_read_again(scopes: set[Scope], text: str) -> None:
    assert to_text(scopes) == text
    assert from_text(text) == scopes


def test_a_key_of_which_nothing_is_said_may_not_say_who_is_in_a_group() -> None:
    assert set(Scope) - EVERY_SCOPE == {Scope.MEMBERS}


@pytest.mark.parametrize("text", ["", "*:*", "notifications", "NOTIFICATIONS:READ", "notifications:*", "* *"])
def test_words_that_are_no_scope_let_nothing_in(text: str) -> None:
    assert from_text(text) == frozenset()


@pytest.mark.parametrize(
    ("roles", "sees"),
    [
        ((), False),
        ((Role.MANAGER,), False),
        ((Role.AUDITOR,), True),
        ((Role.DEVELOPER,), True),
        ((Role.ADMIN,), True),
        ((Role.MANAGER, Role.AUDITOR), True),
    ],
    ids=repr,
)
def test_who_sees_everything(roles: tuple[Role, ...], sees: bool) -> None:
    assert Person("amala@hackney.gov.uk", roles=frozenset(roles)).sees_everything is sees


def test_a_grant_is_found_by_whose_it_is() -> None:
    grant = Grant("housing-id", "housing")
    caller = ServiceCaller("repairs-id", "repairs", grants=(grant,))

    assert caller.grant_of("housing-id") == grant
    assert caller.grant_of("repairs-id") is None

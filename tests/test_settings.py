"""Whose tokens are trusted and what groups mean, as the environment says it."""

import pytest

from postroom.domain.role import Role
from postroom.settings import BadSettings, Trust, read_settings

SECRETS = {
    "POSTROOM_SECRET": "a-secret-for-tests-that-is-long-enough",
    "OFFICER_TOKEN_SECRET": "the-secret-that-signs-officers-tokens",
}
COGNITO = {
    "COGNITO_ISSUER": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example/",
    "COGNITO_CLIENT_IDS": "one; two",
}


def trust(**variables: str) -> Trust:
    return read_settings(SECRETS | variables).trust


def test_nothing_is_trusted_that_was_not_chosen() -> None:
    assert trust() == Trust()
    assert (Trust().behind_gateway, Trust().cognito_issuer, Trust().service_token_secret) == (False, "", "")


def test_cognito_by_its_issuer_and_clients() -> None:
    chosen = trust(**COGNITO)

    assert chosen.cognito_issuer == "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example"
    assert chosen.cognito_keys_url == f"{chosen.cognito_issuer}/.well-known/jwks.json"
    assert chosen.cognito_client_ids == ("one", "two")
    assert (
        trust(**COGNITO, COGNITO_KEYS_URL="https://keys.example").cognito_keys_url == "https://keys.example"
    )


def test_groups_give_roles_in_any_capitals() -> None:
    chosen = trust(
        POSTROOM_ADMIN_GROUPS="Digital Platform",
        POSTROOM_AUDITOR_GROUPS="internal audit;digital platform ; ",
    )

    assert chosen.roles == {
        "digital platform": {Role.ADMIN, Role.AUDITOR},
        "internal audit": {Role.AUDITOR},
    }


@pytest.mark.parametrize(
    ("text", "roles"),
    [(None, {Role.MANAGER}), ("", set()), ("admin;manager", {Role.ADMIN, Role.MANAGER})],
)
def test_who_may_reopen(text: str | None, roles: set[Role]) -> None:
    assert trust(**({} if text is None else {"POSTROOM_REOPEN_ROLES": text})).reopening == roles


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"COGNITO_ISSUER": COGNITO["COGNITO_ISSUER"]}, "COGNITO_CLIENT_IDS must name"),
        ({"COGNITO_CLIENT_IDS": "one"}, "COGNITO_ISSUER must be set"),
        (COGNITO | {"COGNITO_ISSUER": "http://cognito.example"}, "COGNITO_ISSUER must begin with https://"),
        (COGNITO | {"COGNITO_ISSUER": "cognito.example"}, "COGNITO_ISSUER must begin with https://"),
        (COGNITO | {"COGNITO_KEYS_URL": "http://127.0.0.1.example/"}, "COGNITO_KEYS_URL must begin with"),
        (COGNITO | {"COGNITO_KEYS_URL": "file:///etc/keys"}, "COGNITO_KEYS_URL must begin with"),
        ({"SERVICE_TOKEN_SECRET": "short"}, "SERVICE_TOKEN_SECRET must have at least 32"),
        ({"POSTROOM_BEHIND_GATEWAY": "maybe"}, "POSTROOM_BEHIND_GATEWAY must be on or off"),
        ({"POSTROOM_REOPEN_ROLES": "boss"}, "POSTROOM_REOPEN_ROLES must name some of admin, developer"),
        ({"POSTROOM_SECRET": ""}, "POSTROOM_SECRET must be set"),
    ],
    ids=repr,
)
def test_what_cannot_be_right_is_named(variables: dict[str, str], says: str) -> None:
    with pytest.raises(BadSettings) as raised:
        read_settings(SECRETS | variables)

    assert says in str(raised.value)
    assert "short" not in str(raised.value)


def test_secrets_stay_out_of_the_text_form() -> None:
    secret = "the-secret-of-the-makers-of-service-tokens"

    assert secret not in repr(read_settings(SECRETS | {"SERVICE_TOKEN_SECRET": secret}))


@pytest.mark.parametrize(
    ("variables", "contact"),
    [
        ({}, ""),
        ({"POSTROOM_PUBLIC_URL": "http://localhost:8000"}, ""),
        ({"POSTROOM_PUBLIC_URL": "https://postroom.example/"}, "https://postroom.example"),
        (
            {
                "POSTROOM_PUBLIC_URL": "https://postroom.example",
                "POSTROOM_VAPID_SUBJECT": "mailto:team@council.example",
            },
            "mailto:team@council.example",
        ),
        ({"POSTROOM_VAPID_SUBJECT": "https://council.example/contact"}, "https://council.example/contact"),
    ],
)
def test_whom_push_services_turn_to(variables: dict[str, str], contact: str) -> None:
    assert read_settings(SECRETS | variables).push_contact == contact


@pytest.mark.parametrize("contact", ["team@council.example", "mailto:", "http://a.example", "mailto:a b@c"])
def test_a_contact_that_no_push_service_takes_is_refused(contact: str) -> None:
    with pytest.raises(BadSettings, match="POSTROOM_VAPID_SUBJECT must be like"):
        read_settings(SECRETS | {"POSTROOM_VAPID_SUBJECT": contact})

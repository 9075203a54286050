"""Sealed values open only in their place and with their secret; indexes and digests are stable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.kit.crypto import CannotOpen, Vault, new_secret

SECRET = "a secret of at least 32 characters, for tests"
VAULT = Vault(SECRET)
PLAIN = b"Amala Okafor, 1 Hillman Street"
SEALED = VAULT.seal(PLAIN, row="row-1", column="people.name")


def changed(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


@given(value=st.binary(max_size=2_000), row=st.text(max_size=40), column=st.text(max_size=40))
def test_what_was_sealed_opens_in_its_place(value: bytes, row: str, column: str) -> None:
    assert VAULT.open(VAULT.seal(value, row=row, column=column), row=row, column=column) == value


def test_another_vault_of_the_same_secret_opens_it() -> None:
    assert Vault(SECRET).open(SEALED, row="row-1", column="people.name") == PLAIN


@pytest.mark.parametrize(
    ("sealed", "row", "column"),
    [
        pytest.param(SEALED, "row-2", "people.name", id="moved to another row"),
        pytest.param(SEALED, "row-1", "people.note", id="moved to another column"),
        pytest.param(SEALED, "row-1\0people", "name", id="row and column cut elsewhere"),
        pytest.param(SEALED[:-1], "row-1", "people.name", id="cut short"),
        pytest.param(SEALED + b"\0", "row-1", "people.name", id="longer"),
        pytest.param(b"", "row-1", "people.name", id="nothing"),
        pytest.param(SEALED[:10], "row-1", "people.name", id="the beginning only"),
        pytest.param(SEALED[:4], "row-1", "people.name", id="the key id only"),
    ],
)
def test_what_is_out_of_place_does_not_open(sealed: bytes, row: str, column: str) -> None:
    with pytest.raises(CannotOpen):
        VAULT.open(sealed, row=row, column=column)


@pytest.mark.parametrize("at", range(len(SEALED)))
def test_no_byte_can_be_changed(at: int) -> None:
    with pytest.raises(CannotOpen):
        VAULT.open(changed(SEALED, at), row="row-1", column="people.name")


def test_another_secret_does_not_open_it() -> None:
    with pytest.raises(CannotOpen, match=r"people\.name was sealed with another secret"):
        Vault(SECRET + "!").open(SEALED, row="row-1", column="people.name")


def test_the_same_value_is_sealed_differently_each_time_and_never_in_clear() -> None:
    again = VAULT.seal(PLAIN, row="row-1", column="people.name")

    assert again != SEALED
    assert PLAIN not in SEALED


def test_a_blind_index_is_the_same_for_the_same_value_purpose_and_secret() -> None:
    index = VAULT.blind_index("amala@example.com", purpose="email")
    others = [
        VAULT.blind_index("joe@example.com", purpose="email"),
        VAULT.blind_index("amala@example.com", purpose="reader"),
        Vault(SECRET + "!").blind_index("amala@example.com", purpose="email"),
    ]

    assert Vault(SECRET).blind_index("amala@example.com", purpose="email") == index
    assert len(index) == 16
    assert len({index, *others}) == 4


def test_an_index_and_a_digest_stay_what_they_were_when_rows_were_written_with_them() -> None:
    """Rows are found by them for years: a change of how they are made would lose every row."""
    assert VAULT.blind_index("amala@example.com", purpose="email").hex() == "78ee27c92396deba6ec671104a320028"
    assert (
        VAULT.digest("postroom_key").hex()
        == "6e28d705987c30ff4bffcc15f3975c6f483679c0d8254a5c0f1e798c988e8097"
    )
    assert SEALED[:4].hex() == "3c5a8913"


def test_a_digest_is_not_an_index() -> None:
    assert VAULT.digest("value")[:16] != VAULT.blind_index("value", purpose="")
    assert len(VAULT.digest("value")) == 32


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_short_secret_is_refused_without_being_said(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^the secret must have at least 32 characters$"):
        Vault(secret)


def test_new_secrets_differ_and_are_long_enough() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}

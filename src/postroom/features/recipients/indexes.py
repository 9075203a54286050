"""How audiences and readers are found again without their names being kept."""

from postroom.kit.crypto import Vault


def audience_index(vault: Vault, audience: str) -> bytes:
    """How an addressee (an officer's e-mail address, group:<name>, patch:<id>) is found."""
    return vault.blind_index(audience.lower(), purpose="audience")


def reader_index(vault: Vault, email: str) -> bytes:
    return vault.blind_index(email.lower(), purpose="reader")

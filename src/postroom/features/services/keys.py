"""Which of the provider's keys a `serviceKey`, or a `{service}` in a path, stands for."""

from postroom.domain.errors import FieldError, Forbidden, Invalid, NotFound
from postroom.features.services.credentials import Credential, Credentials, id_of
from postroom.features.services.directory import Directory, RegisteredService
from postroom.features.services.names import is_notify_key
from postroom.kit.crypto import Vault


class Keys:
    """Resolves names and keys for a calling service. `raw_keys` lets a request bring a provider's key."""

    def __init__(
        self,
        *,
        directory: Directory,
        credentials: Credentials,
        vault: Vault,
        raw_keys: bool,
        notify_base_url: str,
    ) -> None:
        self._directory = directory
        self._credentials = credentials
        self._vault = vault
        self._raw_keys = raw_keys
        self._notify_base_url = notify_base_url

    async def to_send_with(self, service_key: str, service: RegisteredService) -> Credential:
        """The key that a request is sent with. Invalid where it names none, Forbidden where another's."""
        if is_notify_key(service_key):
            if not self._raw_keys:
                raise _fault("Use the name of your service: keys are not taken here.")
            return self.raw(service_key, service_id=service.id)
        await self.check_own(service_key, service)
        if service_key != service.name:
            raise _fault("There is no service of this name.")
        credential = await self._own(service)
        if credential is None:
            raise _fault("This service has no GOV.UK Notify key yet.")
        return credential

    async def to_read_with(self, service_key: str, *, service_id: str) -> Credential | None:
        """The key that is asked with. NotFound where nothing is named so, Forbidden where another service."""
        if is_notify_key(service_key):
            if not self._raw_keys:
                raise NotFound("There is no service of this name.")
            return self.raw(service_key, service_id=service_id)
        named = await self._directory.by_name(service_key)
        if named is None:
            raise NotFound("There is no service of this name.")
        if named.id != service_id:
            raise Forbidden("This is another service than the one that calls.")
        return await self._own(named)

    async def check_own(self, service_key: str, service: RegisteredService) -> None:
        """Forbidden where the name is that of another registered service."""
        if service_key != service.name and await self._directory.by_name(service_key) is not None:
            raise Forbidden("The serviceKey names another service than the one that calls.")

    def raw(self, key: str, *, service_id: str) -> Credential:
        """A key that came with a request, as a credential of the calling service."""
        credential_id = id_of(
            vault=self._vault, service_id=service_id, key=key, base_url=self._notify_base_url
        )
        return Credential(id=credential_id, base_url=self._notify_base_url, key=key)

    async def _own(self, service: RegisteredService) -> Credential | None:
        return None if service.credential_id is None else await self._credentials.get(service.credential_id)


def _fault(message: str) -> Invalid:
    return Invalid([FieldError("serviceKey", message)])

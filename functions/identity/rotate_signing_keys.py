"""Keep the keys that sign access tokens young (T2)."""

from shared.composition.services import Services
from shared.operations.capabilities import PUBLIC_KEYS, SIGNING_KEYS
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=5),
    uses=[
        PUBLIC_KEYS.read,
        PUBLIC_KEYS.write,
        SIGNING_KEYS.read,
        SIGNING_KEYS.replace,
    ],
    timeout_s=30,
)
async def rotate_signing_keys(services: Services) -> dict[str, int]:
    """Make the first key, make a new one every thirty days, remove those whose tokens have expired.

    Late or doubled does no harm. Returns how many keys were made and removed.
    """
    rotation = await services.identity.key_rotation.rotate()
    return {"made": rotation.made, "removed": rotation.removed}

"""
Delivery profile: what decides whether sales that are sent again or later count once.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import attrs

from conexxus_client import ApiProfile, ClientConfig


ORIGIN = "origin"
SALES_PATH = "sales_path"

# The parts of a profile that matter to what is sent, each as text that is equal
# where the parts are.  A store that kept its profile before a part was added
# has the part's default.
_PARTS: dict[str, Callable[[ApiProfile], str]] = {
    SALES_PATH: lambda profile: profile.sales_path,
    "sales_mode": lambda profile: profile.sales_mode,
    "dedupe": lambda profile: profile.dedupe,
    "key_ttl": lambda profile: str(profile.key_ttl),
    "conflict_is_delivered": lambda profile: "yes" if profile.conflict_is_delivered else "no",
    # Names of header fields have no case (RFC 9110, section 5.1).
    "idempotency_header": lambda profile: profile.idempotency_header.lower(),
    "accepted_statuses": lambda profile: (
        ", ".join(map(str, sorted(set(profile.push_success_statuses)))) or "none"
    ),
    "unprocessed_statuses": lambda profile: (
        ", ".join(map(str, sorted(profile.unprocessed_statuses))) or "none"
    ),
}

_ADDRESS = (ORIGIN, SALES_PATH)
_UNKNOWN = "unknown to this version"


@attrs.frozen(kw_only=True)
class ProfileDifference:
    """
    One part in which a profile is not the one that is kept.
    """

    part: str
    kept: str
    given: str

    @property
    def is_address(self) -> bool:
        return self.part in _ADDRESS

    def __str__(self) -> str:
        return f"{self.part} is {self.given}, kept is {self.kept}"


@attrs.frozen(kw_only=True)
class DeliveryProfile:
    """
    Where sales are sent, and what the back office does with them.

    Attributes:
        parts: By name, as text; without an origin where the address is not
            known.
    """

    parts: Mapping[str, str]

    @classmethod
    def of(cls, profile: ApiProfile, config: ClientConfig | None) -> "DeliveryProfile":
        """
        What matters of *profile* at the address of *config*.
        """
        parts = {name: read(profile) for name, read in _PARTS.items()}

        if config is None:
            # The path of the address is missing, too: neither can be compared.
            del parts[SALES_PATH]
        else:
            base = urlsplit(config.api_url).path.rstrip("/")
            parts = {ORIGIN: config.origin, **parts, SALES_PATH: base + profile.sales_path}

        return cls(parts=parts)

    @property
    def replaces_day(self) -> bool:
        """
        Does a push replace all that the back office has of its date?
        """
        return self.parts.get("sales_mode") == "replace_day"

    @property
    def recognises_ids(self) -> bool:
        """
        Does the back office take a second sale of one id for a repetition?
        """
        return self.parts.get("dedupe") == "transaction_id"

    def differences(self, given: "DeliveryProfile") -> list[ProfileDifference]:
        """
        In which parts *given* is another.  An address that one of both does
        not have is not compared.
        """
        # Asked before each batch, and mostly the same.
        if self.parts == given.parts:
            return []

        usual = ApiProfile()
        default = {name: read(usual) for name, read in _PARTS.items()}
        pairs = {
            name: (self.parts.get(name, default.get(name)), given.parts.get(name, _UNKNOWN))
            for name in {**given.parts, **self.parts}
            if name not in _ADDRESS or (name in self.parts and name in given.parts)
        }

        return [
            ProfileDifference(part=name, kept=kept or _UNKNOWN, given=new)
            for name, (kept, new) in pairs.items()
            if kept != new
        ]

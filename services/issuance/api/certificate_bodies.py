"""What callers may send of certificates: results, never a PIN or a number."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.issuance.api.bodies import Body
from services.issuance.domain.certificates import CertificateState
from services.issuance.handlers.certificates import After, Failure
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure

Some = Annotated[frozenset[Certificate], Field(min_length=1)]


class StatesSeen(Body):
    """What the terminal says of the two certificates."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signing": "expired", "user_authentication": "renewable"}]}
    )

    signing: CertificateState
    """The one for signing (署名用)."""

    user_authentication: CertificateState
    """The one for user authentication (利用者証明用)."""

    def to_domain(self) -> Mapping[Certificate, CertificateState]:
        """By certificate."""
        return {
            Certificate.SIGNING: self.signing,
            Certificate.USER_AUTHENTICATION: self.user_authentication,
        }


class WrongPin(Body):
    """A PIN was entered wrong; never which."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"certificate": "signing"}]})

    certificate: Certificate
    """Whose."""


class PinsReset(Body):
    """Locked PINs were set anew; the PINs themselves have no place here."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"certificates": ["signing"], "confirmed": True}]}
    )

    certificates: Some
    """Whose."""

    confirmed: Literal[True]
    """Always true."""


class Broken(Body):
    """Writing broke off."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "certificates": ["user_authentication"],
                    "written": ["signing"],
                    "reason": "national_system",
                    "then": "wait",
                }
            ]
        }
    )

    certificates: Some
    """Which could not be written."""

    written: frozenset[Certificate] = frozenset()
    """Which were, before it broke off."""

    reason: CertificateFailure
    """What stood in the way."""

    then: After = After.RESUME
    """Resume at the counter, wait for the system, or come another day."""

    def to_domain(self) -> Failure:
        """As the handlers know it."""
        return Failure(self.certificates, self.reason, self.then, self.written)


class SwitchAnswer(Body):
    """The citizen's answer to the offer of a next-generation card."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": False}]})

    accepted: bool
    """Accepted: nothing is renewed now; the citizen applies for the card."""

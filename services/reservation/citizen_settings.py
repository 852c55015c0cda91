"""What a city decides about mail, logins and contacts; prefix ``MADOGUCHI_RESERVATION_``."""

from datetime import time, timedelta

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.reservation.domain.contact import normal_email
from services.reservation.domain.fair_use import FairUse
from services.reservation.gateways.doors import gateway
from services.reservation.gateways.letters import Sender
from services.reservation.gateways.mail import Gateway
from shared.errors import RejectedValueError, Text


class CitizenSettings(BaseSettings):
    """Mail, fair use and retention as environment variables."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_RESERVATION_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    mail_url: SecretStr | None = Field(
        None, description="smtp…://, file:///folder or console:; without it mails wait."
    )
    mail_from: str = "no-reply@example.jp"
    mail_name_ja: str = "マイナンバーカード予約窓口"
    mail_name_en: str = "My Number Card reservations"
    mail_seconds: float = Field(20, gt=0, le=60, description="For each step with a mail server.")
    mail_ca_file: FilePath | None = Field(None, description="Where the city's own CA vouches.")
    mail_tries: int = Field(6, ge=1, le=20)
    link_url: str = Field("http://localhost:5173/visit", pattern=r"^https?://[^#\s]+$")

    reminder_at: time = Field(time(9), description="From when on the day before; local time.")
    contact_days: int = Field(90, ge=1, description="Kept after the case has ended.")

    login_tries: int = Field(10, ge=1, description="Failed per notice number and window.")
    login_tries_per_address: int = Field(100, ge=1, description="Failed per network address.")
    login_window_minutes: int = Field(15, ge=1)
    codes_per_mailbox: int = Field(5, ge=1, description="Mails with a code per mailbox and hour.")
    codes_per_address: int = Field(60, ge=1, description="The same per network address.")
    session_changes: int = Field(60, ge=1, description="Changes per session of 30 minutes.")

    @field_validator("mail_from")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            return normal_email(value)
        except RejectedValueError:
            raise ValueError("write one e-mail address, without a name") from None

    def fair_use(self) -> FairUse:
        """The limits."""
        return FairUse(
            login_tries=self.login_tries,
            login_tries_per_address=self.login_tries_per_address,
            login_window=timedelta(minutes=self.login_window_minutes),
            codes_per_mailbox=self.codes_per_mailbox,
            codes_per_address=self.codes_per_address,
            session_changes=self.session_changes,
        )

    def sender(self) -> Sender:
        """Who writes the letters."""
        name = Text(en=self.mail_name_en, ja=self.mail_name_ja)
        return Sender(self.mail_from, name, self.link_url)

    def gateway(self) -> Gateway | None:
        """The way to the mail server; none while none is set. Raises ``ValueError``."""
        if self.mail_url is None or not self.mail_url.get_secret_value():
            return None
        url = self.mail_url.get_secret_value()
        ca_file = self.mail_ca_file
        return gateway(url, sender=self.mail_from, seconds=self.mail_seconds, ca_file=ca_file)

"""Errors that carry meaning: what happened, its stable name, and what the caller can do.

Invariant: whatever a `Problem` holds may be shown to the caller. It never carries an input value,
personal data or internals; the edge (HTTP, CLI) only chooses the language and the form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Language = Literal["en", "ja"]
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence for people, in both languages of the house."""

    en: str
    ja: str

    def to(self, language: Language) -> str:
        """The sentence in `language`."""
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of the request that cannot be accepted.

    `field` is the path the caller wrote (`guests.0.birth_date`), never its value.
    """

    field: str
    message: Text
    remedy: Text


class RejectedValueError(ValueError):
    """What a validator of a request model raises to be heard in both languages.

    ``message`` names the rule, never the value; a plain ``ValueError`` is answered with a general
    sentence, because its text may quote what was sent.
    """

    def __init__(self, message: Text, remedy: Text) -> None:
        super().__init__(message.en)
        self.message = message
        self.remedy = remedy


class Problem(Exception):  # noqa: N818  the standard's word (RFC 9457)
    """An error that a caller meets.

    A subclass fixes `status` (HTTP), `slug` (the stable part of its type), `title` and `remedy`;
    an instance adds what is particular to this occurrence.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[Text] = Text("Something went wrong here", "処理中に問題が発生しました")
    remedy: ClassVar[Text] = Text(
        "Try again in a moment; if it happens again, tell the operator the trace id.",
        "しばらくしてからもう一度お試しください。繰り返す場合はトレースIDを管理者へお知らせください。",
    )

    def __init__(
        self,
        detail: Text | None = None,
        *,
        extras: Mapping[str, Json] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        self.detail = detail if detail is not None else self.title
        self.extras: dict[str, Json] = dict(extras or {})
        self.errors: tuple[FieldError, ...] = tuple(errors)
        super().__init__(self.detail.en)

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that belong to this answer."""
        return {}


class BadRequest(Problem):
    """The request cannot be understood."""

    status = 400
    slug = "bad-request"
    title = Text("The request cannot be understood", "リクエストを解釈できません")
    remedy = Text(
        "Correct the request as described and send it again.",
        "説明に沿ってリクエストを修正し、もう一度送信してください。",
    )


class Unauthorized(Problem):
    """No token, or one that does not hold."""

    status = 401
    slug = "unauthorized"
    title = Text("Sign in first", "認証が必要です")
    remedy = Text(
        "Send a valid bearer token in the Authorization header.",
        "有効なトークンを Authorization ヘッダーに付けて送信してください。",
    )

    def __init__(
        self,
        detail: Text | None = None,
        *,
        extras: Mapping[str, Json] | None = None,
        errors: Sequence[FieldError] = (),
        token_sent: bool = False,
    ) -> None:
        super().__init__(detail, extras=extras, errors=errors)
        self._token_sent = token_sent

    @property
    def headers(self) -> dict[str, str]:
        """The challenge (RFC 6750, section 3): it names an error only if a token was sent."""
        error = ', error="invalid_token"' if self._token_sent else ""
        return {"WWW-Authenticate": f'Bearer realm="madoguchi"{error}'}


class Forbidden(Problem):
    """Known, but not allowed."""

    status = 403
    slug = "forbidden"
    title = Text("You may not do this", "この操作は許可されていません")
    remedy = Text(
        "Use an account with the role and the site this needs, or ask a supervisor.",
        "必要な役割と窓口を持つアカウントを使うか、責任者に依頼してください。",
    )


class NotFound(Problem):
    """There is nothing under this name, or nothing this caller may know of."""

    status = 404
    slug = "not-found"
    title = Text("There is nothing here", "見つかりません")
    remedy = Text(
        "Check the address and the identifiers in it.",
        "URLと、その中の識別子を確認してください。",
    )


class Conflict(Problem):
    """The state of the resource does not allow this."""

    status = 409
    slug = "conflict"
    title = Text("The present state does not allow this", "現在の状態では実行できません")
    remedy = Text(
        "Read the present state and decide again.",
        "現在の状態を確認してから、もう一度判断してください。",
    )


class MethodNotAllowed(Problem):
    """The address exists, but not for this method."""

    status = 405
    slug = "method-not-allowed"
    title = Text("This method is not served here", "このメソッドは使えません")
    remedy = Text(
        "Use one of the methods in the Allow header.",
        "Allow ヘッダーにあるメソッドを使ってください。",
    )


class NotAcceptable(Problem):
    """None of the forms asked for is offered."""

    status = 406
    slug = "not-acceptable"
    title = Text("Not available in this form", "この形式では提供していません")
    remedy = Text(
        "Ask for one of the offered forms with the Accept header or ?format=.",
        "Accept ヘッダーか ?format= で、提供している形式を指定してください。",
    )


class PreconditionFailed(Problem):
    """Somebody changed the resource after the caller read it."""

    status = 412
    slug = "precondition-failed"
    title = Text("It was changed by somebody else", "他の人によって変更されています")
    remedy = Text(
        "Read it again and repeat your change with the new ETag in If-Match.",
        "もう一度読み込み、新しい ETag を If-Match に付けて変更してください。",
    )


class TooLarge(Problem):
    """The request body is larger than this installation accepts."""

    status = 413
    slug = "too-large"
    title = Text("The request is too large", "リクエストが大きすぎます")
    remedy = Text("Split it into smaller requests.", "小さく分けて送信してください。")


class Unprocessable(Problem):
    """Well formed, but a rule refuses it."""

    status = 422
    slug = "unprocessable"
    title = Text("This cannot be accepted", "この内容は受け付けられません")
    remedy = Text(
        "Correct what is named and send it again.",
        "指摘された点を修正し、もう一度送信してください。",
    )


class PreconditionRequired(Problem):
    """A change without If-Match would overwrite blindly."""

    status = 428
    slug = "precondition-required"
    title = Text("If-Match is needed", "If-Match が必要です")
    remedy = Text(
        "Read the resource and send its ETag in the If-Match header.",
        "対象を読み込み、その ETag を If-Match ヘッダーに付けて送信してください。",
    )


class _Later(Problem):
    """A problem that passes by itself; `retry_after` is in seconds."""

    def __init__(
        self,
        detail: Text | None = None,
        *,
        extras: Mapping[str, Json] | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: int = 1,
    ) -> None:
        super().__init__(detail, extras=extras, errors=errors)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.retry_after)}


class TooManyRequests(_Later):
    """More requests than one caller may make."""

    status = 429
    slug = "too-many-requests"
    title = Text("Too many requests", "リクエストが多すぎます")
    remedy = Text(
        "Wait as long as Retry-After says, then go on more slowly.",
        "Retry-After の秒数だけ待ち、間隔を空けて送信してください。",
    )


class ServiceUnavailable(_Later):
    """Something this room needs is missing for the moment."""

    status = 503
    slug = "service-unavailable"
    title = Text("Not available at the moment", "現在ご利用いただけません")
    remedy = Text(
        "Wait as long as Retry-After says and try again.",
        "Retry-After の秒数だけ待ってから、もう一度お試しください。",
    )

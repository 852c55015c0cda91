"""Errors an operator can meet while starting or stopping the house.

Invariant: every one says what is wrong and what to do, in the operator's language.
"""

import os


class OperatorError(Exception):
    """Something the operator can put right; the text names the setting or the step.

    The language follows the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`): Japanese for `ja*`,
    English otherwise.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.en = en
        self.ja = ja

    def __str__(self) -> str:
        return self.ja if speaks_japanese() else self.en


class PortTaken(OperatorError):  # noqa: N818 - reads as the fact it states
    """A port that an embedded part needs is used by a process that is not ours."""

    def __init__(self, port: int, part: str, setting: str) -> None:
        super().__init__(
            f"Port {port} for {part} is already in use. "
            f"Stop the program that uses it, or set {setting} to a free port "
            "(MADOGUCHI_PORT_OFFSET moves all ports together).",
            f"{part} が使うポート {port} は使用中です。使用中のプログラムを止めるか、"
            f"{setting} に空いているポートを設定してください"
            "(MADOGUCHI_PORT_OFFSET で全体をずらせます)。",
        )
        self.port = port
        self.setting = setting


class StartFailed(OperatorError):  # noqa: N818 - reads as the fact it states
    """A part ended or stayed silent while it was being started; the log's end is included."""

    def __init__(self, part: str, reason_en: str, reason_ja: str, log: str, tail: str) -> None:
        super().__init__(
            f"{part} did not start: {reason_en}. The whole log is {log}; it ends with:\n{tail}",
            f"{part} を起動できませんでした: {reason_ja}。ログ全体は {log} です。末尾:\n{tail}",
        )


def speaks_japanese() -> bool:
    """True when the operator's locale asks for Japanese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.startswith("ja")
    return False

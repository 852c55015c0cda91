"""What a request model refuses, said in both languages.

Only the field's path and the rule are told. The input, and pydantic's own sentences, which may
quote it, stay inside.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import FieldError, RejectedValueError, Text

_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})

_RULES: Mapping[str, Text] = {
    "missing": Text("This field is required.", "必須項目です。"),
    "json_invalid": Text("The body is not valid JSON.", "本文が正しいJSONではありません。"),
    "extra_forbidden": Text("This field is not known here.", "この項目は使えません。"),
    "string_too_short": Text(
        "Needs at least {min_length} characters.", "{min_length}文字以上必要です。"
    ),
    "string_too_long": Text("At most {max_length} characters.", "{max_length}文字以内です。"),
    "string_pattern_mismatch": Text(
        "Does not have the form {pattern}.", "形式 {pattern} に合いません。"
    ),
    "too_short": Text("Needs at least {min_length} entries.", "{min_length}件以上必要です。"),
    "too_long": Text("At most {max_length} entries.", "{max_length}件以内です。"),
    "greater_than": Text("Must be more than {gt}.", "{gt}より大きい値が必要です。"),
    "greater_than_equal": Text("Must be {ge} or more.", "{ge}以上の値が必要です。"),
    "less_than": Text("Must be less than {lt}.", "{lt}より小さい値が必要です。"),
    "less_than_equal": Text("Must be {le} or less.", "{le}以下の値が必要です。"),
    "multiple_of": Text("Must be a multiple of {multiple_of}.", "{multiple_of}の倍数が必要です。"),
    "enum": Text("Must be one of {expected}.", "{expected} のいずれかです。"),
    "literal_error": Text("Must be one of {expected}.", "{expected} のいずれかです。"),
    "timezone_aware": Text("Needs a time zone offset.", "タイムゾーンの指定が必要です。"),
}

_KINDS: Mapping[str, Text] = {
    "string": Text("Must be text.", "文字列が必要です。"),
    "int": Text("Must be a whole number.", "整数が必要です。"),
    "float": Text("Must be a number.", "数値が必要です。"),
    "decimal": Text("Must be a decimal number.", "数値が必要です。"),
    "bool": Text("Must be true or false.", "true か false が必要です。"),
    "uuid": Text("Must be a UUID.", "UUIDが必要です。"),
    "date": Text("Must be a date: YYYY-MM-DD.", "日付（YYYY-MM-DD）が必要です。"),
    "datetime": Text(
        "Must be a time with offset (RFC 3339).", "オフセット付きの日時（RFC 3339）が必要です。"
    ),
    "timezone": Text("Needs a time zone offset.", "タイムゾーンの指定が必要です。"),
    "time": Text("Must be a time of day: HH:MM.", "時刻（HH:MM）が必要です。"),
    "url": Text("Must be a URL.", "URLが必要です。"),
    "list": Text("Must be a list.", "配列が必要です。"),
    "dict": Text("Must be an object.", "オブジェクトが必要です。"),
    "model": Text("Must be an object.", "オブジェクトが必要です。"),
}

_OTHER = Text("This value is not accepted.", "この値は受け付けられません。")
_CORRECT = Text("Correct this field.", "この項目を修正してください。")
_ADD = Text("Add this field.", "この項目を追加してください。")
_REMOVE = Text("Leave this field out.", "この項目を取り除いてください。")


def field_errors(errors: Sequence[Any]) -> tuple[FieldError, ...]:
    """The errors of a pydantic validation, one per field and rule."""
    return tuple(_field_error(error) for error in errors)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    field = _path(error["loc"], error["type"])
    context: Mapping[str, Any] = error.get("ctx") or {}
    raised = context.get("error")
    if isinstance(raised, RejectedValueError):
        return FieldError(field, raised.message, raised.remedy)
    return FieldError(field, _message(error["type"], context), _remedy(error["type"]))


def _path(location: Sequence[str | int], rule: str) -> str:
    first, *rest = location or ("body",)
    # For broken JSON the second part is a position in the text, not a field.
    inside = rest if first in _LOCATIONS else [first, *rest]
    if not inside or rule == "json_invalid":
        return str(first)
    return ".".join(str(part) for part in inside)


def _message(rule: str, context: Mapping[str, Any]) -> Text:
    known = _RULES.get(rule) or _KINDS.get(rule.split("_", maxsplit=1)[0]) or _OTHER
    limits = {name: str(value) for name, value in context.items() if name != "error"}
    try:
        return Text(known.en.format_map(limits), known.ja.format_map(limits))
    except KeyError:
        return _OTHER


def _remedy(rule: str) -> Text:
    match rule:
        case "missing":
            return _ADD
        case "extra_forbidden":
            return _REMOVE
        case _:
            return _CORRECT

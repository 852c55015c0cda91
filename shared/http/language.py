"""Which language the caller reads: Japanese or English, by Accept-Language."""

from shared.errors import Language

DEFAULT: Language = "en"


def negotiate(accept_language: str | None) -> Language:
    """The preferred of both languages by q-value (RFC 9110, section 12.5.4).

    Of two with the same weight the first wins; where neither is asked for, English.
    """
    best, weight = DEFAULT, 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = _language(tag)
        quality = _quality(parameters)
        if language is not None and quality > weight:
            best, weight = language, quality
    return best


def _language(tag: str) -> Language | None:
    match tag.strip().lower().split("-")[0]:
        case "ja":
            return "ja"
        case "en":
            return "en"
        case "*":
            return DEFAULT
        case _:
            return None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0

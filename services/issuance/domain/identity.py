"""Identity is proved by one document of class A or by two different ones of class B.

Source: 個人番号カードの交付等に関する事務処理要領 (cities call the classes A and B). Which types
count as A or B is data of a checklist's version. Only the types seen are kept: never a number, an
image or a name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Text, Unprocessable


class DocumentClass(StrEnum):
    """A: with a photo, issued by an authority. B: shows name and birth date or address."""

    A = "A"
    B = "B"


class DocumentType(StrEnum):
    """What may be shown at the counter."""

    DRIVERS_LICENCE = "drivers_licence"
    DRIVING_RECORD = "driving_record"
    PASSPORT = "passport"
    RESIDENCE_CARD = "residence_card"
    SPECIAL_PERMANENT_RESIDENT = "special_permanent_resident"
    BASIC_RESIDENT_CARD = "basic_resident_card"
    MY_NUMBER_CARD = "my_number_card"
    DISABILITY_HANDBOOK = "disability_handbook"
    HEALTH_INSURANCE = "health_insurance"
    PENSION_BOOK = "pension_book"
    NURSING_INSURANCE = "nursing_insurance"
    MEDICAL_CERTIFICATE = "medical_certificate"
    MOTHER_AND_CHILD_HANDBOOK = "mother_and_child_handbook"
    STUDENT_ID = "student_id"
    EMPLOYEE_ID = "employee_id"
    PUBLIC_ASSISTANCE = "public_assistance"


CLASS_B = frozenset(
    {
        DocumentType.HEALTH_INSURANCE,
        DocumentType.PENSION_BOOK,
        DocumentType.NURSING_INSURANCE,
        DocumentType.MEDICAL_CERTIFICATE,
        DocumentType.MOTHER_AND_CHILD_HANDBOOK,
        DocumentType.STUDENT_ID,
        DocumentType.EMPLOYEE_ID,
        DocumentType.PUBLIC_ASSISTANCE,
    }
)


Accepted = Mapping[DocumentType, DocumentClass]
"""The class of each type that is accepted."""


def class_of(type_: DocumentType) -> DocumentClass:
    """The class a type belongs to as the project has it; every type has one."""
    return DocumentClass.B if type_ in CLASS_B else DocumentClass.A


EVERY_TYPE: Accepted = {type_: class_of(type_) for type_ in DocumentType}


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was seen, by class and type."""

    document_class: DocumentClass
    type: DocumentType


class WrongDocumentClass(Unprocessable):
    """A document was entered under the other class."""

    slug = "document-class-wrong"
    title = Text(
        "A document was entered under the wrong class", "書類の区分（A・B）が正しくありません"
    )
    remedy = Text("Choose the class shown in expected.", "expected の区分を選び直してください。")


class IdentityNotProved(Unprocessable):
    """The documents shown do not suffice."""

    slug = "identity-not-proved"
    title = Text(
        "The documents shown do not prove identity", "提示された書類では本人確認ができません"
    )
    remedy = Text(
        "Ask for one document of class A or two different ones of class B; otherwise defer the"
        " visit and say what to bring.",
        "A書類1点、または異なるB書類2点の提示を依頼してください。"
        "ない場合は持ち物を案内し、手続を延期してください。",
    )


class DocumentNotAccepted(Unprocessable):
    """The checklist that this case goes by does not accept the document."""

    slug = "document-not-accepted"
    title = Text("This document is not accepted", "この書類は本人確認に使えません")
    remedy = Text(
        "Ask for another document; GET /v1/checklists lists those that are accepted.",
        "別の書類の提示を依頼してください。使える書類は GET /v1/checklists で確認できます。",
    )


def require_classes(documents: Sequence[Document], accepted: Accepted = EVERY_TYPE) -> None:
    """Raise ``DocumentNotAccepted`` or ``WrongDocumentClass`` unless each is what it is said."""
    for document in documents:
        expected = accepted.get(document.type)
        if expected is None:
            raise DocumentNotAccepted(extras={"type": document.type})
        if document.document_class is not expected:
            raise WrongDocumentClass(extras={"type": document.type, "expected": expected})


def proves(types: Sequence[DocumentType], accepted: Accepted = EVERY_TYPE) -> bool:
    """Whether the rule above is met; a type that is not accepted proves nothing."""
    classes = [accepted[type_] for type_ in set(types) if type_ in accepted]
    return DocumentClass.A in classes or classes.count(DocumentClass.B) > 1


def require_proof(documents: Sequence[Document], accepted: Accepted = EVERY_TYPE) -> None:
    """Raise ``IdentityNotProved`` unless the rule is met, and as ``require_classes`` does."""
    require_classes(documents, accepted)
    if not proves([document.type for document in documents], accepted):
        raise IdentityNotProved

"""One document of class A, or two different ones of class B."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.identity import (
    CLASS_B,
    Document,
    DocumentClass,
    DocumentType,
    IdentityNotProved,
    WrongDocumentClass,
    class_of,
    require_proof,
)


def shown(*types: DocumentType) -> list[Document]:
    """Documents under their right classes."""
    return [Document(class_of(type_), type_) for type_ in types]


@given(st.lists(st.sampled_from(DocumentType), max_size=6))
def test_the_rule(types: list[DocumentType]) -> None:
    number_a = sum(type_ not in CLASS_B for type_ in types)
    different_b = len({type_ for type_ in types if type_ in CLASS_B})
    if number_a >= 1 or different_b >= 2:
        require_proof(shown(*types))
    else:
        with pytest.raises(IdentityNotProved):
            require_proof(shown(*types))


def test_the_same_document_twice_is_one() -> None:
    with pytest.raises(IdentityNotProved):
        require_proof(shown(DocumentType.PENSION_BOOK, DocumentType.PENSION_BOOK))


@given(st.sampled_from(DocumentType))
def test_a_document_under_the_other_class(type_: DocumentType) -> None:
    (other,) = set(DocumentClass) - {class_of(type_)}
    with pytest.raises(WrongDocumentClass) as caught:
        require_proof([Document(other, type_)])
    assert caught.value.extras == {"type": type_, "expected": class_of(type_)}

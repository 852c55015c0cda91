"""The page's side of signing in by code: it believes an answer to its own question and no other."""

from dataclasses import replace
from typing import Any

import pytest

from shared.security.code_flow import Attempt, CodeFlow, ProviderSilent, SignInRefused
from tests.support.provider import CLIENT, INSIDE, ISSUER, FakeProvider

BACK = "https://desk.example/pages/callback"


def flow(provider: FakeProvider) -> CodeFlow:
    """A page of the city."""
    return CodeFlow(provider.client(), ISSUER, CLIENT)


async def test_a_code_is_given_for_a_token_once() -> None:
    provider, attempt = FakeProvider(), Attempt.new()
    page = flow(provider)
    code, _ = provider.grant(await page.address(attempt, BACK))
    assert (await page.token(attempt, code, BACK)).subject == "staff:planner-1"
    with pytest.raises(SignInRefused):
        await page.token(attempt, code, BACK)


async def test_the_question_names_no_secret() -> None:
    attempt = Attempt.new()
    address = await flow(FakeProvider()).address(attempt, BACK)
    assert attempt.verifier not in address
    assert "code_challenge_method=S256" in address
    assert len({attempt.state, attempt.verifier, attempt.nonce}) == 3


async def test_without_its_verifier_a_code_is_not_even_shown() -> None:
    provider, attempt = FakeProvider(), Attempt.new()
    page = flow(provider)
    code, _ = provider.grant(await page.address(attempt, BACK))
    for missing in (replace(attempt, verifier=""), attempt):
        with pytest.raises(SignInRefused):
            await page.token(missing, code if missing is not attempt else "", BACK)
    assert provider.exchanges == 0
    with pytest.raises(SignInRefused):
        await page.token(replace(attempt, verifier="another"), code, BACK)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another question"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": "madoguchi"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
    ],
)
async def test_an_id_token_for_somebody_else_is_refused(wrong: dict[str, Any]) -> None:
    provider, attempt = FakeProvider(id_claims=wrong), Attempt.new()
    page = flow(provider)
    code, _ = provider.grant(await page.address(attempt, BACK))
    with pytest.raises(SignInRefused):
        await page.token(attempt, code, BACK)


async def test_an_answer_without_an_id_token_is_refused() -> None:
    provider, attempt = FakeProvider(gives_id_token=False), Attempt.new()
    page = flow(provider)
    code, _ = provider.grant(await page.address(attempt, BACK))
    with pytest.raises(SignInRefused):
        await page.token(attempt, code, BACK)


async def test_an_id_token_of_another_key_is_refused() -> None:
    provider, attempt = FakeProvider(id_key=FakeProvider().key), Attempt.new()
    page = flow(provider)
    code, _ = provider.grant(await page.address(attempt, BACK))
    with pytest.raises(SignInRefused):
        await page.token(attempt, code, BACK)


async def test_the_session_ends_at_the_provider_where_it_names_a_place() -> None:
    back = "https://desk.example/pages/sign-in"
    assert await flow(FakeProvider()).end_address(back) is None
    address = await flow(FakeProvider(ends_sessions=True)).end_address(back)
    assert address is not None
    assert address.startswith(f"{ISSUER}/end?")
    assert "post_logout_redirect_uri=https%3A%2F%2Fdesk.example%2Fpages%2Fsign-in" in address


async def test_the_provider_is_reached_from_inside_and_browsers_from_outside() -> None:
    provider, attempt = FakeProvider(), Attempt.new()
    page = CodeFlow(
        provider.client(),
        ISSUER,
        CLIENT,
        discovery_url=f"{INSIDE}/.well-known/openid-configuration",
        token_url=f"{INSIDE}/token",
        jwks_url=f"{INSIDE}/jwks",
    )
    address = await page.address(attempt, BACK)
    assert address.startswith(f"{ISSUER}/authorize?")
    code, _ = provider.grant(address)
    assert (await page.token(attempt, code, BACK)).subject == "staff:planner-1"


async def test_another_issuers_discovery_is_not_believed() -> None:
    page = CodeFlow(
        FakeProvider().client(),
        "https://elsewhere.example",
        CLIENT,
        discovery_url=f"{INSIDE}/.well-known/openid-configuration",
    )
    with pytest.raises(ProviderSilent):
        await page.address(Attempt.new(), BACK)

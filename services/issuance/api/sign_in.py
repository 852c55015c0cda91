"""Signing in to a counter: by authorization code with PKCE where a client of the provider is set,
otherwise with a token given once.

What ties the answer to the question lies in a cookie that no script can read, for ten minutes. The
way to the provider and back goes by pages and not by redirects: a form's policy allows no redirect
elsewhere, and a strict cookie is not sent on a way that began elsewhere.
"""

import hmac
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.issuance.api.page_language import Lang, language_of
from services.issuance.api.page_session import remember, require_own_origin
from services.issuance.api.pages import Page, load
from services.issuance.api.words import speaker
from shared.errors import Language, NotFound, Problem, Unauthorized
from shared.http.call import CallDep
from shared.security.code_flow import Attempt, CodeFlow, SignInRefused

LOGIN = "madoguchi_login"
TEN_MINUTES = 600
_LONGEST = 2000


def add_sign_in(router: APIRouter) -> None:
    """Add the routes of the entrance."""
    entrance = load("sign_in.html", "counter.css")
    way = load("way.html", "counter.css")

    @router.get("/sign-in", summary="Sign in to a counter", response_class=Response)
    async def sign_in(request: Request, call: CallDep, lang: Lang = None) -> Response:
        """Asks for a site and a counter, and where no provider is set for a staff token."""
        return _shown(entrance, request, lang or language_of(request))

    @router.post("/login", include_in_schema=False)
    async def login(request: Request, call: CallDep) -> Response:
        require_own_origin(request)
        flow, form = _flow(request), await request.form()
        attempt = Attempt.new()
        target = f"{_part(form, 'site_id')}.{_part(form, 'counter')}"
        try:
            url = await flow.address(attempt, _callback(request))
        except Problem as problem:
            return _shown(entrance, request, language_of(request), form, problem)
        answer = _way(way, request, url)
        kept = f"{attempt.state}.{attempt.verifier}.{target}"
        secure = request.url.scheme == "https"
        answer.set_cookie(
            LOGIN, kept, max_age=TEN_MINUTES, httponly=True, samesite="lax", secure=secure
        )
        return answer

    @router.get("/callback", include_in_schema=False)
    async def callback(
        request: Request,
        call: CallDep,
        code: Annotated[str, Query(max_length=_LONGEST)] = "",
        state: Annotated[str, Query(max_length=_LONGEST)] = "",
    ) -> Response:
        flow, language = _flow(request), language_of(request)
        try:
            attempt, site_id, counter = _begun(request, state)
            token = await flow.token(attempt, code, _callback(request))
            await call.resources.authenticate(f"Bearer {token}")
        except Problem as problem:
            answer: Response = _shown(entrance, request, language, problem=problem)
        else:
            answer = remember(request, _way(way, request, f"{site_id}/{counter}"), token)
        answer.delete_cookie(LOGIN, httponly=True, samesite="lax")
        return answer

    @router.post("/session", include_in_schema=False)
    async def begin(request: Request, call: CallDep) -> Response:
        require_own_origin(request)
        if _is_by_code(request):
            raise NotFound
        form = await request.form()
        token = str(form.get("token", "")).strip()
        try:
            await call.resources.authenticate(f"Bearer {token}")
        except Unauthorized:
            return _shown(entrance, request, language_of(request), form, refused=True)
        target = f"{_part(form, 'site_id')}/{_part(form, 'counter')}"
        return remember(request, RedirectResponse(target, 303), token)


def _begun(request: Request, state: str) -> tuple[Attempt, str, str]:
    """The attempt that this is the answer to. Raises ``SignInRefused`` for any other."""
    kept = request.cookies.get(LOGIN, "").split(".")
    if len(kept) != 4 or not hmac.compare_digest(kept[0].encode(), state.encode()):
        raise SignInRefused
    return Attempt(kept[0], kept[1]), kept[2], kept[3]


def _flow(request: Request) -> CodeFlow:
    flow: CodeFlow | None = request.app.state.code_flow
    if flow is None:
        raise NotFound
    return flow


def _is_by_code(request: Request) -> bool:
    return request.app.state.code_flow is not None


def _callback(request: Request) -> str:
    return str(request.url_for("callback"))


def _way(page: Page, request: Request, url: str) -> HTMLResponse:
    language = language_of(request)
    return page.answer(lang=language, t=speaker(language), url=url)


def _shown(
    entrance: Page,
    request: Request,
    language: Language,
    form: FormData | None = None,
    problem: Problem | None = None,
    *,
    refused: bool = False,
) -> HTMLResponse:
    t = speaker(language)
    told = problem.title.to(language) if problem else None
    status = problem.status if problem else 422 if refused else 200
    return entrance.answer(
        status,
        lang=language,
        t=t,
        by_code=_is_by_code(request),
        site_id=str(form.get("site_id", "")) if form else "",
        counter=str(form.get("counter", "")) if form else "",
        problem=t("token_refused") if refused else told,
    )


def _part(form: FormData, name: str) -> str:
    """A part of an address: what is no id there leads to no page."""
    text = str(form.get(name) or "-")
    return text if text.replace("-", "").isalnum() and text.isascii() else "-"

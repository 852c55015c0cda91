"""The counter screen's session: the pages under ``/counter`` and the cookie that opens them."""

from functools import partial

from shared.http import page_session

_COUNTER = page_session.Door(
    "/counter", "madoguchi_counter", open=("sign-in", "session", "login", "callback")
)

PageSession = partial(page_session.PageSession, door=_COUNTER)
remember = partial(page_session.remember, door=_COUNTER)
forget = partial(page_session.forget, door=_COUNTER)
mark = page_session.mark
require_mark = page_session.require_mark
require_own_origin = page_session.require_own_origin

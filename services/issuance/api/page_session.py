"""The counter screen's session: the pages under ``/counter`` and the cookie that opens them."""

from functools import partial

from shared.http import page_session

COUNTER = page_session.Door("/counter", "madoguchi_counter")

PageSession = partial(page_session.PageSession, door=COUNTER)
mark = page_session.mark
require_mark = page_session.require_mark

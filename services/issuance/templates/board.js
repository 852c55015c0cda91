"use strict";
(() => {
  const SHOWN = 10;
  const find = (id) => document.getElementById(id);
  const made = (name, text, lang) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (lang) element.lang = lang;
    return element;
  };
  const call = (one) => {
    const to = made("span");
    to.className = "to";
    const way = made("span", "→");
    way.className = "way";
    way.setAttribute("aria-hidden", "true");
    const small = made("small", "番窓口 ");
    small.append(made("span", "Counter", "en"));
    to.append(way, " ", made("b", one.counter), " ", small);
    const item = made("li");
    item.append(made("strong", one.ticket), " ", to);
    return item;
  };
  const place = (one) => {
    const text = one.minutes === null ? "–" : `約${one.minutes}分 `;
    const wait = made("span", one.is_paused ? "中断 " : text);
    if (one.is_paused) wait.append(made("small", "paused", "en"));
    else if (one.minutes !== null) wait.append(made("small", "min", "en"));
    const item = made("li");
    item.append(made("strong", one.ticket), " ", wait);
    return item;
  };
  const NAMES = {
    card_issuance: ["カード交付", "cards"],
    certificate_renewal: ["電子証明書の手続", "certificates"],
  };
  const IN_JAPAN = new Intl.DateTimeFormat("ja-JP", {
    timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit",
  });
  const stop = (stopped, ends) => {
    const known = stopped.length > 0 && stopped.every((one) => ends[one]);
    find("until").hidden = !known;
    const last = stopped.map((one) => ends[one]).sort().at(-1);
    if (known) find("until-at").textContent = IN_JAPAN.format(new Date(last));
    find("stopped").hidden = stopped.length === 0;
    find("stopped-ja").textContent = stopped.map((one) => NAMES[one][0]).join("・");
    find("stopped-en").textContent = stopped.map((one) => NAMES[one][1]).join(", ");
  };
  let calls = "";
  const show = (board) => {
    const told = JSON.stringify(board.called);
    // Only a change of calls is announced; waiting times change all the time.
    if (told !== calls) find("called").replaceChildren(...board.called.map(call));
    calls = told;
    find("waiting").replaceChildren(...board.waiting.slice(0, SHOWN).map(place));
    find("count").textContent = board.waiting.length;
    stop(board.stopped, board.stopped_until);
  };
  const stream = new EventSource(document.body.dataset.stream);
  stream.addEventListener("board", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("open", () => { find("lost").hidden = true; });
  stream.addEventListener("error", () => { find("lost").hidden = false; });
})();

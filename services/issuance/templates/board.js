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
  const inJapan = (language, parts) => {
    const form = new Intl.DateTimeFormat(language, { timeZone: "Asia/Tokyo", ...parts });
    return (at) => form.format(at);
  };
  const time = inJapan("ja-JP", { hour: "2-digit", minute: "2-digit" });
  const day = inJapan("ja-JP", { month: "long", day: "numeric" });
  const dayEnglish = inJapan("en-US", { month: "short", day: "numeric" });
  const stop = (stopped, ends, date) => {
    const known = stopped.length > 0 && stopped.every((one) => ends[one]);
    find("until").hidden = find("until-en").hidden = !known;
    if (known) {
      const last = new Date(Math.max(...stopped.map((one) => Date.parse(ends[one]))));
      const today = day(last) === day(new Date(`${date}T12:00:00+09:00`));
      find("until-at").textContent = today ? time(last) : `${day(last)} ${time(last)}`;
      find("until-at-en").textContent = today ? time(last) : `${dayEnglish(last)}, ${time(last)}`;
    }
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
    stop(board.stopped, board.stopped_until, board.date);
  };
  const PATIENCE_MS = 3000;
  const listen = () => {
    const stream = new EventSource(document.body.dataset.stream);
    stream.addEventListener("board", (event) => show(JSON.parse(event.data)));
    stream.addEventListener("open", () => { find("lost").hidden = true; });
    stream.addEventListener("error", () => {
      find("lost").hidden = false;
      // A browser tries again what broke off, but not what was refused: nobody reloads a wall.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, PATIENCE_MS);
    });
  };
  listen();
})();

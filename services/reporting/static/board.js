"use strict";
(() => {
  // Charts are drawn from the figures that the page brings; the tables beside them need no script.
  const parts = new Map();
  const PATIENCE_MS = 3000;
  const themed = (value, style, room) => {
    if (typeof value === "string") {
      const name = /^var\((--[a-z-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((each) => themed(each, style, room));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => {
        // On a telephone long names would leave the bars no room,
        if (k === "labelLimit") return [k, Math.min(v, room * 0.32)];
        // and beside them a legend of two columns would be cut off.
        const narrow = k === "legend" && v?.columns && room < 420;
        return [k, themed(narrow ? { ...v, columns: 1 } : v, style, room)];
      }));
    }
    return value;
  };
  const draw = async (root) => {
    const style = getComputedStyle(document.documentElement);
    const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    for (const source of root.querySelectorAll("script.chart")) {
      const place = document.getElementById(source.dataset.place);
      const spec = themed(JSON.parse(source.textContent), style, place.clientWidth);
      try {
        // Without `ast` the library would need eval, which the page's policy refuses.
        await vegaEmbed(place, spec, {
          ast: true, actions: false, defaultStyle: false, tooltip: false, renderer: "svg",
        });
        // The place says in words what is drawn; the drawing's own words would only be a muddle.
        place.querySelector("svg").setAttribute("aria-hidden", "true");
        place.dataset.drawn = scheme;
      } catch (error) {
        console.error("a chart could not be drawn", error);
      }
    }
  };
  const remember = () => {
    for (const part of document.querySelectorAll("[data-part]")) {
      parts.set(part.id, part.innerHTML);
    }
  };
  const replace = async (shown, html) => {
    // Who reads at the far end of a table, or stands on a button, stays there.
    const moved = () => [...shown.querySelectorAll(".scroll")];
    const places = () => [...shown.querySelectorAll("a, button, [tabindex]")];
    const lefts = moved().map((each) => each.scrollLeft);
    const name = (each) => each.form?.getAttribute("action") ?? String(places().indexOf(each));
    const at = shown.contains(document.activeElement) ? name(document.activeElement) : null;
    // Charts that are about to be drawn again keep their height meanwhile: nothing jumps.
    const heights = new Map(
      [...shown.querySelectorAll(".plot")].map((each) => [each.id, each.offsetHeight]));
    shown.innerHTML = html;
    for (const plot of shown.querySelectorAll(".plot")) {
      if (heights.has(plot.id)) plot.style.minHeight = `${heights.get(plot.id)}px`;
    }
    await draw(shown);
    for (const plot of shown.querySelectorAll(".plot")) plot.style.minHeight = "";
    moved().forEach((each, number) => { each.scrollLeft = lefts[number] ?? 0; });
    if (at !== null) places().find((each) => name(each) === at)?.focus({ preventScroll: true });
  };
  const refresh = async () => {
    let answer;
    try {
      answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    } catch {
      return false;
    }
    // To sign in again. What cannot be had just now leaves the figures where they are.
    if (answer.redirected) location.reload();
    if (answer.redirected || !answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-part]")) {
      const shown = document.getElementById(fresh.id);
      if (!shown) { location.reload(); return false; }
      if (fresh.innerHTML === parts.get(fresh.id)) continue;
      parts.set(fresh.id, fresh.innerHTML);
      await replace(shown, fresh.innerHTML);
    }
    document.body.dataset.version = page.body.dataset.version;
    return true;
  };
  let stream = null;
  const again = async (closed) => {
    if (stream !== closed) return;
    if (await refresh()) listen();
    else setTimeout(again, PATIENCE_MS, closed);
  };
  const listen = () => {
    const { live, version } = document.body.dataset;
    stream = new EventSource(`${live}${live.includes("?") ? "&" : "?"}version=${version}`);
    stream.addEventListener("changed", refresh);
    stream.addEventListener("open", () => { document.getElementById("lost").hidden = true; });
    stream.addEventListener("error", ({ target }) => {
      document.getElementById("lost").hidden = false;
      // A browser tries again what broke off, but not what was refused.
      if (target.readyState === EventSource.CLOSED) setTimeout(again, PATIENCE_MS, target);
    });
  };
  const follow = (wanted) => {
    sessionStorage.setItem("live", wanted ? "yes" : "no");
    if (stream) { stream.close(); stream = null; }
    if (wanted) { refresh(); listen(); }
  };
  document.addEventListener("DOMContentLoaded", async () => {
    remember();
    const box = document.getElementById("live");
    if (box) {
      box.checked = sessionStorage.getItem("live") !== "no";
      box.addEventListener("change", () => follow(box.checked));
      if (box.checked) listen();
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(document));
    await draw(document);
    document.body.dataset.ready = "yes";
  });
})();

"use strict";
// What is typed into the form of an activity is never lost: kept on this device while typing, on the server every
// 20 s, sent again when the network or the session is back. One form key is one record, so sending again is harmless.
(() => {
  const page = () => document.querySelector("[data-keeping]");
  const form = () => document.getElementById("ghi-hoat-dong");
  if (!page()) return;
  const user = page().dataset.user, EXPIRED = "expired";
  const NOT_CONTENT = ["csrfmiddlewaretoken", "luu", "q", "tim-don-vi", "them-chi-so"];
  let touched = false, sending = false, keeping = null, problem = "", timer;

  // --- On this device: {at, address, action, title, fields, version, dirty, waiting, luu, refused, dropped} ---
  const unsaved = {};  // what the device had no room for: newer than what it holds
  let isFull = false;
  const nameOf = (key) => `nhap:${user}:${location.pathname}:${key}:v1`;
  const keyOf = (name) => name.split(":")[3];
  const current = () => form() && nameOf(form().elements.form_key.value);
  function read(name) {
    try { return unsaved[name] || JSON.parse(localStorage.getItem(name)); } catch { return null; }
  }
  function write(name, more) {
    unsaved[name] = { ...read(name), ...more };
    try { localStorage.setItem(name, JSON.stringify(unsaved[name])); } catch { isFull = true; return; }
    delete unsaved[name];
    isFull = false;
  }
  function forget(name) {
    delete unsaved[name];
    try { localStorage.removeItem(name); } catch { /* it was never there */ }
  }
  function all() {
    let names = Object.keys(unsaved);
    try { names = names.concat(Object.keys(localStorage)); } catch { /* memory only */ }
    const mine = [...new Set(names)].filter((name) => name.startsWith(`nhap:${user}:`) && name.endsWith(":v1"));
    return mine.map((name) => [name, read(name)]).filter(([, one]) => one).sort((a, b) => b[1].at - a[1].at);
  }

  function note() {
    clearTimeout(timer);
    if (!form() || !touched) return;
    const it = form(), name = current(), old = read(name);
    const fields = [...new FormData(it)].filter(([key, text]) => typeof text === "string" && !NOT_CONTENT.includes(key));
    if (!old || JSON.stringify(fields) !== JSON.stringify(old.fields)) {
      if (!old) hold(keyOf(name));
      const kind = it.querySelector("[name=kind]:checked + label");
      write(name, {
        fields, at: Date.now(), address: location.pathname + location.search, action: location.pathname,
        title: (it.elements.title && it.elements.title.value) || (kind && kind.textContent) || "Hoạt động",
        version: old ? old.version : Number(page().dataset.version), dirty: true, waiting: false, refused: false,
      });
    }
    tell();
  }

  // --- Words ---
  const clock = (at) => new Date(at).toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit" });
  function tell() {
    const one = current() && read(current()), line = page().querySelector("[data-keeping-state]");
    let text = "";
    if (one && isFull) text = `Không lưu được trên máy này${one.dirty ? "" : "; đã lưu trên máy chủ"}.`;
    else if (one && problem) text = `Đang chờ mạng. Đã lưu trên máy lúc ${clock(one.at)}.`;
    else if (one) text = `Đã lưu trên ${one.dirty ? "máy" : "máy chủ"} lúc ${clock(one.at)}.`;
    if (line.textContent !== text) line.textContent = text;
  }
  function make(tag, looks, text, ...inside) {
    const one = document.createElement(tag);
    one.className = looks;
    one.append(text, ...inside.flatMap((each) => [" ", each]));
    return one;
  }
  function button(text, act) {
    const one = make("button", "btn btn-outline-secondary", text);
    one.type = "button";
    one.addEventListener("click", act);
    return one;
  }
  function link(text, address) {
    const one = make("a", "btn btn-outline-secondary", text);
    one.href = address;
    return one;
  }
  function say(text, ...controls) {
    const place = page().querySelector("[data-keeping-said]"), box = make("div", "banner banner-warning", text || "");
    if (controls.length) box.append(make("div", "mt-2", "", ...controls));
    if (place.innerHTML !== box.outerHTML) place.replaceChildren(...(text ? [box] : []));
  }
  const open = (name) => `${read(name).action}?mo=${keyOf(name)}`;
  function list() {
    const listed = all().filter(([name, one]) => one.waiting || one.refused || (!form() && !one.dropped
      && !document.querySelector(`[data-draft="${keyOf(name)}"]`)));
    const count = listed.filter(([, one]) => one.waiting).length;
    const words = (one) => one.waiting ? "" : one.refused ? "Cần sửa rồi gửi lại: " : "Đang nhập dở: ";
    const rows = listed.map(([name, one]) => make("li", "mb-2", `${words(one)}${one.title}, ${clock(one.at)}`,
      ...(name === current() ? [] : [link("Mở", open(name))])));
    for (const place of document.querySelectorAll("[data-waiting-forms]")) {
      place.hidden = !listed.length;
      const box = make("div", "banner banner-warning", "", ...(count ? [make("strong", "", `Chờ gửi (${count})`)] : []),
        make("ul", "list-unstyled mb-0", "", ...rows), ...(count ? [button("Gửi ngay", resend)] : []));
      if (place.innerHTML !== box.outerHTML) place.replaceChildren(box);  // else the focus would be lost
    }
    tell();
  }

  // --- To the server ---
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  async function renew() {
    const answer = await fetch(page().dataset.token, { redirect: "manual", cache: "no-store" });
    const now = answer.ok && await answer.json();
    if (!now || String(now.user) !== user) return false;
    for (const one of document.querySelectorAll("[name=csrfmiddlewaretoken]")) one.value = now.token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": now.token }));
    return true;
  }
  // The answer, or EXPIRED; throws when the network or the server failed.
  async function ask(address, body, signal) {
    const post = () => fetch(address, {
      method: "POST", body, headers: { "X-CSRFToken": token(), "X-Keep": "1" },
      signal: signal || AbortSignal.timeout(60000),
    });
    let answer = await post();
    problem = "";
    if (answer.status === 403) {
      if (!await renew()) return EXPIRED;
      answer = await post();
    }
    if (answer.redirected && new URL(answer.url).pathname === page().dataset.login) return EXPIRED;
    if (answer.status >= 500 || answer.status === 429) throw new Error(answer.status);
    return answer;
  }
  document.addEventListener("keep:renew", (event) => { event.detail.answer = renew().catch(() => false); });
  const body = (fields, more) => new URLSearchParams([...fields, ...Object.entries(more || {})]);

  async function keep() {
    const name = current(), one = name && read(name);
    if (!one || !one.dirty || one.waiting || one.dropped || sending || keeping) return;
    keeping = new AbortController();
    try {
      const answer = await ask(page().dataset.keep, body(one.fields, { "phien-ban": one.version }), keeping.signal);
      const now = read(name);
      if (answer === EXPIRED) expired(name);
      else if (answer.status === 409) differs(name, await answer.json());
      else if (answer.ok && now) write(name, { version: (await answer.json()).version, dirty: now.at !== one.at });
    } catch { problem = sending ? problem : "net"; }
    keeping = null;
    tell();
  }
  function differs(name, server) {
    say(`Bản này vừa được nhập tiếp trên máy khác lúc ${server.at}.`,
      button("Dùng bản trên máy này", () => { say(); write(name, { version: server.version }); keep(); }),
      button("Dùng bản trên máy chủ", () => {
        touched = false;
        forget(name);
        location.assign(`${location.pathname}?ban-nhap=${keyOf(name)}`);
      }));
  }
  function expired(name) {
    const again = read(name).waiting ? "Đăng nhập lại và gửi" : "Đăng nhập lại";
    say("Phiên đã hết hạn – nội dung vẫn được giữ trên máy này.",
      link(again, `${page().dataset.login}?next=${encodeURIComponent(open(name))}`));
  }

  // `sent`: with files that still stand in the form; else what is kept.
  async function submit(name, sent, inFront) {
    const one = read(name);
    try {
      const answer = await ask(one.action, sent || body(one.fields, { luu: one.luu }));
      if (answer === EXPIRED) return expired(name);
      if (answer.status === 201) return done(name, one, answer.headers.get("Location"), inFront);
      write(name, { waiting: false, refused: !inFront });
      if (!inFront) return;
      if (![200, 409, 422].includes(answer.status)) {
        return say(`Máy chủ không nhận (mã ${answer.status}). Nội dung vẫn được giữ trên máy này.`);
      }
      touched = true;
      swap("main", await answer.text());
      scrollTo(0, 0);
      if (form() && name !== current()) forget(name);  // it goes on under a new key
      return "shown";
    } catch {
      problem = "net";
      if (inFront) say("Chưa gửi được. Nội dung được giữ trên máy này và tự gửi khi có mạng lại.");
    } finally { list(); }
  }
  function done(name, one, address, inFront) {
    forget(name);
    for (const [key, text] of one.fields) if (key === "thay-khoa") forget(nameOf(text));
    if (!inFront) return say(`Đã gửi: ${one.title}.`, link("Xem", address));
    touched = false;
    location.replace(address);
  }
  function swap(where, html) {
    htmx.swap(where, html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 }, { select: where });
  }
  async function resend() {
    for (const [name, one] of all()) if (one.waiting && !sending) await submit(name, null, name === current());
  }

  // Before app.js, which would send the page away.
  document.addEventListener("submit", async (event) => {
    const pressed = event.submitter;
    if (event.target !== form() || !pressed || !["gui", "nhap"].includes(pressed.value)) return;
    event.preventDefault();
    if (sending) return;
    sending = touched = true;
    if (keeping) keeping.abort();
    note();
    const name = current(), label = pressed.textContent, sent = new FormData(form());
    write(name, { waiting: true, refused: false, luu: pressed.value });
    const hasFiles = [...sent.values()].some((value) => value instanceof File && value.size);
    sent.delete("csrfmiddlewaretoken");
    sent.set("luu", pressed.value);
    pressed.textContent = "Đang gửi…";
    // What is said stands at the top of the form; the button is at its end.
    if (await submit(name, hasFiles ? sent : null, true) !== "shown") page().scrollIntoView({ block: "center" });
    pressed.textContent = label;
    sending = false;
  }, true);

  // --- Back to what was typed ---
  // Whether no other tab is in the middle of it. Held until this page is gone.
  const hold = (key) => new Promise((answer) => {
    if (!navigator.locks) return answer(true);
    navigator.locks.request(`nhap:${key}`, { ifAvailable: true }, (lock) => {
      answer(Boolean(lock));
      return lock && new Promise(() => {});
    });
  });
  async function restore(name) {
    const one = read(name);
    form().inert = true;
    try {
      const answer = await ask(location.pathname, body(one.fields));
      if (!answer.ok) throw new Error(answer.status);
      swap("#ghi-hoat-dong", await answer.text());
      touched = true;
      write(name, { dropped: 0 });
      say(`Đã khôi phục nội dung đang nhập lúc ${clock(one.at)}.`, button("Bỏ, ghi mới", () => drop(name)));
    } catch {
      say("Chưa khôi phục được nội dung đang nhập; nó vẫn được giữ trên máy này.",
        button("Thử lại", () => restore(name)));
    }
    form().inert = false;
    list();
  }
  async function drop(name) {
    touched = false;
    const one = read(name);
    write(name, { dropped: Date.now(), version: 0, dirty: true });
    if (one.version) await ask(`${page().dataset.keep}${keyOf(name)}/bo/`, body([])).catch(() => {});
    location.assign(location.pathname);
  }
  // “Bỏ” in a list of drafts: what this device keeps of it is dropped too.
  document.addEventListener("submit", (event) => {
    const named = all().filter(([name]) => keyOf(name) === event.target.dataset.drops);
    for (const [name] of named) write(name, { dropped: Date.now(), version: 0, dirty: true });
  });
  async function start() {
    for (const [name, one] of all()) {
      if (Date.now() - (one.dropped || one.at) > (one.dropped ? 600e3 : 90 * 864e5)) forget(name);
    }
    list();
    const wanted = new URLSearchParams(location.search).get("mo"), asked = wanted && nameOf(wanted);
    if (asked && read(asked) && read(asked).waiting) await submit(asked, null, true);
    else if (form()) await reopen(asked);
    await resend();
  }
  async function reopen(asked) {
    const own = current(), version = Number(page().dataset.version);
    if ("filled" in page().dataset) {
      const one = version && read(own);
      if (one && one.dirty && one.version === version) return restore(own);
      if (one && one.dirty) return differs(own, { version, at: "gần đây" });
      if (one) forget(own);
      return;
    }
    const here = all().filter(([name, one]) => one.action === location.pathname && !one.waiting);
    for (const [name, one] of here) {
      if (one.dropped ? name !== asked : asked && name !== asked) continue;
      if (!asked && location.search && one.address !== location.pathname + location.search) {
        return say(`Có nội dung đang nhập dở lúc ${clock(one.at)}: ${one.title}.`, link("Tiếp tục", open(name)));
      }
      if (await hold(keyOf(name))) return restore(name);
    }
    const dropped = here.find(([, one]) => one.dropped);
    if (dropped) say(`Đã bỏ nội dung nhập dở lúc ${clock(dropped[1].at)}.`, link("Lấy lại", open(dropped[0])));
  }

  function typed(event) {
    if (!event.target.closest || !event.target.closest("#ghi-hoat-dong")) return;
    touched = true;
    clearTimeout(timer);
    timer = setTimeout(note, 400);
  }
  document.addEventListener("input", typed);
  document.addEventListener("change", typed);
  document.addEventListener("htmx:afterSwap", note);
  document.addEventListener("evidence:changed", () => { touched = true; note(); });
  // The browser may close this page while the camera is open.
  document.addEventListener("click", (event) => { if (event.target.type === "file") { touched = true; note(); } }, true);
  document.addEventListener("visibilitychange", note);
  document.addEventListener("keep:forget", () => { touched = false; });
  addEventListener("storage", (event) => { if (event.key === current() && !event.newValue) touched = false; });
  addEventListener("pagehide", note);
  addEventListener("online", () => { resend(); keep(); });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 401 || !current()) return;
    document.querySelector("main [role=status]").replaceChildren();
    touched = true;
    note();
    expired(current());
  });
  setInterval(() => { resend(); keep(); }, 20000);
  start();
})();

/* Progressive enhancement only: every page works without this file. No inline handlers, CSP-safe. */
(() => {
  const root = document.documentElement;
  const $ = (s, el = document) => el.querySelector(s);
  const $$ = (s, el = document) => [...el.querySelectorAll(s)];
  root.classList.add("js");

  // The theme button is a form that works by itself; here it saves the page from being loaded again,
  // so that words typed into another form are kept.
  const themes = ["", "light", "dark"];
  document.addEventListener("submit", e => {
    if (!e.target.matches("[data-theme-form]")) return;
    e.preventDefault();
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % 3];
    next ? root.dataset.theme = next : delete root.dataset.theme;
    const button = $("button", e.target);
    button.setAttribute("aria-label", `Theme: ${next || "system"}. Change`);
    fetch(e.target.action, { method: "POST", body: new FormData(e.target), redirect: "manual" });
  });

  // A form that is on its way is not sent twice by a double click.
  const sent = new WeakSet();
  document.addEventListener("submit", e => {
    if (e.defaultPrevented || e.target.method !== "post") return;
    sent.has(e.target) ? e.preventDefault() : sent.add(e.target);
    setTimeout(() => sent.delete(e.target), 2000);
  });

  // Single keys can be turned off in the ? dialog (WCAG 2.1.4); the choice stays in this browser.
  const kept = name => ({
    get: k => { try { return window[name].getItem(k); } catch { return null; } },
    set: (k, v) => { try { window[name].setItem(k, v); } catch { /* private mode */ } },
  });
  const store = kept("localStorage"), tab = kept("sessionStorage");
  const singleKeys = $("#single-keys");
  if (singleKeys) {
    singleKeys.checked = store.get("single-keys") !== "off";
    singleKeys.addEventListener("change", () => store.set("single-keys", singleKeys.checked ? "on" : "off"));
  }

  // Dialogs and menus.
  document.addEventListener("click", e => {
    if (e.target.closest("[data-keys]")) $("#keys")?.showModal();
    if (e.target.closest("[data-close]")) e.target.closest("dialog")?.close();
    $$("details.menu[open]").forEach(d => d.contains(e.target) || d.removeAttribute("open"));
  });

  // Folded on narrow screens, open without JavaScript.
  const fold = () => {
    if (matchMedia("(max-width: 59.99rem)").matches) $$("[data-fold]").forEach(d => d.removeAttribute("open"));
  };
  fold();
  // A link into a fold opens it, where the browser does not do so by itself.
  const named = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; } };
  const open = () => {
    const place = document.getElementById(named());
    const folds = place ? $$("details").filter(one => !one.open && one.contains(place)) : [];
    folds.forEach(one => { one.open = true; });
    if (folds.length) place.scrollIntoView();
  };
  open();
  addEventListener("hashchange", open);
  document.addEventListener("click", e => { // the same address again is no change
    if (e.target.closest("a")?.hash === location.hash && location.hash) open();
  });
  // Beside the reader the task shows the place that one came from, and goes back to.
  const leave = $("[data-leave]");
  if (leave && matchMedia("(min-width: 60rem)").matches) {
    addEventListener("load", () => $(leave.hash)?.scrollIntoView({ block: "center" }));
  }
  // New results: the box says what was asked for, and on a narrow screen the filters stay open, for they are in use.
  // A screen reader is told by a line that stays, for what comes anew with the results is not always read out.
  const said = $("[data-said]");
  const tell = () => {
    const count = $("#found [data-count]")?.textContent;
    if (said && count && said.textContent !== count) said.textContent = count;
  };
  tell();
  document.addEventListener("htmx:afterSettle", () => {
    tell();
    const asked = $("#found [name=q]"), box = $("[data-search]");
    if (asked && box && box !== document.activeElement) box.value = asked.value;
  });

  // One polite line over the page, until something is answered or Esc is pressed.
  const toast = $("[data-toast]");
  const say = (words, link, address) => {
    const box = Object.assign(document.createElement("div"), { className: "toast" }), line = document.createElement("p");
    line.append(words);
    if (link) line.append(Object.assign(document.createElement("a"), { href: address, textContent: link }), ".");
    box.append(line);
    toast.replaceChildren(box);
  };
  const typed = form => $$("textarea, input:not([type=hidden], [type=radio], [type=checkbox], [type=range])", form)
    .some(field => field.value !== field.defaultValue);
  // What could not be sent stays as it was typed, and one line says why. Who is signed out meanwhile is led to the
  // sign-in, unless typed words would be lost by it.
  const failed = e => {
    const asked = e.target.closest?.("[data-asked]"); // a service outside, which has a line of its own to say so
    if (asked) { $("span", asked).textContent = "could not be asked."; return; }
    const { xhr, requestConfig } = e.detail, signIn = xhr.status === 401 && xhr.getResponseHeader("Location");
    if (signIn && requestConfig.triggeringEvent?.type === "submit" && !typed(e.target)) location.assign(signIn);
    else if (signIn) say("You are signed out. Copy what you typed, then ", "sign in again", signIn);
    else if (xhr.status === 404) say("What this belongs to is no longer there. What you typed still stands here.");
    else if (xhr.status >= 500) say("Something broke here. What you typed still stands: try again in a moment.");
    else if (xhr.status) say("That was not taken. Copy what you typed, then ", "load the page anew", location.href);
    else say("There is no connection. What you typed still stands: try again in a moment.");
  };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(name, failed);
  document.addEventListener("htmx:afterRequest", e => { if (e.detail.successful) toast.replaceChildren(); });

  // What takes longer than a moment says so, in words that are read out; nothing flickers where it does not.
  document.addEventListener("htmx:beforeRequest", e => {
    const form = e.target, line = form.matches("form") && $("[data-waiting]", form);
    if (!line) return;
    clearTimeout(line.wait);
    line.wait = setTimeout(() => {
      line.textContent = line.dataset.waiting;
      form.classList.add("is-waiting"); // not aria-busy: what is busy is not read out, its line neither
    }, 300);
  });
  document.addEventListener("htmx:afterRequest", e => {
    const form = e.detail.elt, line = form.matches("form") && $("[data-waiting]", form);
    if (!line) return;
    clearTimeout(line.wait);
    line.textContent = "";
    form.classList.remove("is-waiting");
  });

  // A slider says its step in words while it moves.
  document.addEventListener("input", e => {
    const words = e.target.dataset?.words?.split("|")[e.target.value];
    if (!words) return;
    e.target.setAttribute("aria-valuetext", words);
    $$(`output[for="${e.target.id}"]`).forEach(out => { out.textContent = words; });
  });

  // What is selected goes along to the form that starts a task, where it can be changed or left out. It goes through
  // this tab and in no address: addresses are logged.
  const context = $("#id_context"), words = tab.get("selected");
  tab.set("selected", "");
  if (context && words && !context.value) {
    context.value = words;
    context.closest("details").open = true;
  }
  let selected = "";
  for (const name of ["pointerdown", "keydown"]) { // a click on a link ends the selection
    document.addEventListener(name, () => { selected = String(getSelection()).trim(); }, true);
  }
  document.addEventListener("click", e => {
    if (e.target.closest("[data-start]") && !e.ctrlKey && !e.metaKey) tab.set("selected", selected);
  });

  // Keyboard: / j k Enter b t ? Esc.
  const items = () => $$("[data-item]");
  const current = () => $("[data-item].is-current"); // as the page has it: more may arrive below while one reads
  const go = step => {
    const list = items();
    if (!list.length) return;
    const at = Math.max(0, Math.min(list.length - 1, list.indexOf(current()) + step));
    list.forEach((el, i) => el.classList.toggle("is-current", i === at));
    $("[data-main]", list[at])?.focus({ preventScroll: true });
    list[at].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", e => {
    if ((e.ctrlKey || e.metaKey) && e.key === "Enter" && e.target.matches("[data-send]")) {
      e.preventDefault();
      return e.target.form.requestSubmit();
    }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target.closest("input:not([type=radio],[type=checkbox],[type=range]), textarea, select");
    if (e.key === "Escape") {
      const menu = $("details.menu[open]");
      if (menu) { menu.removeAttribute("open"); $("summary", menu).focus(); }
      else if (typing) typing.blur();
      else if (!$("dialog[open]") && !toast.hasChildNodes()) $("[data-leave]")?.click();
      return toast.replaceChildren();
    }
    if (typing || $("dialog[open]") || singleKeys?.checked === false) return;
    const act = {
      "/": () => { const box = $("[data-search]"); box?.focus(); box?.select(); },
      "?": () => $("#keys")?.showModal(),
      j: () => go(1),
      k: () => go(-1),
      b: current() && $("[data-beside]", current()) && (() => $("[data-beside]", current()).click()),
      t: () => (current() && $("[data-start]", current()) || $("[data-start]"))?.click(),
      Enter: document.activeElement === document.body && current() && (() => $("[data-main]", current())?.click()),
    }[e.key];
    if (act) { e.preventDefault(); act(); }
  });
})();

/* Suggestions under the search box: a combobox with a list, focus stays in the box. Without this file the box is as it was. */
(() => {
  const PAUSE = 120; // milliseconds of quiet before the server is asked
  const LONGEST = 200; // nobody completes a longer text
  const $ = (s, el = document) => el.querySelector(s);
  const $$ = (s, el = document) => [...el.querySelectorAll(s)];

  const start = form => {
    const box = $("[data-search]", form);
    const panel = document.createElement("div");
    const list = document.createElement("div");
    const told = document.createElement("p");
    panel.className = "typeahead";
    panel.hidden = true;
    list.id = `${box.id}-suggestions`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    panel.append(list);
    const foot = $("template", form);
    if (foot) panel.append(foot.content.cloneNode(true));
    told.className = "vh";
    told.setAttribute("role", "status");
    form.append(panel, told);
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    })) box.setAttribute(name, value);

    let at = -1; // which option is chosen
    let turn = 0; // rises with every question, and whenever the answer to the last one is no longer wanted
    let waiting = 0;
    let asked = null;
    const options = () => $$("[role=option]", list);
    const isOpen = () => !panel.hidden;

    const choose = place => {
      const all = options();
      at = all.length ? (place + all.length + 1) % (all.length + 1) : -1;
      if (at === all.length) at = -1; // beyond the last one is the box itself
      all.forEach((one, n) => one.setAttribute("aria-selected", String(n === at)));
      if (at < 0) return box.removeAttribute("aria-activedescendant");
      box.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    };
    const open = () => {
      panel.hidden = false;
      box.setAttribute("aria-expanded", "true");
    };
    const close = () => {
      turn++;
      clearTimeout(waiting);
      asked?.abort();
      choose(-1);
      panel.hidden = true;
      box.setAttribute("aria-expanded", "false");
      told.textContent = "";
    };
    const go = (option, elsewhere) => {
      const { url } = option.dataset;
      close();
      elsewhere ? window.open(url, "_blank", "noopener") : location.assign(url);
    };

    const ask = async () => {
      const mine = ++turn;
      asked?.abort();
      const text = box.value;
      if (!text.trim() || text.length > LONGEST) return close();
      asked = new AbortController();
      try {
        const answer = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: text })}`, {
          signal: asked.signal, headers: { "X-Requested-With": "fetch" },
        });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const found = await answer.text();
        if (mine !== turn) return; // an older keystroke's answer
        list.innerHTML = found;
        choose(-1);
        const count = options().length;
        if (!count || document.activeElement !== box) return close();
        open();
        told.textContent = `${count} suggestion${count > 1 ? "s" : ""}. Arrow down to choose.`;
      } catch {
        if (mine === turn) close(); // nobody waits for suggestions, nor is told that there are none
      }
    };
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, PAUSE);
    };

    box.addEventListener("input", e => {
      if (e.isComposing) return;
      turn++; // whatever is still on its way was asked for another text
      soon();
    });
    box.addEventListener("compositionend", soon);
    box.addEventListener("blur", close);
    form.addEventListener("submit", close);
    box.addEventListener("keydown", e => {
      if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
      const all = options();
      const act = {
        ArrowDown: () => isOpen() ? choose(at + 1) : ask(),
        ArrowUp: isOpen() && (() => choose(at < 0 ? all.length - 1 : at - 1)),
        Home: isOpen() && at >= 0 && (() => choose(0)),
        End: isOpen() && at >= 0 && (() => choose(all.length - 1)),
        Enter: isOpen() && at >= 0 && (() => go(all[at])),
        Escape: isOpen() && close,
      }[e.shiftKey ? "" : e.key];
      if (!act) return;
      e.preventDefault();
      e.stopPropagation(); // the first Escape closes the list, the second leaves the box
      act();
    });
    list.addEventListener("mousedown", e => e.preventDefault()); // the box keeps the focus
    list.addEventListener("click", e => {
      const option = e.target.closest("[role=option]");
      if (option) go(option, e.ctrlKey || e.metaKey);
    });
    addEventListener("pagehide", close); // the page may come back from the browser's memory as it was left
  };

  $$("form[data-suggest]").forEach(start);
})();

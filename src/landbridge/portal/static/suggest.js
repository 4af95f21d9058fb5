// Suggestions under the search box: the combobox pattern of ARIA 1.2. Without this file the page loses nothing else.
const box = document.getElementById("q");
if (box) {
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  const status = document.createElement("p");
  status.className = "quiet";
  status.setAttribute("role", "status");
  box.after(list);
  box.form.append(status);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions",
  })) box.setAttribute(name, value);
  list.setAttribute("aria-label", box.labels[0].textContent);

  const known = new Map();
  let timer, asking, at = -1;

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    at = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  const point = (to) => {
    const options = [...list.children];
    at = (to + options.length) % options.length;
    options.forEach((one, n) => one.setAttribute("aria-selected", String(n === at)));
    box.setAttribute("aria-activedescendant", options[at].id);
    options[at].scrollIntoView({ block: "nearest" });
  };
  const take = (option) => {
    box.value = option.dataset.text;
    close();
    box.focus();
  };
  const show = (found) => {
    list.replaceChildren(...found.map((one, n) => {
      const option = document.createElement("li");
      option.id = `suggestion-${n}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dir = "auto";
      option.dataset.text = one.text;
      option.textContent = one.text;
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
      return option;
    }));
    at = -1;
    box.removeAttribute("aria-activedescendant");
    list.hidden = !found.length;
    box.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = box.dataset.suggestions.replace("{n}", found.length);
  };
  const ask = async () => {
    const text = box.value.trim();
    asking?.abort();
    if (text.length < 2) return close();
    const address = `/api/v1/suggest?${new URLSearchParams({ q: text.slice(0, 80), kind: box.dataset.kind, lang: document.documentElement.lang })}`;
    if (!known.has(address)) {
      asking = new AbortController();
      try {
        const answer = await fetch(address, { signal: asking.signal });
        if (!answer.ok) return close();
        if (known.size > 200) known.clear();
        known.set(address, await answer.json());
      } catch { return; }
    }
    if (document.activeElement === box && box.value.trim() === text) show(known.get(address));
  };

  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") point(at + 1);
    else if (event.key === "ArrowUp") point(at < 0 ? -1 : at - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && at >= 0) take(list.children[at]);
    else return;
    event.preventDefault();
  });
}

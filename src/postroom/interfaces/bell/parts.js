/* global CSS_TEXT */
// What the parts of the screen are made of. Nothing is ever read as HTML.

/** An element. Of its properties `class`, `data` and what has a hyphen are attributes, `on…` are listeners. */
export function h(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key === "data") Object.assign(made.dataset, value);
    else if (key.includes("-") || key === "role" || key === "part" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Put these into an element, unless it says the same already: who is pressing on it keeps it under the pointer. */
export function fill(element, ...children) {
  const fresh = element.cloneNode(false);
  fresh.append(...children.filter(Boolean));
  if (!fresh.isEqualNode(element)) element.replaceChildren(...fresh.childNodes);
}

/** For those who do not see the screen. */
export const hidden = (text) => h("span", { class: "hidden" }, text);

export function icon(...paths) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" })) {
    made.setAttribute(key, value);
  }
  for (const d of paths) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    made.append(path);
  }
  return made;
}

export const BELL = ["M12 3a6 6 0 0 0-6 6v4l-2 3.5h16L18 13V9a6 6 0 0 0-6-6z", "M9.5 19.5a2.5 2.5 0 0 0 5 0"];
export const CROSS = ["M6 6l12 12M18 6L6 18"];

let sheet = null;

/** Our own styles, in a way that no content policy stands against. */
export function dress(root) {
  if ("adoptedStyleSheets" in root) {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS_TEXT);
    }
    root.adoptedStyleSheets = [sheet];
  } else root.prepend(h("style", {}, CSS_TEXT));
}

/** One deed after the other, so that none is lost and none overtakes another. */
export class Turns {
  #last = Promise.resolve();

  take(deed) {
    const done = this.#last.then(deed);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** A modal dialog. It gives the focus back to what had it, or to `orElse()` where that is gone. */
export class Modal {
  #before = null;
  #orElse;

  constructor({ name, labelledBy, orElse, closed = () => {} }) {
    this.#orElse = orElse;
    this.said = h("p", { class: "said", role: "status" });
    this.body = h("div", { class: "body" });
    this.element = h("dialog", { class: `dialog ${name}`, "aria-labelledby": labelledBy });
    this.element.addEventListener("click", (event) => {
      // What is clicked beside the dialog is the dialog itself, and outside of its box.
      if (event.target !== this.element) return;
      const box = this.element.getBoundingClientRect();
      const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!isInside && event.detail) this.close();
    });
    this.element.addEventListener("close", () => {
      const before = this.#before;
      this.#before = null;
      this.body.remove();
      closed();
      (before?.isConnected ? before : this.#orElse())?.focus();
    });
  }

  get isOpen() {
    return this.element.open;
  }

  open() {
    if (this.isOpen) return;
    const root = this.element.getRootNode();
    this.#before = root.activeElement ?? document.activeElement;
    this.say("");
    // While it is closed nothing of it is in the page: whoever looks for a label there finds the page's own.
    this.element.append(this.body);
    this.element.showModal();
  }

  close() {
    if (this.isOpen) this.element.close();
  }

  /** Politely, to those who see it and those who hear it. */
  say(text) {
    this.said.textContent = text;
  }
}

import { isOutstanding } from "./inbox.js";
import { CROSS, h, icon } from "./parts.js";
import { kindOf, momentOf, previewOf } from "./words.js";

// What is new, in a corner of the page: it stays for a while, and asks for nothing.

const STAYS_MS = 12_000;
const MOST = 3;

export class Toasts {
  #bell;
  #shown = new Map();

  constructor(bell) {
    this.#bell = bell;
    this.said = h("div", { class: "hidden", role: "status" });
    this.element = h("section", { class: "toasts", hidden: true });
    if ("showPopover" in HTMLElement.prototype) this.element.popover = "manual";
  }

  show(items) {
    const { words } = this.#bell;
    this.element.setAttribute("aria-label", words.toasts);
    if (items.length > MOST) this.#add("", words.manyNew(items.length), "", null);
    else for (const item of items) this.#of(item);
    this.say(items.length === 1 ? words.oneNew(this.#title(items[0])) : words.manyNew(items.length));
  }

  /** To those who hear the page. */
  say(text) {
    this.said.textContent = "";
    // Said twice, it is heard twice.
    setTimeout(() => (this.said.textContent = text), 50);
  }

  /** A short word that something was done. */
  tell(text) {
    this.#add("told", text, "", null);
    this.say(text);
  }

  /** What has been read or is gone needs no toast any more. */
  drop(id) {
    this.#shown.get(id)?.();
  }

  clear() {
    for (const remove of [...this.#shown.values()]) remove();
  }

  #title(item) {
    return item.sensitive ? this.#bell.words.discreet : kindOf(item, this.#bell.words);
  }

  #of(item) {
    const { words, lang } = this.#bell;
    const isAsking = isOutstanding(item);
    const text = item.sensitive ? words.discreetText : previewOf(item);
    const open = h(
      "button",
      { type: "button", class: "button", onclick: () => this.#bell.openOne(item.id) },
      isAsking ? words.confirm : words.open,
    );
    const when = h("time", { dateTime: item.createdDate }, momentOf(item.createdDate, words, lang));
    this.#add(item.id, this.#title(item), text, h("p", { class: "row" }, open, when), isAsking);
  }

  #add(key, title, text, more, stays = false) {
    this.#shown.get(key)?.();
    let timer;
    const remove = () => {
      clearTimeout(timer);
      this.#shown.delete(key);
      const hadFocus = toast.matches(":focus-within");
      toast.remove();
      if (hadFocus) this.#bell.button.focus();
      if (!this.#shown.size) this.#hide();
    };
    const wait = () => {
      clearTimeout(timer);
      if (!stays) timer = setTimeout(() => (toast.matches(":hover, :focus-within") ? wait() : remove()), STAYS_MS);
    };
    const hold = () => clearTimeout(timer);
    const close = h("button", { type: "button", class: "icon", "aria-label": this.#bell.words.close, onclick: remove }, icon(...CROSS));
    const toast = h(
      "div",
      { class: "toast", data: { id: key }, onmouseenter: hold, onmouseleave: wait, onfocusin: hold, onfocusout: wait },
      close,
      h("p", { class: "title" }, title),
      text && h("p", { class: "text" }, text),
      more,
    );
    this.#shown.set(key, remove);
    this.element.append(toast);
    while (this.#shown.size > MOST) this.#shown.values().next().value();
    this.element.hidden = false;
    if (this.element.popover && !this.element.matches(":popover-open")) this.element.showPopover();
    wait();
  }

  #hide() {
    if (this.element.popover && this.element.matches(":popover-open")) this.element.hidePopover();
    this.element.hidden = true;
  }
}

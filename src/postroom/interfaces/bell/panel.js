import { isOutstanding, whyOf } from "./inbox.js";
import { CROSS, h, hidden, icon, Modal, Turns } from "./parts.js";
import { audienceOf, decidedOf, kindOf, momentOf, previewOf } from "./words.js";

// The list of what is for the officer.

export class Panel extends Modal {
  #bell;
  #rows = new Map();
  #turns = new Turns();

  constructor(bell) {
    super({ name: "panel", labelledBy: "title", orElse: () => bell.button, closed: () => bell.render() });
    this.#bell = bell;
    const { words } = bell;
    this.heading = h("h2", { id: "title", tabIndex: -1 }, words.latest);
    this.filter = h(
      "select",
      { id: "filter", onchange: () => this.#show(this.filter.value) },
      Object.entries(words.filters).map(([value, text]) => h("option", { value }, text)),
    );
    this.markAll = this.#button(words.markAll, () => this.#markAll());
    this.list = h("ul", { class: "list" });
    this.nothing = h("p", { class: "quiet" });
    this.more = this.#button(words.more, () => this.#try(() => bell.inbox.more()));
    this.all = h("a", { class: "link" }, words.all);
    this.state = h("p", { class: "state" });
    this.popups = this.#button("", () => this.#turnPopups());
    this.popupsTold = h("p", { class: "quiet" });
    const close = h("button", { type: "button", class: "icon", "aria-label": words.close, onclick: () => this.close() }, icon(...CROSS));
    this.body.append(
      h("div", { class: "head" }, this.heading, close),
      this.state,
      this.said,
      h("div", { class: "row" }, h("label", { for: "filter" }, words.show), this.filter, this.markAll),
      h("div", { class: "scroll" }, this.list, this.nothing, h("p", { class: "row" }, this.more, this.all)),
      h("div", { class: "foot" }, this.popups, this.popupsTold),
    );
  }

  open() {
    this.render();
    super.open();
    this.heading.focus();
    this.#bell.render();
    this.#try(async () => {
      if (!this.#bell.inbox.isLoaded) await this.#bell.inbox.load();
      await this.#bell.inbox.markSeen();
    });
  }

  render() {
    const { inbox, words } = this.#bell;
    const focused = this.element.getRootNode().activeElement;
    const at = focused?.closest?.("li") && [...this.list.children].indexOf(focused.closest("li"));
    const items = inbox.items;
    const rows = new Map(items.map((item) => [item.id, this.#row(item)]));
    this.#rows = rows;
    let place = this.list.firstChild;
    for (const { element } of rows.values()) {
      if (element === place) place = place.nextSibling;
      else this.list.insertBefore(element, place);
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
    this.list.hidden = !items.length;
    this.nothing.hidden = items.length > 0;
    this.nothing.textContent = !inbox.isLoaded ? words.loading : inbox.filter === "all" ? words.nothing : words.nothingFits;
    this.more.hidden = !inbox.cursor;
    this.markAll.hidden = !inbox.unread?.number;
    this.all.hidden = !this.#bell.pages;
    if (this.#bell.pages) this.all.href = this.#bell.pages;
    this.state.textContent = this.#bell.stateText;
    this.#renderPopups();
    this.#keepFocus(focused, at);
  }

  /** What had the focus was made anew, or is gone: it goes to the same thing, or to what is there now. */
  #keepFocus(focused, at) {
    if (!this.isOpen || !focused || !this.element.contains(focused) === focused.isConnected) return;
    if (focused.isConnected && !focused.closest("[hidden]")) return;
    const same = focused.dataset.key && this.list.querySelector(`[data-key="${focused.dataset.key}"]`);
    const next = this.list.children[Math.min(at ?? 0, this.list.children.length - 1)]?.querySelector("button");
    (same || (at === undefined ? null : next) || this.heading).focus();
  }

  #row(item) {
    const known = this.#rows.get(item.id);
    if (known?.item === item) return known;
    const { words, lang, me } = this.#bell;
    const preview = previewOf(item);
    const key = (what) => ({ key: `${item.id} ${what}` });
    const name = `${kindOf(item, words)}${preview && `: ${preview}`}`;
    const isAsking = isOutstanding(item) || (item.requireAction && !item.isReadStatus);
    const act = (what, text) =>
      h("button", { type: "button", class: "small", data: key(what), onclick: () => this.#act(item.id, what) }, text, hidden(` ${name}`));
    const element = h(
      "li",
      { class: item.isReadStatus ? "item" : "item unread", data: { id: item.id } },
      h(
        "h3",
        {},
        h("button", { type: "button", class: "open", data: key("open"), onclick: () => this.#bell.openOne(item.id) }, !item.isReadStatus && hidden(`${words.isUnread} `), name),
      ),
      h(
        "p",
        { class: "facts" },
        isOutstanding(item) && h("strong", { class: "tag" }, words.needsAction),
        [momentOf(item.createdDate, words, lang), audienceOf(item, words), decidedOf(item, words, lang, me)].filter(Boolean).join(" · "),
      ),
      h(
        "p",
        { class: "row" },
        isAsking && h("button", { type: "button", class: "button", data: key("confirm"), onclick: () => this.#bell.openOne(item.id) }, words.confirm, hidden(` ${name}`)),
        !isAsking && !item.isReadStatus && act("IsRead", words.read),
        (item.isReadStatus || item.isArchived) && act("IsUnread", words.unread),
        !isOutstanding(item) && !item.isArchived && act("Archived", words.archive),
      ),
    );
    // What says the same stays: who is pressing on it keeps it under the pointer.
    return { item, element: known?.element.isEqualNode(element) ? known.element : element };
  }

  #act(id, what) {
    const { inbox, words } = this.#bell;
    return this.#try(async () => {
      await inbox.act(id, what);
      this.say(words.done[what]);
    });
  }

  #markAll() {
    const { inbox, words } = this.#bell;
    return this.#try(async () => {
      await inbox.markAll();
      this.say(words.markedAll);
    });
  }

  #show(filter) {
    return this.#try(async () => {
      await this.#bell.inbox.show(filter);
      await this.#bell.inbox.markSeen();
    });
  }

  #try(deed) {
    return this.#turns.take(async () => {
      try {
        await deed();
      } catch (error) {
        this.say(whyOf(error, this.#bell.words));
      }
      this.#bell.render();
    });
  }

  async #turnPopups() {
    const { popups, words } = this.#bell;
    if (popups.state === "on") {
      await popups.turnOff();
      this.say(words.popupsAreOff);
    } else {
      const isOn = (await popups.turnOn()) === "on";
      this.say(!isOn ? words.popupsRefused : popups.isPushed ? words.popupsArePushed : words.popupsAreOn);
    }
    this.render();
  }

  #renderPopups() {
    const { popups, words } = this.#bell;
    const state = popups?.state ?? "unsupported";
    this.popups.hidden = state === "refused" || state === "unsupported";
    this.popups.textContent = state === "on" ? words.popupsOff : words.popupsOn;
    this.popupsTold.textContent = state === "refused" && !this.said.textContent ? words.popupsRefused : "";
  }

  #button(text, onclick) {
    return h("button", { type: "button", class: "small", onclick }, text);
  }
}

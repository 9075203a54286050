import { Problem } from "./calls.js";
import { isOutstanding, whyOf } from "./inbox.js";
import { CROSS, fill, h, hidden, icon, Modal, Turns } from "./parts.js";
import { audienceOf, decidedOf, kindOf, momentOf } from "./words.js";

// One notification, with all that it says, and what the officer confirms or decides about it.

const LONGEST_NOTE = 2000;

export class One extends Modal {
  #bell;
  #id = null;
  #item = null;
  #tag = null;
  #turns = new Turns();
  #isBusy = false;
  #isStale = false;
  #pressed = "";

  constructor(bell) {
    super({ name: "one", labelledBy: "one-title", orElse: () => bell.focusAfter(this.#id), closed: () => this.#closed() });
    this.#bell = bell;
    const { words } = bell;
    this.heading = h("h2", { id: "one-title", tabIndex: -1 });
    this.why = h("p", { class: "why", role: "alert" });
    this.text = h("p", { class: "message" });
    this.facts = h("p", { class: "facts" });
    this.follow = h("p", { class: "row" });
    this.note = h("textarea", { id: "note", rows: 3, maxLength: LONGEST_NOTE, "aria-describedby": "note-hint note-why" });
    this.noteWhy = h("p", { id: "note-why", class: "why" });
    this.decision = h(
      "fieldset",
      {},
      h("legend", {}, words.decision),
      h("label", { for: "note" }, words.note),
      h("p", { id: "note-hint", class: "quiet" }, words.noteHint),
      this.noteWhy,
      this.note,
      h("p", { class: "row" }, this.#button(words.approve, "button", () => this.#decide("Approved")), this.#button(words.reject, "button other", () => this.#decide("Rejected"))),
    );
    this.own = h("p", { class: "row" });
    const close = h("button", { type: "button", class: "icon", "aria-label": words.close, onclick: () => this.close() }, icon(...CROSS));
    this.body.append(
      h("div", { class: "head" }, this.heading, close),
      h("div", { class: "scroll" }, this.said, this.why, this.text, this.facts, this.follow, this.own, this.decision),
    );
  }

  get id() {
    return this.isOpen ? this.#id : null;
  }

  async openOne(id) {
    this.#id = id;
    this.#item = this.#bell.inbox.get(id) ?? null;
    this.#tag = null;
    this.#isStale = false;
    this.note.value = "";
    this.#fault("");
    this.why.textContent = "";
    this.#render();
    this.open();
    this.heading.focus();
    await this.#try(async () => {
      await this.#load();
      if (this.#item.requireAction && !this.#item.isSeenStatus && !this.#item.endedAt) await this.#act("IsSeen", {});
      // What asks for nothing is read when it is opened; what does is confirmed by a deed of its own.
      if (!this.#item.requireAction && !this.#item.isReadStatus && !this.#item.endedAt) await this.#own("IsRead", "");
    });
  }

  /** Something changed: where it is what is shown here, it is shown as it is now, with the note that was begun. */
  changed(id) {
    if (id !== this.id) return;
    if (this.#isBusy) {
      this.#isStale = true;
      return;
    }
    this.#try(async () => {
      const before = this.#item?.performedActionDate;
      await this.#load();
      if (this.#item.performedActionDate !== before) this.say(this.#bell.words.changed);
    });
  }

  gone(id) {
    if (id === this.id) this.changed(id);
  }

  async #load() {
    const id = this.#id;
    const { item, tag } = await this.#bell.inbox.one(id);
    if (id !== this.#id) return;
    this.#item = item;
    this.#tag = tag;
    this.#render();
  }

  #render() {
    const { words } = this.#bell;
    const item = this.#item;
    this.heading.textContent = item ? kindOf(item, words) : words.kind;
    this.text.textContent = item ? item.message ?? "" : words.loading;
    this.decision.hidden = !item || !isOutstanding(item) || !this.#tag;
    fill(this.facts, ...(item ? this.#factsOf(item) : []));
    fill(this.follow, ...(item ? this.#waysOn(item) : []));
    fill(this.own, ...(item ? this.#deedsOf(item) : []));
  }

  #factsOf(item) {
    const { words, lang, me } = this.#bell;
    const decided = decidedOf(item, words, lang, me);
    return [
      isOutstanding(item) && h("strong", { class: "tag" }, words.needsAction),
      [momentOf(item.createdDate, words, lang), audienceOf(item, words)].filter(Boolean).join(" · "),
      decided && h("span", { class: "decided" }, decided, item.actionNote ? h("q", {}, item.actionNote) : ""),
      item.endedAt && h("strong", { class: "decided" }, words.ended[item.endedBy] ?? words.gone),
    ];
  }

  #waysOn(item) {
    const { words, pages } = this.#bell;
    return [
      /^https?:/i.test(item.followOnAction?.url ?? "") && this.#link(item),
      pages && h("a", { class: "link", href: `${pages}/${item.id}` }, words.details),
    ];
  }

  #deedsOf(item) {
    const { words } = this.#bell;
    if (!this.#tag || item.endedAt) return [];
    return [
      !item.isReadStatus && item.requireAction && this.#button(words.seen, "button", () => this.#deed("IsRead", words.done.seen)),
      !item.isReadStatus && !item.requireAction && this.#button(words.read, "small", () => this.#deed("IsRead")),
      (item.isReadStatus || item.isArchived) && this.#button(words.unread, "small", () => this.#deed("IsUnread")),
      !isOutstanding(item) && !item.isArchived && this.#button(words.archive, "small", () => this.#deed("Archived")),
    ];
  }

  /** On to what there is to do elsewhere; who goes there takes it up. */
  #link(item) {
    const { words, inbox } = this.#bell;
    const follow = () => {
      // Of what is open when it is pressed: a link that says the same stays, whatever else has changed.
      if (!this.#item?.performedActionType) inbox.act(this.#id, "Initiated", { keepalive: true }).catch(() => {});
    };
    const { url, label } = item.followOnAction;
    return h("a", { class: "button", href: url, target: "_blank", rel: "noopener noreferrer", onclick: follow }, label, hidden(` (${words.newTab})`));
  }

  #deed(what, told) {
    return this.#once(what, async () => {
      await this.#own(what, told);
      this.heading.focus();
    });
  }

  async #own(what, told = this.#bell.words.done[what]) {
    // What is one's own makes nothing stale but by what was seen: that it was seen so, is what is recorded.
    await this.#act(what, { tag: what === "IsRead" ? this.#tag : undefined });
    this.say(told);
  }

  #decide(what) {
    return this.#once(what, async () => {
      this.#fault("");
      await this.#act(what, { note: this.note.value.trim(), tag: this.#tag });
      this.note.value = "";
      this.say(this.#bell.words.done[what]);
      this.heading.focus();
    });
  }

  async #act(what, how) {
    const id = this.#id;
    const { item, tag } = await this.#bell.inbox.act(id, what, how);
    if (id !== this.#id) return;
    this.#item = item;
    this.#tag = tag;
    this.#render();
  }

  /** What a button does: pressed twice, it is done once. */
  async #once(what, deed) {
    if (this.#pressed === what) return;
    this.#pressed = what;
    this.why.textContent = "";
    await this.#try(deed);
    this.#pressed = "";
  }

  #try(deed) {
    const id = this.#id;
    return this.#turns.take(async () => {
      if (id !== this.#id) return;
      this.#isBusy = true;
      try {
        await deed();
        // What changed meanwhile is looked at again, so that what is acted on is what is shown.
        if (this.#isStale) await this.#load();
      } catch (error) {
        await this.#explain(error);
      }
      this.#isBusy = false;
      this.#isStale = false;
    });
  }

  async #explain(error) {
    if (error instanceof Problem && error.fields.actionNote) {
      this.#fault(error.fields.actionNote);
      this.note.focus();
      return;
    }
    const isStale = error instanceof Problem && (error.status === 409 || error.status === 412);
    if (isStale) await this.#load().catch(() => {});
    const why = isStale && error.status === 412 ? this.#bell.words.faster : whyOf(error, this.#bell.words);
    this.why.textContent = why;
    this.say("");
    if (isStale) this.heading.focus();
  }

  #fault(text) {
    this.noteWhy.textContent = text;
    if (text) this.note.setAttribute("aria-invalid", "true");
    else this.note.removeAttribute("aria-invalid");
  }

  #closed() {
    this.#item = null;
    this.#bell.render();
  }

  #button(text, kind, onclick) {
    return h("button", { type: "button", class: kind, onclick }, text);
  }
}

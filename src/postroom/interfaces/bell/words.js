/* global KINDS */
// What the bell says. A page may give its own words for any of these, by the property `wording`.

export const WORDS = {
  notifications: "Notifications",
  unreadCount: (count) => `${count} unread`,
  latest: "Your notifications",
  show: "Show",
  filters: { all: "Everything", unread: "Unread", action: "Needs action", archived: "Archived" },
  nothing: "There is nothing for you.",
  nothingFits: "Nothing fits this filter.",
  loading: "Loading…",
  more: "Show older ones",
  all: "See all",
  close: "Close",
  markAll: "Mark all as read",
  markedAll: "All are marked as read",
  read: "Mark as read",
  unread: "Mark as unread",
  archive: "Archive",
  confirm: "Look and confirm",
  open: "Open",
  seen: "I have seen it",
  approve: "Approve",
  reject: "Reject",
  note: "Note",
  noteHint: "Say why. Who asked is told, and it is kept.",
  decision: "Your decision",
  details: "What happened, and more you can do",
  newTab: "opens in a new tab",
  isUnread: "Unread",
  needsAction: "Needs action",
  forAudience: (audience) => `for ${audience}`,
  group: (name) => `the group ${name}`,
  patch: (name) => `the patch ${name}`,
  by: (action, who, when) => `${action} by ${who}, ${when}`,
  you: "you",
  actions: { Initiated: "Taken up", Approved: "Approved", Validate: "Validated", Rejected: "Rejected" },
  done: {
    IsRead: "Marked as read",
    IsUnread: "Marked as unread",
    Archived: "Archived",
    Approved: "You have approved it",
    Rejected: "You have rejected it",
    seen: "Recorded: you have seen it",
  },
  ended: { expired: "This has expired.", replaced: "A later notification has taken the place of this one." },
  gone: "This notification is not there any more.",
  changed: "This has changed since you opened it. Look at how it stands now.",
  faster: "Somebody changed this since you opened it. Look at how it stands now, then decide.",
  notSent: "Postroom cannot be reached. It may not have been recorded: try again.",
  wrong: "That did not work. Try again.",
  signedOut: "You are not signed in any more. Sign in again to go on.",
  offline: "You are offline. What is shown here may be old.",
  connecting: "Postroom cannot be reached now. What is shown here may be old.",
  toasts: "New notifications",
  oneNew: (kind) => `New: ${kind}`,
  manyNew: (count) => `${count} new notifications`,
  discreet: "A new notification",
  discreetText: "Open it to read it.",
  kind: "Notification",
  popupsOn: "Show popups on this computer",
  popupsOff: "Stop popups on this computer",
  popupsAreOn: "New notifications pop up on this computer while this page is open.",
  popupsArePushed: "New notifications pop up on this computer, whether a page is open or not.",
  popupsAreOff: "There will be no popups on this computer.",
  popupsRefused: "This browser does not let this page show popups. New notifications are shown here instead.",
  zone: "Europe/London",
};

/** The words, with those that somebody has chosen. */
export function wordsWith(chosen) {
  const words = { ...WORDS, ...chosen };
  for (const part of ["filters", "actions", "done"]) words[part] = { ...WORDS[part], ...chosen?.[part] };
  return words;
}

/** A target type as words: ThresholdBreached as Threshold breached, where it has no label. */
export function kindOf(item, words) {
  const name = item.targetType;
  if (!name) return words.kind;
  return words.kinds?.[name] ?? KINDS[name] ?? name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** The beginning of a message, for a list. */
export function previewOf(item, most = 120) {
  const line = (item.message ?? "").split(/\s+/).join(" ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1).trimEnd()}…`;
}

/** Whom it addresses, where that is not the reader alone. */
export function audienceOf(item, words) {
  const [, kind, name] = /^(group|patch):(.*)$/.exec(item.user ?? "") ?? [];
  return kind ? words.forAudience(words[kind](name)) : "";
}

export function momentOf(iso, words, lang) {
  const moment = new Date(iso);
  const said = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: words.zone };
  if (moment.getFullYear() !== new Date().getFullYear()) said.year = "numeric";
  try {
    return new Intl.DateTimeFormat(lang || "en-GB", said).format(moment);
  } catch {
    return new Intl.DateTimeFormat("en-GB", said).format(moment);
  }
}

/** What was decided about it, by whom and when; nothing where nobody has. */
export function decidedOf(item, words, lang, me) {
  if (!item.performedActionType) return "";
  const who = item.performedActionDoneBy === me ? words.you : item.performedActionDoneBy;
  const action = words.actions[item.performedActionType] ?? item.performedActionType;
  return words.by(action, who, momentOf(item.performedActionDate, words, lang));
}

export function countText(unread) {
  if (!unread?.number) return "";
  return unread.isExact && unread.number < 1000 ? String(unread.number) : `${Math.min(unread.number, 999)}+`;
}

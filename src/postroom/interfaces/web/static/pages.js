// What makes the pages better where scripts run. They work without.
import { initAll } from "./govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

const place = document.querySelector(".app-bell");
if (place) customElements.whenDefined("notification-bell").then(() => putBell(place));

/** The bell in place of the link to the list. What it calls the API with lasts for minutes, and is only ours. */
function putBell(link) {
  const { prefix, formToken } = document.body.dataset;
  const bell = document.createElement("notification-bell");
  bell.setAttribute("pages", `${prefix}/inbox`);
  bell.needToken = async () => {
    const body = new URLSearchParams({ token: formToken });
    const answer = await fetch(`${prefix}/inbox/token`, { method: "POST", body, redirect: "manual" });
    // That it cannot be had just now does not say that they have signed out.
    if (answer.status >= 500 || answer.status === 429) throw new TypeError(`it was answered ${answer.status}`);
    return answer.ok ? (await answer.json()).token : null;
  };
  if (document.body.dataset.pushKey) {
    const asked = (what) => async () => (await import("./popups.js")).ours[what]();
    bell.push = { state: asked("state"), subscribe: asked("subscribe"), unsubscribe: asked("unsubscribe") };
  }
  bell.addEventListener("unreadchange", ({ detail }) => showCount(detail.unread));
  link.replaceWith(bell);
}

/** The count in the menu, which the page came with, goes with the bell. */
function showCount(unread) {
  const link = document.querySelector('#navigation a[href$="/inbox"]');
  link?.querySelector(".app-count")?.remove();
  if (!link || !unread) return;
  const count = document.createElement("span");
  const what = document.createElement("span");
  count.className = "app-count";
  what.className = "govuk-visually-hidden";
  what.append(" unread");
  count.append(unread, what);
  (link.querySelector("strong") ?? link).append(" ", count);
}

if ("Notification" in window && Notification.permission === "granted" && document.body.dataset.pushKey) {
  import("./popups.js").then(({ confirm }) => confirm()).catch(() => {});
}

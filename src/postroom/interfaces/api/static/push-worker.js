// The service worker that shows popups while no page is open. A page's own worker takes it up by
//   self.postroom = { page: "https://front-end.example/notifications/{id}", icon: "/icon.png" }; // if other
//   importScripts("https://postroom.example/push-worker.js");
"use strict";

(() => {
  const chosen = self.postroom ?? {};
  const EVERYTHING = "postroom";

  // A push is encrypted for this browser alone: what it says comes from Postroom.
  const read = (event) => {
    try {
      return event.data?.json() ?? {};
    } catch {
      return {};
    }
  };

  const pageOf = (told) => {
    const page = chosen.page ? chosen.page.replace("{id}", told.id ?? "") : told.url;
    const url = new URL(page || "/", self.location.origin);
    return url.protocol === "https:" || url.origin === self.location.origin ? url.href : "/";
  };

  const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

  const count = async (unread) => {
    if (typeof unread !== "number") return;
    try {
      await (unread ? self.navigator.setAppBadge?.(unread) : self.navigator.clearAppBadge?.());
    } catch {
      // A browser that is not installed as an app has no badge.
    }
  };

  const show = async (told) => {
    await count(told.unread);
    const open = await pages();
    if (open.some((client) => client.focused)) {
      // Who looks at the page is told by it.
      for (const client of open) client.postMessage({ type: "postroom-push", notification: told });
      return;
    }
    await self.registration.showNotification(told.title || "New notifications", {
      body: told.body || "",
      tag: told.tag || EVERYTHING,
      icon: chosen.icon,
      requireInteraction: told.requireAction === true,
      data: { postroom: true, url: pageOf(told) },
    });
  };

  const open = async (url) => {
    const shown = (await pages()).find((client) => client.url === url);
    if (shown) return shown.focus();
    return self.clients.openWindow(url);
  };

  // The worker has no token: the page hands the new subscription in, now or when it is next open.
  const subscribeAgain = async (event) => {
    const former = event.oldSubscription ?? (await self.registration.pushManager.getSubscription());
    if (!event.newSubscription && former?.options) {
      const { applicationServerKey } = former.options;
      await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    }
    for (const client of await pages()) client.postMessage({ type: "postroom-subscription-changed" });
  };

  self.addEventListener("push", (event) => event.waitUntil(show(read(event))));

  self.addEventListener("notificationclick", (event) => {
    if (!event.notification.data?.postroom) return;
    event.notification.close();
    event.waitUntil(open(event.notification.data.url));
  });

  self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));
})();

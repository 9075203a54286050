// Popups while no page is open, for pages of any origin:
//   import { subscribe, unsubscribe, state, renew } from "https://postroom.example/push.js";
// Each takes { api, token, worker }: where Postroom is; an officer's token, or a function that gives one; and
// the address of a service worker of the page's own origin which takes up push-worker.js. `scope` is that
// worker's, where it is not its folder.

/** "unsupported", "denied", "off" or "on": whether popups come to this browser. */
export async function state(how) {
  if (!isSupported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return (await subscriptionOf(await registrationOf(how))) ? "on" : "off";
}

/** Ask for leave and subscribe this browser: call it in answer to a click. The state that it leaves. */
export async function subscribe(how) {
  if (!isSupported()) return "unsupported";
  // Asked first: a browser lets a page ask only right after a click.
  const answer = await Notification.requestPermission();
  if (answer !== "granted") return answer === "denied" ? "denied" : "off";
  const key = await keyOf(how);
  const registration = await ready(await navigator.serviceWorker.register(how.worker, optionsOf(how)));
  await hand(how, await subscribed(registration, key));
  return "on";
}

/** Push nothing more to this browser. */
export async function unsubscribe(how) {
  const subscription = await subscriptionOf(await registrationOf(how));
  if (!subscription) return state(how);
  const { endpoint } = subscription;
  await subscription.unsubscribe();
  await (how.remove ?? removeAt)(endpoint, how);
  return state(how);
}

/** Confirm the subscription that there is, when a page opens; without it popups end after 14 days. */
export async function renew(how) {
  if (!isSupported() || Notification.permission !== "granted") return state(how);
  const registration = await registrationOf(how);
  if (!(await subscriptionOf(registration))) return "off";
  await hand(how, await subscribed(registration, await keyOf(how)));
  return "on";
}

/** Renew whenever the worker says that the browser has another subscription; a function that ends that. */
export function keep(how) {
  const heard = (event) => {
    if (event.data?.type === "postroom-subscription-changed") renew(how).catch(() => {});
  };
  navigator.serviceWorker?.addEventListener("message", heard);
  return () => navigator.serviceWorker?.removeEventListener("message", heard);
}

function isSupported() {
  return isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

async function registrationOf(how) {
  if (!("serviceWorker" in navigator)) return undefined;
  const scope = how.scope ?? new URL(".", new URL(how.worker, location.href)).href;
  const found = await navigator.serviceWorker.getRegistration(scope);
  // A wider worker may answer for the scope, and have a subscription that is none of ours.
  return found && found.scope === new URL(scope, location.href).href ? found : undefined;
}

async function subscriptionOf(registration) {
  return (await registration?.pushManager.getSubscription()) ?? null;
}

function optionsOf({ scope }) {
  return { updateViaCache: "none", ...(scope && { scope }) };
}

/** The registration once its worker runs: a browser subscribes none before. */
async function ready(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  await new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the worker could not be installed"));
    });
  });
  return registration;
}

async function subscribed(registration, key) {
  const known = await subscriptionOf(registration);
  if (known && isFor(known, key)) return known;
  // Made with another key: Postroom's pushes would be refused.
  await known?.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
}

function isFor(subscription, key) {
  const theirs = new Uint8Array(subscription.options.applicationServerKey ?? []);
  const ours = bytesOf(key);
  return theirs.length === ours.length && theirs.every((byte, place) => byte === ours[place]);
}

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

async function keyOf(how) {
  return how.publicKey ?? (await call(how, "GET", "/push")).publicKey;
}

async function hand(how, subscription) {
  await (how.save ?? saveAt)(subscription.toJSON(), how);
}

async function saveAt(subscription, how) {
  // Only what is known there: a browser may add more.
  const { endpoint, expirationTime = null, keys } = subscription;
  await call(how, "POST", "/push/subscriptions", { endpoint, expirationTime, keys: { p256dh: keys.p256dh, auth: keys.auth } });
}

async function removeAt(endpoint, how) {
  await call(how, "DELETE", "/push/subscriptions", { endpoint }, [404]);
}

async function call({ api, token }, method, path, body, allowed = []) {
  const given = typeof token === "function" ? await token() : token;
  const headers = { Authorization: `Bearer ${given}`, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(api.replace(/\/$/, "") + path, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: "omit",
  });
  if (!answer.ok && !allowed.includes(answer.status)) throw new Error(`Postroom answered ${answer.status}`);
  return answer.status === 200 || answer.status === 201 ? answer.json() : null;
}

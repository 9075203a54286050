// Popups on this computer: turned on and off on their page, and confirmed on every other.
import { keep, renew, state, subscribe, unsubscribe } from "../../push.js";

const front = new URL("../../", import.meta.url).href;
const { formToken, pushKey } = document.body.dataset;

const SAID = {
  on: "Popups are on in this browser.",
  off: "Popups are off in this browser.",
  denied: "This browser does not let Postroom show popups. You can change that in its settings for this page.",
  unsupported: "This browser has no popups.",
};
const WORDS = { on: "Turn off popups", off: "Turn on popups" };

const how = {
  worker: `${front}push-worker.js`,
  publicKey: pushKey,
  save: async (subscription) => {
    await hand("on", subscription);
    remember(subscription.endpoint);
  },
  remove: (endpoint) => send({ how: "off", endpoint }, [404]),
};

async function send(fields, allowed = []) {
  const body = new URLSearchParams({ token: formToken, ...fields });
  const answer = await fetch(`${front}inbox/popups`, { method: "POST", body });
  if (!answer.ok && !allowed.includes(answer.status)) throw new Error(`it was answered ${answer.status}`);
  return answer;
}

function hand(what, { endpoint, keys }, allowed) {
  return send({ how: what, endpoint, p256dh: keys.p256dh, auth: keys.auth }, allowed);
}

// What was handed in last: where that is not there any more, somebody has turned it off from elsewhere.
const KEPT = "postroom-popups-handed-in";

function remember(endpoint) {
  try {
    localStorage.setItem(KEPT, endpoint);
  } catch {
    // Then it is handed in anew with each page.
  }
}

function isHandedIn(endpoint) {
  try {
    return localStorage.getItem(KEPT) === endpoint;
  } catch {
    return false;
  }
}

async function confirmed(subscription) {
  if (!isHandedIn(subscription.endpoint)) return how.save(subscription);
  const answer = await hand("confirm", subscription, [404]);
  if (answer.status === 404) await unsubscribe(how);
}

/** What the bell turns on and off. */
export const ours = { state: () => state(how), subscribe: () => subscribe(how), unsubscribe: () => unsubscribe(how) };

/** Say that this browser is still somebody's who may look: without that popups end after some days. */
export async function confirm() {
  keep(how);
  await renew({ ...how, save: confirmed });
  if (document.getElementById("popups")) show(await state(how));
}

/** Who signs out has popups no more here: the next to sit down is somebody else. */
function endAtSignOut() {
  const form = document.querySelector('form[action$="/sign-out"]');
  const leave = async (event) => {
    event.preventDefault();
    const late = new Promise((resolve) => setTimeout(resolve, 2_000));
    await Promise.race([unsubscribe(how).catch(() => {}), late]);
    form.submit();
  };
  form?.addEventListener("submit", leave, { once: true });
}

function show(now, problem = "") {
  const button = document.getElementById("popups-turn");
  document.getElementById("popups-state").textContent = problem || SAID[now];
  button.textContent = WORDS[now] ?? "";
  button.hidden = !(now in WORDS);
  button.dataset.state = now;
  document.getElementById("popups").hidden = false;
}

async function turn(event) {
  const button = event.currentTarget;
  const before = button.dataset.state;
  button.disabled = true;
  try {
    show(before === "on" ? await unsubscribe(how) : await subscribe(how));
  } catch {
    show(before, "That did not work. Try again in a moment.");
  } finally {
    button.disabled = false;
  }
}

endAtSignOut();
if (document.getElementById("popups")) {
  document.getElementById("popups-without").remove();
  document.getElementById("popups-turn").addEventListener("click", turn);
  show(await state(how).catch(() => "unsupported"));
}

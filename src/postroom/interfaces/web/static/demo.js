// The bells of the demo's officers, each with a token of its own, and sending without leaving the page.
const { prefix, formToken } = document.body.dataset;

async function post(path, fields) {
  const body = new URLSearchParams({ token: formToken, ...fields });
  return fetch(prefix + path, { method: "POST", body });
}

for (const place of document.querySelectorAll("[data-bell-of]")) {
  const bell = document.createElement("notification-bell");
  bell.setAttribute("pages", `${prefix}/inbox`);
  bell.dataset.officer = place.dataset.bellOf;
  bell.needToken = async () => (await (await post("/demo/token", { officer: place.dataset.bellOf })).json()).token;
  place.append(bell);
}

const form = document.querySelector("#send");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sent = document.querySelector("#sent");
  const answer = await post("/demo/send", { to: form.elements.to.value, what: form.elements.what.value }).catch(() => null);
  sent.textContent = answer?.ok ? `Sent to ${form.elements.to.selectedOptions[0].text}` : "That did not work. Reload the page.";
});

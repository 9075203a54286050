// Keeps the marked part of the page fresh: what the server shows now, put in place of what it showed before.
(() => {
  const part = document.getElementById("live");
  if (!part || !window.EventSource) return;
  const say = document.getElementById("live-state");
  let waiting = false;

  async function refresh() {
    if (waiting) return;
    waiting = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (fresh) part.replaceChildren(...fresh.childNodes);
    } finally {
      waiting = false;
    }
  }

  const events = new EventSource("/sandbox/events");
  events.addEventListener("changed", refresh);
  events.onopen = () => { if (say) say.textContent = "Live"; };
  events.onerror = () => { if (say) say.textContent = "Not connected: reload the page to see what is new"; };
})();

// A page of React 17, of an origin of its own, as the council's front ends are. Tests supply `freshToken`.
const { createElement: e, useEffect, useRef, useState } = React;

function Bell({ onUnread }) {
  const bell = useRef(null);
  useEffect(() => {
    const { current } = bell;
    current.push = window.push ?? null;
    current.needToken = window.freshToken;
    const told = (event) => onUnread(event.detail.unread);
    current.addEventListener("unreadchange", told);
    return () => current.removeEventListener("unreadchange", told);
  }, []);
  return e("notification-bell", { ref: bell, insist: window.insist ? "" : undefined });
}

function App() {
  const [unread, setUnread] = useState(null);
  const [isThere, setThere] = useState(true);
  return e(
    React.Fragment,
    null,
    e("header", null, e("strong", null, "Manage my home"), isThere && e(Bell, { onUnread: setUnread })),
    e(
      "main",
      null,
      e("h1", null, "Tenancies"),
      e("p", { id: "unread" }, unread === null ? "" : `${unread} unread`),
      e("button", { type: "button", onClick: () => setThere(!isThere) }, "Take the bell away or bring it back"),
      e("label", null, "Search ", e("input", { type: "text" })),
    ),
  );
}

ReactDOM.render(e(App), document.querySelector("#root"));

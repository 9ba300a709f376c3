// Sets the URL of a conversation that starts. Chainlit does so only at the root of a site; under a sub-path, a reload
// would show an empty page.
import { onSignal } from "./signals.js";
import { root } from "./texts.js";

onSignal("thread", (id) => {
  if (!root || location.pathname.replace(/\/$/, "") !== root) return;
  history.replaceState(history.state, "", `${root}/thread/${id}`);
  dispatchEvent(new PopStateEvent("popstate", { state: history.state })); // makes the page's router read the URL
});

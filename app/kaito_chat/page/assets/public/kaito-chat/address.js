// The address of a conversation that begins. Chainlit gives it one at the root of a site only; without it, a reload
// under a sub-path would show an empty page.
import { onSignal } from "./signals.js";
import { root } from "./texts.js";

onSignal("thread", (id) => {
  if (!root || location.pathname.replace(/\/$/, "") !== root) return;
  history.replaceState(history.state, "", `${root}/thread/${id}`);
  dispatchEvent(new PopStateEvent("popstate", { state: history.state })); // the page's router looks again
});

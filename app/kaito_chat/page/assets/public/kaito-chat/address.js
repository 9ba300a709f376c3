// Sets the URL of a conversation that starts, so that a reload shows it. Chainlit does so only at the root of a site, and
// on a phone only when the list of conversations opens, which it closes by that.
import { onSignal } from "./signals.js";
import { root } from "./texts.js";

onSignal("thread", (id) => {
  if (location.pathname.replace(/\/$/, "") !== root) return;
  history.replaceState(history.state, "", `${root}/thread/${id}`);
  dispatchEvent(new PopStateEvent("popstate", { state: history.state })); // makes the page's router read the URL
});

// Shows the model and its state at the top of the page.
import { announce } from "./announce.js";
import { limitTo } from "./limits.js";
import { explainMissingHistory } from "./outline.js";
import { onSignal } from "./signals.js";
import { root, text } from "./texts.js";

const POLL_FAST_MS = 3000;
const POLL_SLOW_MS = 15000;
// How often to check whether a notice is removed before giving up.
const MAX_RETRIES = 60;
// The minimum width between the header's buttons for the status to fit.
const MIN_HEADER_WIDTH_PX = 240;

const pill = document.createElement("section");
pill.id = "kaito-chat-status";
const wakeButton = document.createElement("button");
wakeButton.type = "button";
pill.append(document.createElement("span"), wakeButton);
let models = [];
let waiting = null;
let timer = 0;
let announced = "";
let failure = "";
// Whether the server refused the last poll of a signed-out user, and whether the page has its header.
let refused = false;
let drawn = false;

const show = (state, message) => {
  if (pill.dataset.state !== state) pill.dataset.state = state;
  if (pill.firstChild.textContent !== message) pill.firstChild.textContent = pill.firstChild.title = message;
  const offered = state === "asleep" && Boolean(chosen()?.wake);
  if (wakeButton.hidden === offered) wakeButton.hidden = !offered;
  if (!pill.isConnected) {
    pill.setAttribute("aria-label", text("page.status"));
    wakeButton.textContent = text("wake.it");
    wakeButton.title = text("wake.tip");
    document.body.append(pill);
  }
  placeStatus();
};

const announceOnce = (message) => {
  if (message !== announced) announce(message);
  announced = message;
};

const chosen = () => {
  const shown = document.querySelector("#chat-profiles")?.textContent?.trim();
  return models.find((model) => model.name === shown) ?? models[0];
};

// While a question waits for its model, the status shows the same text as the notice under the question.
const render = () => {
  const polled = chosen();
  if (!polled) return;
  const model = waiting && polled.state === "ready" ? { ...polled, ...waiting, steps: [] } : polled;
  const step = model.steps.find((each) => each.state === "now");
  const doing = step ? ` · ${step.name}${step.detail ? ": " + step.detail : ""}` : "";
  if (model.state !== "asleep") failure = "";
  pill.classList.toggle("failed", Boolean(failure));
  show(model.state, `${model.name} · ${failure || model.text + doing}`);
  announceOnce(`${model.name}: ${model.text}`);
};

// Markdown of a notice, as plain text on one line.
const plain = (markdown) => markdown.replaceAll(/[*\\]|^> /gm, "").replaceAll(/\s+/g, " ");

wakeButton.addEventListener("click", async () => {
  wakeButton.disabled = true;
  try {
    const body = JSON.stringify({ model: chosen().name });
    const response = await fetch(`${root}/wake`, { method: "POST", headers: { "content-type": "application/json" }, body });
    failure = response.ok ? "" : plain((await response.json()).detail);
  } catch {
    failure = text("page.offline");
  }
  wakeButton.disabled = false;
  if (failure) announce(failure);
  render();
  poll();
});

const poll = async () => {
  clearTimeout(timer);
  let pause = POLL_FAST_MS;
  try {
    const response = await fetch(`${root}/status`, { headers: { accept: "application/json" } });
    refused = response.status === 401;
    if (refused) {
      models = [];
      pill.remove();
    } else {
      const status = await response.json();
      models = status.models;
      limitTo(status.question_limit);
      explainMissingHistory(status.history);
      render();
      pause = models.every((model) => model.state === "ready") ? POLL_SLOW_MS : POLL_FAST_MS;
    }
  } catch {
    show("offline", text("page.offline"));
    announceOnce(text("page.offline"));
  }
  clearTimeout(timer);
  timer = setTimeout(poll, document.hidden ? POLL_SLOW_MS : pause);
};

// The notice may still be on the page when the server reports its removal.
const settle = (tries) => {
  const notice = waiting && document.getElementById(`step-${waiting.notice}`);
  if (notice && tries > 0) return void setTimeout(settle, 50, tries - 1);
  waiting = null;
  render();
  poll();
};

onSignal("waiting", (signal) => {
  if (!signal) return settle(MAX_RETRIES);
  waiting = signal;
  render();
  poll();
});

// Places the status between the header's buttons if it fits, otherwise below them.
export const placeStatus = () => {
  const header = document.querySelector("#header");
  pill.hidden = !header;
  const appeared = Boolean(header) && !drawn;
  drawn = Boolean(header);
  if (appeared && refused) poll(); // the user has signed in
  if (!header || !pill.isConnected) return;
  const left = header.firstElementChild.getBoundingClientRect().right;
  const right = header.lastElementChild.getBoundingClientRect().left;
  const { left: begin, right: end, bottom } = header.getBoundingClientRect();
  const below = right - left < MIN_HEADER_WIDTH_PX;
  document.body.classList.toggle("kaito-chat-status-below", below);
  const [from, to] = below ? [begin, end] : [left, right];
  pill.style.maxWidth = `${to - from - 24}px`;
  const half = pill.offsetWidth / 2 + 12;
  pill.style.left = `${Math.min(Math.max((begin + end) / 2, from + half), to - half)}px`;
  pill.style.top = below ? `${bottom}px` : "";
  if (models.length > 1 && chosen()?.name !== pill.dataset.model) {
    pill.dataset.model = chosen().name;
    render();
  }
};

export const watchStatus = () => poll();

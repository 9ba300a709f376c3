// Announces to screen readers the start and the end of an answer, and the state of a model.
import { text } from "./texts.js";

const region = document.createElement("div");
region.id = "kaito-chat-announcements";
region.className = "kaito-chat-unseen";
region.setAttribute("role", "status");
region.setAttribute("aria-live", "polite");
let running = false;

export const announce = (message) => {
  if (!region.isConnected) document.body.append(region);
  // A new element each time, so that the same text is read again.
  const line = document.createElement("p");
  line.textContent = message;
  region.replaceChildren(line);
};

// Chainlit's page shows Stop exactly while an answer is running.
export const announceAnswers = () => {
  if (!region.isConnected) document.body.append(region);
  const now = document.querySelector("#stop-button") !== null;
  if (now !== running) announce(text(now ? "page.answering" : "page.answered"));
  running = now;
};

// Tells screen readers what others see: that an answer begins and is complete, and how a model fares.
import { text } from "./texts.js";

const region = document.createElement("div");
region.id = "kaito-chat-announcements";
region.className = "kaito-chat-unseen";
region.setAttribute("role", "status");
region.setAttribute("aria-live", "polite");
let running = false;

export const announce = (words) => {
  if (!region.isConnected) document.body.append(region);
  // A line of its own each time, so that the same words are read again.
  const line = document.createElement("p");
  line.textContent = words;
  region.replaceChildren(line);
};

// Chainlit's page offers Stop exactly while an answer is under way.
export const announceAnswers = () => {
  if (!region.isConnected) document.body.append(region);
  const now = document.querySelector("#stop-button") !== null;
  if (now !== running) announce(text(now ? "page.answering" : "page.answered"));
  running = now;
};

// Refuses a message that is too large, which the server would answer by closing the connection; keeps the text.
import { text } from "./texts.js";

let limit = 1_000_000;
// The longest values that the server accepts: names and feedback (routes/bodies.py), system prompts (settings_panel.py).
const FIELDS = [
  ['[role="dialog"] input#name', 200],
  ['[role="dialog"]:has(#submit-feedback) textarea', 10_000],
  ["textarea#system_prompt", 20_000],
  ["[cmdk-input]", 1000],
];
const alert = document.createElement("p");
alert.id = "kaito-chat-too-large";
alert.setAttribute("role", "alert");

// Applies the server's limit if it is lower.
export const limitTo = (characters) => {
  if (characters > 0) limit = Math.min(limit, characters);
};

export const limitFields = () => {
  for (const [selector, length] of FIELDS) {
    for (const field of document.querySelectorAll(selector)) field.maxLength = length;
  }
};

const refused = (event, field, place) => {
  if (!field || field.value.length <= limit) return alert.remove();
  const count = [...field.value].length;
  if (count <= limit) return alert.remove();
  event.preventDefault();
  event.stopImmediatePropagation();
  alert.textContent = text("page.too_large", { count: count.toLocaleString(), limit: limit.toLocaleString() });
  place.before(alert);
};

// Registers capturing listeners, which run before those of Chainlit's page.
export const guard = () => {
  const composer = () => document.querySelector("#message-composer");
  addEventListener(
    "keydown",
    (event) => {
      if (event.target.id === "chat-input" && event.key === "Enter" && !event.shiftKey) {
        refused(event, event.target, composer());
      }
    },
    true,
  );
  addEventListener(
    "click",
    (event) => {
      const button = event.target.closest?.("#chat-submit, .confirm-edit");
      if (!button) return;
      const edited = button.matches(".confirm-edit") ? document.querySelector("#edit-chat-input") : null;
      refused(event, edited ?? document.querySelector("#chat-input"), edited ?? composer());
    },
    true,
  );
  addEventListener("input", () => alert.remove(), true);
};

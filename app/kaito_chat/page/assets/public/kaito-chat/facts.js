// The usage line under an answer, with token counts and the time to the first token; not part of the copied text.
import { onSignal } from "./signals.js";
import { text } from "./texts.js";

const facts = new Map();

onSignal("facts", (lines) => {
  for (const [id, line] of Object.entries(lines)) facts.set(id, line);
  showFacts();
});

export const showFacts = () => {
  for (const [id, line] of facts) {
    const answer = document.getElementById(`step-${id}`)?.querySelector(".ai-message > :last-child");
    if (!answer) continue;
    let shown = answer.querySelector(":scope > .kaito-chat-facts");
    if (!shown) {
      shown = document.createElement("p");
      shown.className = "kaito-chat-facts";
      shown.setAttribute("role", "note");
      shown.setAttribute("aria-label", text("page.facts"));
      answer.append(shown);
    }
    if (shown.textContent !== line) shown.textContent = line;
  }
};

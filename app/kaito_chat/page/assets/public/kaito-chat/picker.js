// Adds a search field to the lists of models and adapters, which Chainlit's page shows without one.
import { text } from "./texts.js";

const LIST = "[role=listbox]:has(> [data-radix-select-viewport])";
// The keys that the list handles itself.
const OF_THE_LIST = ["ArrowDown", "ArrowUp", "Escape", "Tab"];

const options = (list) => [...list.querySelectorAll("[role=option]")];
const found = (list) => options(list).filter((option) => !option.hidden);

const filter = (list, words) => {
  const wanted = words.trim().toLowerCase();
  for (const option of options(list)) option.hidden = !option.textContent.toLowerCase().includes(wanted);
};

const searchField = (list) => {
  const field = document.createElement("input");
  field.type = "search";
  field.className = "kaito-chat-search";
  field.placeholder = text("threadHistory.sidebar.filters.search");
  field.setAttribute("aria-label", field.placeholder);
  field.addEventListener("input", () => filter(list, field.value));
  field.addEventListener("keydown", (event) => {
    if (OF_THE_LIST.includes(event.key)) return;
    event.stopPropagation(); // the list would jump to an option that begins with the letter
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    const first = found(list)[0];
    first?.focus();
    first?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
  return field;
};

const addSearch = (list) => {
  const viewport = list.querySelector("[data-radix-select-viewport]");
  const field = searchField(list);
  // A list may contain only options: the popup becomes a dialog that contains the field and the list.
  list.setAttribute("role", "dialog");
  viewport.setAttribute("role", "listbox");
  for (const part of [list, viewport]) part.setAttribute("aria-label", text("settings.model"));
  viewport.before(field);
  const type = (event) => {
    const writes = event.key.length === 1 ? event.key !== " " : event.key === "Backspace";
    if (event.target === field || !writes || event.ctrlKey || event.altKey || event.metaKey) return;
    event.stopPropagation();
    field.focus(); // the field receives the letter
  };
  list.addEventListener("keydown", type, true);
};

// A list is added to the page when it opens, and removed when it closes.
export const searchPickers = () => {
  const add = () => document.querySelectorAll(LIST).forEach(addSearch);
  new MutationObserver(add).observe(document.body, { childList: true });
};

// The page's outline: one main landmark, one first-level heading, and a note if conversations are not stored.
const NAME = "KAITO Chat";
let explanation = "";

export const explainMissingHistory = (message) => {
  explanation = message;
  outline();
};

const findMain = () => {
  const found = document.querySelector("main");
  if (found) return found;
  const whole = document.querySelector("#root .h-screen.w-screen.flex, #root .grid.min-h-svh");
  whole?.setAttribute("role", "main");
  return whole;
};

const addHeading = (main) => {
  if (!main || main.querySelector("form h1, .kaito-chat-heading")) return;
  const heading = document.createElement("h1");
  heading.className = "kaito-chat-heading kaito-chat-unseen";
  heading.textContent = NAME;
  main.prepend(heading);
};

const addNote = () => {
  const place = document.querySelector("#message-composer")?.parentElement;
  const shown = document.querySelector(".kaito-chat-note");
  if (!explanation) return shown?.remove();
  if (!place || (shown && shown.parentElement === place && shown.textContent === explanation)) return;
  shown?.remove();
  const note = document.createElement("p");
  note.className = "kaito-chat-note";
  note.textContent = explanation;
  place.append(note);
};

export const outline = () => {
  addHeading(findMain());
  addNote();
  // Headings in an answer rank below the page's own.
  for (const heading of document.querySelectorAll(".message-content :is(h1, h2, h3, h4):not([aria-level])")) {
    heading.setAttribute("aria-level", Number(heading.localName[1]) + 1);
  }
  // Chainlit gives each paragraph the role of an article.
  for (const paragraph of document.querySelectorAll('[role="article"].leading-7')) paragraph.removeAttribute("role");
};

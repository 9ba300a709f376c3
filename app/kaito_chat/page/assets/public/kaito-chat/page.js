// Starts our additions to the page, and updates them whenever Chainlit's page changes.
import "./address.js";
import { announceAnswers } from "./announce.js";
import { showFacts } from "./facts.js";
import { replaceImages } from "./images.js";
import { followHidden } from "./inert.js";
import { guard, limitFields } from "./limits.js";
import { nameControls } from "./names.js";
import { outline } from "./outline.js";
import { searchPickers } from "./picker.js";
import { renameOnEnter } from "./rename.js";
import { receiveSignals } from "./signals.js";
import { placeStatus, watchStatus } from "./status.js";
import { load } from "./texts.js";
import { followSystem } from "./theme.js";

// Debounce interval in milliseconds: every token changes the page.
const PAUSE = 150;
const PARTS = [outline, nameControls, replaceImages, showFacts, announceAnswers, placeStatus, limitFields];
let waiting = false;

const tidy = () => {
  waiting = false;
  for (const part of PARTS) part();
  observer.takeRecords();
};
const observer = new MutationObserver(() => {
  if (waiting) return;
  waiting = true;
  setTimeout(tidy, PAUSE);
});

await load();
tidy();
receiveSignals();
observer.observe(document.body, { childList: true, subtree: true });
addEventListener("resize", placeStatus);
followHidden();
followSystem();
guard();
renameOnEnter();
searchPickers();
watchStatus();

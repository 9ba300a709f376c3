// Accessible names for controls that Chainlit's page shows as icons only, and keyboard focus for scrollable areas.
import { text } from "./texts.js";

const NAMES = [
  ["#new-chat-button", "navigation.newChat.button"],
  ["#theme-toggle", "page.theme"],
  ["#user-nav-button", "page.account"],
  ["#chat-settings-open-modal", "navigation.user.menu.settings"],
  ["#chat-input", "chat.input.placeholder"],
  ["#chat-submit", "chat.input.actions.send"],
  ["#stop-button", "chat.input.actions.stop"],
  ["#chat-profiles", "settings.model"],
  ["#search-chats-button", "threadHistory.sidebar.filters.search"],
  [".edit-message, #edit-chat-input", "page.edit"],
  ["button:has(> .lucide-copy)", "chat.messages.actions.copy.button"],
  ["button:has(> .lucide-check)", "chat.messages.actions.copy.success"],
  [".positive-feedback-on, .positive-feedback-off", "chat.messages.feedback.positive"],
  [".negative-feedback-on, .negative-feedback-off", "chat.messages.feedback.negative"],
  ["button:has(> .lucide-message-circle)", "chat.messages.feedback.edit"],
  ["button:has(> .lucide-arrow-down)", "page.scroll_down"],
  ["button:has(> :is(.lucide-eye, .lucide-eye-off))", "page.show_password"],
  ["[role=dialog] > button.absolute", "page.close"],
  ["[role=dialog][data-sidebar=sidebar]", "threadHistory.sidebar.title"],
];

const SCROLLED = "pre, pre code, .overflow-x-auto, .katex-display, .message-content .overflow-auto";

const name = (element, words) => {
  if (element && words && element.getAttribute("aria-label") !== words) element.setAttribute("aria-label", words);
};

const nameSliders = () => {
  for (const slider of document.querySelectorAll("[role=slider]")) {
    const label = slider.closest(".space-y-2")?.querySelector("label");
    name(slider, label?.firstChild?.textContent);
  }
};

// In the list, a conversation is a link that contains nested buttons: only one of the three takes the keyboard focus.
const nameConversations = () => {
  for (const options of document.querySelectorAll("#thread-options:not([role])")) {
    options.setAttribute("role", "button");
    options.tabIndex = 0;
    name(options, text("page.options"));
    const button = options.closest("button");
    button?.setAttribute("role", "group");
    if (button) button.tabIndex = -1;
    const title = button?.firstElementChild?.textContent.trim();
    name(button, title);
    name(options.closest("a"), title);
  }
  document.querySelector("ul:has(> #thread-history)")?.setAttribute("role", "presentation");
  const list = document.querySelector("[data-sidebar=sidebar]:not([role])");
  if (list) {
    list.setAttribute("role", "navigation");
    name(list, text("threadHistory.sidebar.title"));
  }
};

const nameScrolled = () => {
  for (const scrolled of document.querySelectorAll(SCROLLED)) {
    const scrolls = scrolled.scrollWidth > scrolled.clientWidth;
    if (scrolls !== scrolled.hasAttribute("tabindex")) scrolled.toggleAttribute("tabindex", scrolls);
    if (!scrolls) continue;
    scrolled.tabIndex = 0;
    if (!scrolled.matches("pre, code")) continue;
    scrolled.setAttribute("role", "group");
    name(scrolled, text("page.code"));
  }
  const conversation = document.querySelector(".relative.flex-grow.overflow-y-auto > .overflow-y-auto:not([role])");
  if (conversation) {
    conversation.setAttribute("role", "region");
    conversation.tabIndex = 0;
    name(conversation, text("page.conversation"));
  }
};

export const nameControls = () => {
  for (const [selector, path] of NAMES) {
    for (const element of document.querySelectorAll(selector)) name(element, text(path));
  }
  const opened = document.querySelector("#sidebar-trigger-button")?.closest("[data-sidebar]");
  for (const trigger of document.querySelectorAll("#sidebar-trigger-button")) {
    name(trigger, text(`threadHistory.sidebar.actions.${opened ? "close" : "open"}`));
  }
  for (const thumb of document.querySelectorAll("[class*='-feedback-o']")) {
    thumb.setAttribute("aria-pressed", /-feedback-on\b/.test(thumb.className));
  }
  for (const picture of document.querySelectorAll('img[alt="Image"], #welcome-screen img:not([alt])')) picture.alt = "";
  nameSliders();
  nameConversations();
  nameScrolled();
};

// Runs before Chainlit's page: applies settings that the page reads only once, then loads the other scripts.
(() => {
  // A single dollar means money, not a formula: Chainlit's formula parser looks up this option, which Chainlit does not
  // set. Not enumerable, so that no other code sees it.
  Object.defineProperty(Object.prototype, "singleDollarTextMath", { value: false, writable: true, configurable: true });

  // Follow the operating system's colour scheme until the user chooses a theme.
  try {
    localStorage.getItem("vite-ui-theme") ?? localStorage.setItem("vite-ui-theme", "system");
  } catch {
    // Without storage, the page uses the light theme.
  }

  // The server's signals may arrive before the other scripts: signals.js takes these from here.
  const early = [];
  const keep = (event) => {
    if (event.source === window) early.push(event);
  };
  addEventListener("message", keep);
  globalThis.kaitoChatEarlyMessages = () => {
    removeEventListener("message", keep);
    return early;
  };

  import(new URL("kaito-chat/page.js", document.currentScript.src).href);
})();

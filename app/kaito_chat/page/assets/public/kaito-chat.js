// Runs before Chainlit's page does: settles what the page reads only once, then loads the rest.
(() => {
  // A single dollar is money, no formula: Chainlit's reader of formulas asks its settings for this name, and Chainlit
  // sets none. Not enumerable, so that nothing else meets it.
  Object.defineProperty(Object.prototype, "singleDollarTextMath", { value: false, writable: true, configurable: true });

  // Light or dark as the operating system has it, until somebody chooses.
  try {
    localStorage.getItem("vite-ui-theme") ?? localStorage.setItem("vite-ui-theme", "system");
  } catch {
    // No storage: the page is light.
  }

  import(new URL("kaito-chat/page.js", document.currentScript.src).href);
})();

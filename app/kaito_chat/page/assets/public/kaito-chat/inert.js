// Keeps the keyboard focus out of the page behind an open menu, which Chainlit's page only hides from screen readers.
export const followHidden = () => {
  const root = document.querySelector("#root");
  const follow = () => (root.inert = root.getAttribute("aria-hidden") === "true");
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["aria-hidden"] });
};

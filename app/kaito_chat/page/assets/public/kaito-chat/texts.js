// The texts in the page's language: Chainlit's and ours.
export const root = document.querySelector('meta[property="og:root_path"]')?.content ?? "";
let translation = {};

// Returns the text for a path such as "chat.input.actions.send", or for one of our keys.
export const text = (path, values = {}) => {
  const found = translation.kaito_chat?.[path] ?? path.split(".").reduce((part, key) => part?.[key], translation) ?? "";
  return String(found).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
};

// Loads the same file as Chainlit's page, so that both use the same language.
export const load = async () => {
  for (const language of [navigator.language || "en-US", "en-US"]) {
    try {
      const response = await fetch(`${root}/project/translations?language=${encodeURIComponent(language)}`);
      if (!response.ok) continue;
      ({ translation } = await response.json());
      document.documentElement.lang = translation.kaito_chat.language;
      return;
    } catch {
      // Try the next language; without any, controls keep Chainlit's names.
    }
  }
};

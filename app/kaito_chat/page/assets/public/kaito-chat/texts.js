// The texts of the page's language: Chainlit's own, and ours among them.
export const root = document.querySelector('meta[property="og:root_path"]')?.content ?? "";
let translation = {};

// The text of a path such as "chat.input.actions.send", or of one of our keys.
export const text = (path, values = {}) => {
  const found = translation.kaito_chat?.[path] ?? path.split(".").reduce((part, key) => part?.[key], translation) ?? "";
  return String(found).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
};

// Chainlit's page asks for the same file, so both are in one language.
export const load = async () => {
  for (const language of [navigator.language || "en-US", "en-US"]) {
    try {
      const response = await fetch(`${root}/project/translations?language=${encodeURIComponent(language)}`);
      if (!response.ok) continue;
      ({ translation } = await response.json());
      document.documentElement.lang = translation.kaito_chat.language;
      return;
    } catch {
      // The next one, or names of Chainlit's own.
    }
  }
};

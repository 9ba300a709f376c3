// Follows changes of the operating system's colour scheme, which Chainlit reads only when the page opens.
export const followSystem = () => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => {
    if (localStorage.getItem("vite-ui-theme") !== "system") return;
    const theme = dark.matches ? "dark" : "light";
    const page = document.documentElement;
    page.classList.remove("light", "dark");
    page.classList.add(theme);
    for (const [name, value] of Object.entries(window.theme?.[theme] ?? {})) page.style.setProperty(name, value);
  });
};

// The page loads nothing from other sites: replaces such an image or video by a link with its alternative text.
import { text } from "./texts.js";

const FOREIGN = '.message-content :is(img, video):is([src^="http:"], [src^="https:"])';

export const replaceImages = () => {
  for (const image of document.querySelectorAll(FOREIGN)) {
    const frame = image.closest(".sm\\:max-w-sm");
    if (!frame || frame.querySelector(".kaito-chat-image")) continue;
    const link = document.createElement("a");
    link.className = "kaito-chat-image";
    link.href = image.getAttribute("src");
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.textContent = image.getAttribute("alt") || image.getAttribute("src");
    const why = document.createElement("span");
    why.textContent = ` (${text("page.image")})`;
    frame.append(link, why);
  }
};

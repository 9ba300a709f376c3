// Makes Enter save in the dialog that renames a conversation.
export const renameOnEnter = () => {
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches?.('[role="dialog"] input#name')) return;
    event.preventDefault();
    event.target.closest('[role="dialog"]').querySelector("button:last-of-type:not(.absolute)")?.click();
  });
};

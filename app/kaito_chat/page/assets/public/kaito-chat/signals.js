// Hears what the server tells this script, beside what it shows in the conversation.
const listeners = [];

export const onSignal = (name, listener) => listeners.push([name, listener]);

addEventListener("message", ({ data, origin, source }) => {
  const signal = source === window && origin === location.origin ? data?.kaito_chat : undefined;
  for (const [name, listener] of listeners) {
    if (signal && name in signal) listener(signal[name]);
  }
});

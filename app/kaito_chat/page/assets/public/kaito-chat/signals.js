// Receives the server's window messages to this script, which are not part of the conversation.
const listeners = [];

export const onSignal = (name, listener) => listeners.push([name, listener]);

const receive = ({ data, origin, source }) => {
  const signal = source === window && origin === location.origin ? data?.kaito_chat : undefined;
  for (const [name, listener] of listeners) {
    if (signal && name in signal) listener(signal[name]);
  }
};

// Passes the signals to the listeners, first those that arrived before this script.
export const receiveSignals = () => {
  // During an upgrade, another replica may have sent an earlier version of kaito-chat.js.
  globalThis.kaitoChatEarlyMessages?.().forEach(receive);
  addEventListener("message", receive);
};

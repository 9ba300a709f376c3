// Says at the top of the page which model answers, and whether it is ready.
(() => {
  const OFTEN = 3000;
  const SELDOM = 15000;
  const pill = document.createElement("div");
  pill.id = "kaito-chat-status";
  pill.setAttribute("role", "status");
  pill.append(document.createElement("span"));

  const chosen = (models) => {
    const shown = document.querySelector("#chat-profiles")?.textContent?.trim();
    return models.find((model) => model.name === shown) ?? models[0];
  };

  const show = (state, text, title = "") => {
    pill.dataset.state = state;
    pill.title = title;
    if (pill.firstChild.textContent !== text) pill.firstChild.textContent = text;
    if (!pill.isConnected) document.body.append(pill);
  };

  const look = async () => {
    let pause = OFTEN;
    try {
      const response = await fetch("/status", { headers: { accept: "application/json" } });
      if (response.status === 401) {
        pill.remove();
      } else {
        const { models, history } = await response.json();
        const model = chosen(models);
        const step = model.steps.find((each) => each.state === "now");
        const doing = step ? ` · ${step.name}${step.detail ? ": " + step.detail : ""}` : "";
        show(model.state, `${model.name} · ${model.text}${doing}`, history);
        pause = model.state === "ready" && models.length === 1 ? SELDOM : OFTEN;
      }
    } catch {
      show("offline", "no connection to the server");
    }
    setTimeout(look, document.hidden ? SELDOM : pause);
  };
  look();
})();

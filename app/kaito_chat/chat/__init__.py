"""Conversations on Chainlit's page.

- `services`: the objects shared by all conversations; `registry`: gives them to the handlers that Chainlit loads.
- `handlers`: the functions that Chainlit calls; `chainlit_patches`: changes to Chainlit.
- `conversations`: the state of each open conversation; `mirror`: the events to replay after a lost connection.
- `answers`: accepts or refuses a question; `limits`: the limits that refuse it; `turn`: one question and its answer.
- `transcript`: the messages of a conversation that the model sees.
- `displayed_answer`, `facts`, `buttons`, `signals`, `runs`, `settings_panel`, `history_notices`: parts of the page.
- `sign_in`, `tokens`: sign-in; `ids`: the form of ids that come from a browser.
"""

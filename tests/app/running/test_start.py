"""Environment variables of other programs do not change the application."""

from pathlib import Path

import httpx

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, program
from support.chat.surroundings import FOREIGN


async def test_variables_of_other_programs_have_no_effect(scripted: Running, folder: Path) -> None:
    (folder / ".env").write_text("CHAINLIT_AUTH_SECRET=x\nDATABASE_URL=postgresql://nowhere/x\n", encoding="utf-8")
    with chat(scripted.url, folder) as plain:
        usual = httpx.get(plain.url + "/project/settings").json(), httpx.get(plain.url + "/auth/config").json()
    port = int(plain.url.rpartition(":")[2])
    environment = FOREIGN | {
        "WEB_CONCURRENCY": "auto",
        "KAITO_CHAT_LISTEN_PORT": str(port),
        "KAITO_CHAT_DATA_DIR": str(folder / "foreign"),
        "KAITO_CHAT_ENDPOINT_URL": scripted.url,
    }
    with program(["-m", "kaito_chat"], port, folder / "foreign.log", environment) as running:
        found = httpx.get(running.url + "/project/settings").json(), httpx.get(running.url + "/auth/config").json()
        assert found == usual
        page = Page(running.url)
        await page.open()
        assert (await page.ask("hello")).answer
        await page.close()

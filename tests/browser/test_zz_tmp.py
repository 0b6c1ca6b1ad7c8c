import pytest, time
from tests.browser.desk import Desk
from playwright.async_api import expect
pytestmark = pytest.mark.browser
@pytest.mark.parametrize("scripts",[True,False])
@pytest.mark.parametrize("calm",[True,False])
async def test_tmp(desk: Desk, scripts, calm):
    w = await desk.window(desk.panel.owner, scripts=scripts, calm=calm)
    p = w.page
    t0=time.time(); out=[]
    def t(x): out.append((x, round(time.time()-t0,2)))
    await w.go("/servers"); t("go")
    for i in range(3):
        await w.find(".list-foot").get_by_role("link", name=str(3-i)).click(); t("click")
        await p.wait_for_url("**/servers**"); t("url")
        box = p.get_by_label("Filter by name or address")
        await box.fill(""); t("fill")
        await w.find("#navigation").get_by_role("link", name="Sessions").click(); t("go")
        await w.find("#navigation").get_by_role("link", name="Servers").click(); t("link")
        await p.wait_for_url("**/servers"); t("url")
        await box.click(); t("box")
    print(scripts, calm, out)

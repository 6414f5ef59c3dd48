"""Lists and forecasts in a real browser: no platform of the tests has such a case."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi.testclient import TestClient

from tests.browsing import launched, serious, watch

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def address(answered: TestClient) -> Iterator[str]:
    """Where the pages are served, as Airflow mounts them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = uvicorn.Server(uvicorn.Config(answered.app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{free.getsockname()[1]}/millrace"
        server.should_exit = True
        thread.join()


def test_lists_and_forecasts_are_whole(address):
    with launched() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme, viewport=PHONE)
            wrong = watch(page, address)
            for asked in ("answers?case=picks", "answers?case=ahead"):
                page.goto(f"{address}/{asked}", wait_until="networkidle")
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, f"{asked} is {wider} px too wide"
                assert serious(page) == [], asked
                assert wrong == [], asked

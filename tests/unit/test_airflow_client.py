"""Questions to Airflow are asked again where it answers late; what changes something is not."""

import httpx
import pytest

from pipelines.stores.airflow import Airflow


class Late:
    """An api server that answers from the third call on."""

    def __init__(self) -> None:
        self.num_calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.num_calls += 1
        if self.num_calls < 3:
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response(200, json={"dag_runs": []})


@pytest.fixture
def server() -> Late:
    return Late()


@pytest.fixture
def client(server: Late) -> Airflow:
    return Airflow(httpx.Client(transport=httpx.MockTransport(server), base_url="http://airflow"))


def test_a_late_answer_is_waited_for(client: Airflow, server: Late) -> None:
    assert client.runs("toy.build_features") == []
    assert server.num_calls == 3


def test_a_run_is_not_asked_for_twice(client: Airflow, server: Late) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.http.post("/dags/toy.build_features/dagRuns", json={})
    assert server.num_calls == 1

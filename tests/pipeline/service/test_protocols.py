"""Each protocol answers with the champion's predictions, in its own form."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from pipeline.service.follower import Follower
from tests.pipeline.service.hand_made import FEATURES, SUBJECT, log_odds, risk
from tests.pipeline.service.running import problem

DEATH = risk(log_odds(60, 30, "F", "Active"))
RELAPSE = risk(log_odds(60, 30, "F", "Active") / 2)
UNKNOWN = {"AGE": 60, "SEX": "M", "arm": "Placebo"}
"""A subject without a body mass index, which training subjects lacked too."""


def tensors(*subjects: dict[str, Any]) -> list[dict[str, Any]]:
    """Subjects as inputs of the Open Inference Protocol."""
    return [
        {
            "name": name,
            "shape": [len(subjects)],
            "datatype": "FP32" if name in ("AGE", "BMI") else "BYTES",
            "data": [subject.get(name) for subject in subjects],
        }
        for name in FEATURES
    ]


def outputs(answer: httpx.Response) -> dict[str, Any]:
    """Data of each output of the Open Inference Protocol."""
    assert answer.status_code == 200, answer.text
    return {tensor["name"]: tensor["data"] for tensor in answer.json()["outputs"]}


class TestByName:
    def test_a_prediction_has_its_interval_and_its_set(self, client: httpx.Client) -> None:
        found = client.post("/predict", json={"subject": SUBJECT}).json()["predictions"]["death"]

        assert found["title"] == "Death within a year"
        assert found["probability"] == pytest.approx(DEATH, abs=1e-6)
        assert found["interval"]["lower"] == pytest.approx(DEATH - 0.05, abs=1e-6)
        assert found["interval"]["upper"] == pytest.approx(DEATH + 0.05, abs=1e-6)
        # At .34 the set of this model has both levels.
        assert found["set"] == ["without_outcome", "with_outcome"]

    def test_a_task_without_interval_says_why(self, client: httpx.Client) -> None:
        found = client.post("/predict", json={"subject": SUBJECT}).json()["predictions"]["relapse"]

        assert found["probability"] == pytest.approx(RELAPSE, abs=1e-6)
        assert (found["interval"], found["set"]) == (None, None)
        assert found["why_no_interval"] == "Too few subjects with a relapse."

    def test_the_model_is_named_with_its_digest(
        self, client: httpx.Client, follower: Follower
    ) -> None:
        found = client.post("/predict", json={"subject": SUBJECT}).json()["model"]

        champion = follower.served.champion
        assert champion is not None
        assert found == {
            "study": "stroke",
            "id": champion.entry.id,
            "version": str(champion.version),
            "digest": f"sha256:{champion.entry.digests['model']}",
        }

    def test_the_arm_is_the_one_that_was_given(self, client: httpx.Client) -> None:
        answers = [
            client.post("/predict", json={"subject": SUBJECT | {"arm": arm}}).json()
            for arm in ("Active", "Placebo")
        ]

        assert [found["assumed_arm"] for found in answers] == ["Active", "Placebo"]

    def test_contributions_are_there_when_they_are_asked_for(self, client: httpx.Client) -> None:
        asked = client.post("/predict", json={"subject": SUBJECT, "contributions": True}).json()
        unasked = client.post("/predict", json={"subject": SUBJECT}).json()

        found = asked["predictions"]["death"]["contributions"]
        assert found["unit"] == "log odds"
        assert found["reference"] == pytest.approx(log_odds(60, None, "M", "Placebo"))
        expected = {"AGE": 0.0, "BMI": 0.05, "SEX": 0.5, "arm": 0.3}
        assert found["features"] == pytest.approx(expected, abs=1e-6)
        assert "contributions" not in unasked["predictions"]["death"]

    def test_what_training_subjects_lacked_may_be_missing(self, client: httpx.Client) -> None:
        for missing in ({}, {"BMI": None}):
            answer = client.post("/predict", json={"subject": UNKNOWN | missing}).json()

            found = answer["predictions"]["death"]["probability"]
            assert found == pytest.approx(risk(log_odds(60, None, "M", "Placebo")), abs=1e-6)
            assert answer["flags"] == []

    def test_an_answer_is_not_kept_by_a_cache(self, client: httpx.Client) -> None:
        answer = client.post("/predict", json={"subject": SUBJECT})
        assert answer.headers["cache-control"] == "no-store"


class TestTensorFlowServing:
    def test_instances_are_answered_row_by_row(self, client: httpx.Client) -> None:
        body = {"instances": [SUBJECT, UNKNOWN]}
        found = client.post("/v1/models/stroke:predict", json=body).json()

        [first, second] = found["predictions"]
        assert first["death"] == pytest.approx([DEATH], abs=1e-6)
        assert first["relapse"] == pytest.approx([RELAPSE], abs=1e-6)
        assert second["death"] == pytest.approx(
            [risk(log_odds(60, None, "M", "Placebo"))], abs=1e-6
        )
        assert found["assumed_arms"] == ["Active", "Placebo"]
        assert found["flags"] == [[], []]

    def test_inputs_are_answered_column_by_column(self, client: httpx.Client) -> None:
        body = {"inputs": {name: [value, value] for name, value in SUBJECT.items()}}
        found = client.post("/v1/models/stroke:predict", json=body).json()["outputs"]

        assert np.array(found["death"]) == pytest.approx(np.array([[DEATH], [DEATH]]), abs=1e-6)
        assert set(found) == {
            *("death", "death/lower", "death/upper", "death/set_negative", "death/set_positive"),
            "relapse",
        }

    def test_a_missing_number_may_be_nan(self, client: httpx.Client) -> None:
        body = json.dumps({"instances": [UNKNOWN | {"BMI": float("nan")}]})
        found = client.post("/v1/models/stroke:predict", content=body).json()

        assert found["predictions"][0]["death"] == pytest.approx(
            [risk(log_odds(60, None, "M", "Placebo"))], abs=1e-6
        )

    def test_contributions_have_a_signature_of_their_own(self, client: httpx.Client) -> None:
        body = {"instances": [SUBJECT], "signature_name": "columns_contributions"}
        [found] = client.post("/v1/models/stroke:predict", json=body).json()["predictions"]

        assert found["death"] == pytest.approx([0.0, 0.05, 0.5, 0.3, -1.5], abs=1e-6)

    @pytest.mark.parametrize("signature", ["serving_default", "columns"])
    def test_columns_are_the_default_signature(self, client: httpx.Client, signature: str) -> None:
        body = {"instances": [SUBJECT], "signature_name": signature}
        assert client.post("/v1/models/stroke:predict", json=body).status_code == 200

    def test_another_signature_is_not_found(self, client: httpx.Client) -> None:
        body = {"instances": [SUBJECT], "signature_name": "interactions"}
        detail = problem(client.post("/v1/models/stroke:predict", json=body), 404)["detail"]
        assert "serving_default, columns, columns_contributions" in detail

    def test_a_version_can_be_named(self, client: httpx.Client) -> None:
        [status] = client.get("/v1/models/stroke").json()["model_version_status"]
        assert status["state"] == "AVAILABLE"

        path = f"/v1/models/stroke/versions/{status['version']}"
        assert client.get(path).status_code == 200
        assert client.post(f"{path}:predict", json={"instances": [SUBJECT]}).status_code == 200
        problem(client.post("/v1/models/stroke/versions/1:predict", json={}), 404)
        # The path alone names a version.
        assert client.get("/v1/models/stroke?version=1").status_code == 200

    def test_metadata_describe_the_columns_and_what_the_model_is_for(
        self, client: httpx.Client
    ) -> None:
        found = client.get("/v1/models/stroke/metadata").json()

        default = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
        kinds = {name: tensor["dtype"] for name, tensor in default["inputs"].items()}
        assert kinds == {
            **{"AGE": "DT_FLOAT", "BMI": "DT_FLOAT"},
            **{"SEX": "DT_STRING", "arm": "DT_STRING"},
        }
        about = found["metadata"]["about"]
        assert about["intended_use"] == "Helps a stroke unit to plan follow-up."
        assert about["users"] == "Physicians of the unit."
        assert about["not_for"] == "Children."

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"instances": []},
            {"instances": [1]},
            {"inputs": {}},
            {"inputs": {"AGE": [1], "SEX": []}},
        ],
    )
    def test_another_form_is_malformed(self, client: httpx.Client, body: dict[str, Any]) -> None:
        problem(client.post("/v1/models/stroke:predict", json=body), 400)


class TestOpenInference:
    def test_tensors_are_answered_with_tensors(self, client: httpx.Client) -> None:
        body = {"id": "seven", "inputs": tensors(SUBJECT, UNKNOWN)}
        answer = client.post("/v2/models/stroke/infer", json=body)

        found = outputs(answer)
        expected = [DEATH, risk(log_odds(60, None, "M", "Placebo"))]
        assert found["death"] == pytest.approx(expected, abs=1e-6)
        assert found["flags"] == ["", ""]
        assert (answer.json()["model_name"], answer.json()["id"]) == ("stroke", "seven")

    def test_only_the_outputs_that_are_asked_for_are_answered(self, client: httpx.Client) -> None:
        body = {"inputs": tensors(SUBJECT), "outputs": [{"name": "relapse"}]}
        assert set(outputs(client.post("/v2/models/stroke/infer", json=body))) == {"relapse"}

    def test_contributions_are_a_parameter(self, client: httpx.Client) -> None:
        body = {"inputs": tensors(SUBJECT), "parameters": {"contributions": True}}
        found = outputs(client.post("/v2/models/stroke/infer", json=body))
        assert found["death/contributions"] == pytest.approx([0.0, 0.05, 0.5, 0.3, -1.5], abs=1e-6)

    def test_a_flag_is_an_output(self, client: httpx.Client) -> None:
        body = {"inputs": tensors(SUBJECT | {"AGE": 75, "SEX": "unknown"}, SUBJECT)}
        found = outputs(client.post("/v2/models/stroke/infer", json=body))
        assert found["flags"] == ["out_of_range:AGE;unknown_category:SEX", ""]

    def test_metadata_describe_the_tensors(self, client: httpx.Client) -> None:
        found = client.get("/v2/models/stroke").json()

        assert found["name"] == "stroke"
        assert {tensor["name"]: tensor["datatype"] for tensor in found["inputs"]} == {
            **{"AGE": "FP32", "BMI": "FP32"},
            **{"SEX": "BYTES", "arm": "BYTES"},
        }

    def test_the_server_describes_itself(self, client: httpx.Client) -> None:
        assert client.get("/v2").json()["name"] == "clinical-trial-pipeline"

    @pytest.mark.parametrize("path", ["live", "ready"])
    def test_a_service_with_a_model_is_healthy(self, client: httpx.Client, path: str) -> None:
        assert client.get(f"/v2/health/{path}").json()[path] is True

    @pytest.mark.parametrize(
        "change",
        [
            {"datatype": "BYTES"},
            {"shape": [2]},
            {"shape": "1"},
            {"data": 1},
            {"name": 1},
            {"name": "SEX"},
        ],
    )
    def test_a_tensor_of_another_form_is_malformed(
        self, client: httpx.Client, change: dict[str, Any]
    ) -> None:
        [age, *others] = tensors(SUBJECT)
        body = {"inputs": [age | change, *others]}
        problem(client.post("/v2/models/stroke/infer", json=body), 400)


class TestOthers:
    @pytest.mark.parametrize(
        "path", ["/v1/models/other", "/v2/models/other", "/v1/models/other/metadata", "/nothing"]
    )
    def test_what_is_not_there_is_a_problem(self, client: httpx.Client, path: str) -> None:
        problem(client.get(path), 404)

    def test_a_method_that_is_not_there_is_a_problem(self, client: httpx.Client) -> None:
        answer = client.get("/predict")
        problem(answer, 405)
        assert answer.headers["allow"] == "POST"

    def test_an_error_has_the_member_that_clients_of_both_protocols_read(
        self, client: httpx.Client
    ) -> None:
        found = problem(client.get("/v1/models/other"), 404)
        assert found["error"] == found["detail"]

"""The request formats of MLflow, SageMaker, KServe and the Open Inference Protocol."""

import json

import pytest
from served import serving

TEXTS = ["this is great", "waste of money"]


@pytest.fixture(scope="module")
def labels(predictor):
    return predictor.label(TEXTS)


@pytest.mark.parametrize(
    "body",
    [
        {"instances": TEXTS},
        {"inputs": TEXTS},
        {"inputs": [[text] for text in TEXTS]},
        {"inputs": {"text": TEXTS}},
        {"instances": [{"text": text} for text in TEXTS]},
        {"dataframe_split": {"columns": ["id", "text"], "data": [[1, TEXTS[0]], [2, TEXTS[1]]]}},
        {"dataframe_split": {"index": [0, 1], "columns": ["review"], "data": [[t] for t in TEXTS]}},
        {"dataframe_records": [{"id": 1, "text": text} for text in TEXTS], "params": {}},
        {"dataframe_records": [{"review": text} for text in TEXTS]},
        {"inputs": {"review": TEXTS}},
    ],
)
def test_invocations_take_all_forms_of_mlflow(served, labels, body):
    """Each gives the labels in the order of the texts."""
    answer = served.post("/invocations", body, content_type="application/json; charset=utf-8")
    assert answer.json() == {"predictions": labels}


def test_invocations_take_one_text(served, labels):
    """Which gets a list of one label."""
    answer = served.post("/invocations", {"inputs": TEXTS[0]}, content_type="application/json")
    assert answer.json() == {"predictions": labels[:1]}


def test_invocations_take_csv_with_a_header(served, labels):
    """The column is called text, or is the only one."""
    for body in (f"id,text\n1,{TEXTS[0]}\n2,{TEXTS[1]}\n", f"x\n{TEXTS[0]}\n{TEXTS[1]}\n"):
        answer = served.post("/invocations", body.encode(), content_type="text/csv")
        assert answer.json() == {"predictions": labels}


def frame(columns, *rows):
    return {"dataframe_split": {"columns": columns, "data": rows}}


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ({}, "application/json", 422, "exactly one of"),
        ({"inputs": TEXTS, "instances": TEXTS}, "application/json", 422, "exactly one of"),
        ({"inputs": [1]}, "application/json", 422, "inputs[0]"),
        ({"dataframe_records": [{"a": "b", "c": "d"}]}, "application/json", 422, "[0]"),
        ({"instances": [{"a": "b"}, {"c": "d"}]}, "application/json", 422, "[1] is not a text"),
        ({"instances": [{"text": "b"}, {"c": "d"}]}, "application/json", 422, "text in 'text'"),
        ({"inputs": TEXTS}, "application/json; charset=latin-1", 415, "UTF-8"),
        ({"inputs": TEXTS}, "text/plain", 415, "text/plain"),
        ({"inputs": {"a": TEXTS, "b": TEXTS}}, "application/json", 422, "no column 'text'"),
        (frame(["a", "b"], ["x", "y"]), "application/json", 422, "no column 'text'"),
        (frame(["a", "text"], ["x"]), "application/json", 422, "a row of dataframe_split"),
        (
            frame(["text"], ["x", "y"]),
            "application/json",
            422,
            "has 2 cells, and the header has 1 column",
        ),
        (frame(None, ["id", "x"]), "application/json", 422, "dataframe_split[0] is not a text"),
        (b"text\n\xff\n", "text/csv", 415, "not UTF-8"),
        (b'text\n"a"b\n', "text/csv", 422, "not CSV"),
        (b"a,b\nx,y\n", "text/csv", 422, "no column 'text'"),
    ],
)
def test_invocations_that_make_no_sense_are_told_where(served, body, kind, status, said):
    """With MLflow's statuses."""
    answer = served.post("/invocations", body, content_type=kind)
    assert answer.status == status
    assert said in answer.json()["error"]


def test_kserve_takes_instances(registry, labels):
    """Under any name of a model, which is the client's; a server that stops is not ready."""
    with serving(registry) as served:
        answer = served.post("/v1/models/reviews:predict", {"instances": TEXTS})
        assert answer.json() == {"predictions": labels}
        assert served.get("/v1/models/reviews").json() == {"name": "reviews", "ready": True}
        served.service.draining = True
        assert served.get("/v1/models/reviews").status == 503


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_open_inference_takes_a_tensor_of_texts(served, predictor, labels, shape):
    """Of one dimension or two; the answer has the labels, the scores and the request's id."""
    data = TEXTS if shape == [2] else [[text] for text in TEXTS]
    tensor = {"name": "text", "datatype": "BYTES", "shape": shape, "data": data}
    answer = served.post("/v2/models/reviews/infer", {"id": "7", "inputs": [tensor]}).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == (
        "7",
        "reviews",
        "1.0.0",
    )
    label, score = answer["outputs"]
    assert label == {"name": "label", "datatype": "BYTES", "shape": [2], "data": labels}
    assert score["data"] == pytest.approx([p.score for p in predictor.predict(TEXTS)])


def test_open_inference_returns_the_outputs_that_were_asked_for(served):
    """And refuses others."""
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
    asked = {"inputs": [tensor], "outputs": [{"name": "score"}]}
    [output] = served.post("/v2/models/m/infer", asked).json()["outputs"]
    assert output["name"] == "score"
    asked["outputs"] = [{"name": "embedding"}]
    assert "'embedding'" in served.post("/v2/models/m/infer", asked).json()["error"]


def test_open_inference_describes_the_model(served):
    """What it takes and returns, and that it is ready."""
    described = served.get("/v2/models/m").json()
    assert described["versions"] == ["1.0.0"]
    assert described["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/m/ready"):
        assert served.get(path).status == 200
    assert served.get("/v2/models/m/versions/1.0.0/ready").status == 200
    assert served.get("/v2").json()["name"] == "textclf"


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ({"name": "input", "datatype": "BYTES", "shape": [1], "data": ["a"]}, "'text'"),
        ({"name": "text", "datatype": "FP32", "shape": [1], "data": [1.0]}, "BYTES"),
        ({"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a"]}, "shape"),
        ({"name": "text", "datatype": "BYTES", "shape": [1], "data": [1]}, "data[0]"),
        ({"name": "text", "datatype": "BYTES", "shape": [1]}, "no data"),
    ],
)
def test_open_inference_says_what_is_wrong_with_a_tensor(served, tensor, said):
    """In its form of an error."""
    answer = served.post("/v2/models/m/infer", {"inputs": [tensor]})
    assert answer.status == 422
    assert said in answer.json()["error"]


def test_open_inference_serves_one_version(served):
    """Another is not found."""
    answer = served.get("/v2/models/m/versions/2.0.0")
    assert answer.status == 404
    assert "1.0.0 is" in answer.json()["error"]


def binary(texts, **changes):
    """A request as Triton's client sends it unless it is told to send JSON."""
    data = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    tensor = {
        "name": "text", "shape": [len(texts)], "datatype": "BYTES",
        "parameters": {"binary_data_size": len(data)},
    }  # fmt: skip
    head = json.dumps({"inputs": [tensor | changes]}).encode()
    return head + data, {"inference_header_content_length": str(len(head))}


def test_open_inference_takes_binary_data(served, predictor):
    """The answer is JSON, which the clients take, too."""
    texts = ["this is great", "größer"]
    body, headers = binary([text.encode() for text in texts])
    answer = served.post("/v2/models/m/infer", body, **headers)
    assert answer.json()["outputs"][0]["data"] == predictor.label(texts)


@pytest.mark.parametrize(
    ("body", "length", "status"),
    [
        (binary([b"a"])[0][:-1], binary([b"a"])[1], 400),
        (binary([b"\xff"])[0], binary([b"\xff"])[1], 415),
        (binary([b"a"], shape=[2])[0], binary([b"a"], shape=[2])[1], 422),
        (b"{}", {"inference_header_content_length": "3"}, 400),
        (b"{}", {"inference_header_content_length": "-1"}, 400),
    ],
)
def test_binary_data_that_is_damaged_is_refused(served, body, length, status):
    """With what is wrong."""
    answer = served.post("/v2/models/m/infer", body, **length)
    assert answer.status == status
    assert "error" in answer.json()


def test_vertex_ai_names_the_paths_that_it_asks_for(registry, labels, monkeypatch):
    """In variables of the container."""
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/v1/endpoints/1/deployedModels/2:predict")
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/v1/endpoints/1/deployedModels/2")
    with serving(registry) as served:
        assert served.get("/v1/endpoints/1/deployedModels/2").status == 200
        answer = served.post("/v1/endpoints/1/deployedModels/2:predict", {"instances": TEXTS})
    assert answer.json() == {"predictions": labels}


@pytest.mark.parametrize("path", ["/v1/predict", "/invocations", "/v1/models/m:predict"])
def test_compressed_bodies_are_refused(served, path):
    """And not taken for damaged ones."""
    answer = served.post(path, {"texts": ["a"]}, content_encoding="gzip")
    assert answer.status == 415
    assert "gzip" in answer.json()["error"]


def test_the_version_in_a_path_is_that_of_the_answer(served, monkeypatch):
    """Also if another is promoted while the texts wait."""
    from dataclasses import replace

    service = served.service
    newer = replace(service.model, version="2.0.0")
    label = service.labeller.batcher.predict

    async def promoted_meanwhile(_, texts, **options):
        monkeypatch.setattr(service.reloader, "current", newer)
        return await label(texts, **options)

    monkeypatch.setattr(type(service.labeller.batcher), "predict", promoted_meanwhile)
    request = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}
    assert served.post("/v2/models/m/versions/1.0.0/infer", request).status == 404

# SPDX-License-Identifier: MIT
"""The manifests for Kubernetes, compose, Prometheus and Grafana: they can be read, and agree with each other and with
the server. Run by `./dev check manifests`; needs no server and no cluster."""

import glob
import json
import os
import re
import shutil
import subprocess
import types

import pytest
import yaml
from support.settings import MODES, ROOT

DEPLOY = os.path.join(ROOT, "deploy")
KUBECTL_LEAST = (1, 27)  # its kustomize knows every field that is used here


def text_of(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def project_version():
    return re.search(r"^project\(echod VERSION ([\d.]+)", text_of(ROOT, "CMakeLists.txt"), re.MULTILINE)[1]


def kubectl_is_new_enough():
    if shutil.which("kubectl") is None:
        return False
    done = subprocess.run(["kubectl", "version", "--client", "--output=json"], capture_output=True, text=True)
    version = re.search(r'"gitVersion": "v(\d+)\.(\d+)', done.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= KUBECTL_LEAST


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


def render(folder):
    """The objects of a kustomization, by kind."""
    done = subprocess.run(["kubectl", "kustomize", os.path.join(DEPLOY, "kubernetes", folder)],
                          capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"kubectl kustomize {folder}: {done.stderr}")
    objects = list(yaml.safe_load_all(done.stdout))
    kinds = {item["kind"]: item for item in objects}
    assert len(kinds) == len(objects), "two of a kind"
    return kinds


FILES = sorted(path for pattern in ("*.yaml", "*.yml", "*.json")
               for path in glob.glob(os.path.join(DEPLOY, "**", pattern), recursive=True))


def test_there_are_files():
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: os.path.relpath(path, DEPLOY))
def test_each_can_be_read(path):
    text = text_of(path)
    documents = [json.loads(text)] if path.endswith(".json") else list(yaml.safe_load_all(text))
    assert all(isinstance(document, dict) for document in documents)


def test_every_resource_is_in_a_kustomization():
    for folder, _, names in os.walk(os.path.join(DEPLOY, "kubernetes")):
        if "kustomization.yaml" in names:
            kustomization = yaml.safe_load(text_of(folder, "kustomization.yaml"))
            named = {name for name in kustomization["resources"] if name.endswith(".yaml")}
            assert named == {name for name in names if name.endswith(".yaml")} - {"kustomization.yaml"}


def rendered(folder):
    """What `kubectl kustomize` makes of it: its objects by kind, and those parts that are looked at most."""
    if not kubectl_is_new_enough():
        pytest.skip("no kubectl of 1.27 or newer is installed")
    kinds = render(folder)
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    container, = pod["containers"]
    return types.SimpleNamespace(kinds=kinds, pod=pod, container=container, data=kinds["ConfigMap"]["data"])


@pytest.fixture(scope="module")
def overlay():
    return rendered("overlay")


def test_kinds_and_names(overlay):
    assert set(overlay.kinds) == {"ConfigMap", "Service", "Deployment", "PodDisruptionBudget",
                                  "HorizontalPodAutoscaler", "ServiceMonitor"}
    for kind, item in overlay.kinds.items():
        assert re.search(r"^echod(-\w+)?$" if kind == "ConfigMap" else r"^echod$", item["metadata"]["name"]), kind
    assert overlay.data["ECHOD_MODE"] in MODES
    assert overlay.kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "echod"}


def test_selectors_pick_the_pods_of_this_overlay_only(overlay):
    labels = overlay.kinds["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/name": "echod"}
    assert overlay.kinds["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert overlay.kinds["Service"]["spec"]["selector"] == labels
    assert overlay.kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert overlay.kinds["ServiceMonitor"]["spec"]["selector"]["matchLabels"] == overlay.kinds["Service"]["metadata"]["labels"]


def test_ports(overlay):
    ports = {port["name"]: port["containerPort"] for port in overlay.container["ports"]}
    assert {port["name"]: port["targetPort"] for port in overlay.kinds["Service"]["spec"]["ports"]} == {name: name for name in ports}
    assert overlay.kinds["ServiceMonitor"]["spec"]["endpoints"][0]["port"] == "admin"
    assert overlay.kinds["ServiceMonitor"]["spec"]["endpoints"][0]["path"] == "/metrics"
    assert overlay.data["ECHOD_LISTEN"] == f"*:{ports['http']}"
    assert overlay.data["ECHOD_ADMIN_LISTEN"] == f"*:{ports['admin']}"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = "/readyz" if probe == "readinessProbe" else "/healthz"
        assert overlay.container[probe]["httpGet"] == {"path": path, "port": "admin"}


def test_the_autoscaler_alone_says_how_many(overlay):
    assert "replicas" not in overlay.kinds["Deployment"]["spec"]
    assert overlay.kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"] > overlay.kinds["PodDisruptionBudget"]["spec"]["maxUnavailable"]


def test_the_connections_fit_into_the_memory(overlay):
    """In every mode, with what the documentation's table of sizes says of it."""
    table = re.findall(r"^\| ([a-z, ]+) \| [^|]+ \| [^|]+ \| ([\d.]+) KB \|", text_of(DEPLOY, "README.md"), re.MULTILINE)
    sizes = {mode: float(size) * 1e3 for names, size in table for mode in names.split(", ")}
    assert set(sizes) == set(MODES)
    number, unit = re.fullmatch(r"(\d+)([MG]i)", overlay.container["resources"]["limits"]["memory"]).groups()
    limit = int(number) << {"Mi": 20, "Gi": 30}[unit]
    connections = int(overlay.data["ECHOD_MAX_CONNECTIONS"])
    for mode, size in sizes.items():
        assert limit > (256 << 20) + connections * size, mode


def test_the_drain_fits_into_the_grace(overlay):
    """And the endpoints hear of it while the pod still accepts."""
    delay, timeout = seconds(overlay.data["ECHOD_DRAIN_DELAY"]), seconds(overlay.data["ECHOD_DRAIN_TIMEOUT"])
    assert overlay.pod["terminationGracePeriodSeconds"] > delay + timeout
    probe = overlay.container["readinessProbe"]
    assert delay > 2 * probe["periodSeconds"] * probe["failureThreshold"]


def test_rights(overlay):
    """What the restricted profile of the pod security standards asks for, and more."""
    for pod in (overlay.pod, load()):
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]}}
            assert "memory" in container["resources"]["limits"]


def test_the_overlay_for_uring(overlay):
    """The same in another mode, with the profile that the mode needs: for the whole pod, so that no container has another."""
    uring = rendered("uring")
    assert uring.data == overlay.data | {"ECHOD_MODE": "uring"}
    profile = uring.pod["securityContext"].pop("seccompProfile")
    assert profile == {"type": "Localhost", "localhostProfile": "echod/uring.json"}
    assert uring.pod["securityContext"] == {name: value for name, value in overlay.pod["securityContext"].items() if name != "seccompProfile"}
    assert uring.container["securityContext"] == overlay.container["securityContext"]
    assert set(uring.kinds) == set(overlay.kinds)


def test_the_profile_for_uring_is_there():
    name = re.search(r"localhostProfile: echod/(\S+)", text_of(DEPLOY, "kubernetes", "uring", "kustomization.yaml"))[1]
    assert os.path.exists(os.path.join(DEPLOY, "seccomp", name))


def load():
    return render("load")["Job"]["spec"]["template"]["spec"]


def test_image_and_its_user(overlay):
    assert overlay.container["image"] == f"localhost/echod:{project_version()}"
    context = overlay.pod["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in text_of(ROOT, "Dockerfile")


def test_load_job(overlay):
    job = render("load")
    assert job["Job"]["spec"]["parallelism"] == job["Job"]["spec"]["completions"]
    known = job["ConfigMap"]["data"]
    container, = load()["containers"]
    assert set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))) == set(known)
    assert re.match(r"http://([\w-]+)/", known["TARGET"])[1] == overlay.kinds["Service"]["metadata"]["name"]


COMPOSE = yaml.safe_load(text_of(DEPLOY, "compose", "compose.yaml"))


def test_a_service_for_each_mode():
    ports = []
    for mode in MODES:
        service = COMPOSE["services"][mode]
        assert service["environment"] == {"ECHOD_MODE": mode}
        assert service["image"] == f"localhost/echod:{project_version()}"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        ports += service["ports"]
    assert len(set(ports)) == len(MODES)


def test_mode_uring_alone_has_a_seccomp_profile_of_its_own():
    """Docker's default profile forbids io_uring; Compose looks for the file from its own folder on."""
    for mode in MODES:
        paths = [option.removeprefix("seccomp:") for option in COMPOSE["services"][mode]["security_opt"] if option.startswith("seccomp:")]
        assert paths == (["../seccomp/uring.json"] if mode == "uring" else [])
        assert all(os.path.exists(os.path.join(DEPLOY, "compose", path)) for path in paths)


def test_what_is_mounted_is_there():
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            assert os.path.exists(os.path.join(DEPLOY, "compose", volume.split(":")[0])), volume


def test_prometheus_scrapes_each_mode():
    config = yaml.safe_load(text_of(DEPLOY, "compose", "prometheus.yml"))
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [f"{mode}:8080" for mode in MODES]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool():
    done = subprocess.run(["promtool", "check", "config", os.path.join(DEPLOY, "compose", "prometheus.yml")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


BOARD = json.loads(text_of(DEPLOY, "compose", "grafana", "dashboards", "echod.json"))


def test_panels():
    places, ids = set(), set()
    for panel in BOARD["panels"]:
        ids.add(panel["id"])
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & places, "panels overlap"
        places |= cells
        assert place["x"] + place["w"] <= 24
        assert all(target["expr"] for target in panel["targets"])
    assert len(ids) == len(BOARD["panels"])


def test_data_source():
    """The one that is provisioned."""
    source, = yaml.safe_load(text_of(DEPLOY, "compose", "grafana", "provisioning", "datasources",
                                     "prometheus.yaml"))["datasources"]
    config = yaml.safe_load(text_of(DEPLOY, "compose", "prometheus.yml"))
    assert source["jsonData"]["timeInterval"] == config["global"]["scrape_interval"]
    for panel in BOARD["panels"]:
        assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}

# SPDX-License-Identifier: MIT
"""The manifests for Kubernetes, compose, Prometheus and Grafana: they can be read, and agree with each other and with
the server. Run by `./dev check manifests`; needs no server and no cluster."""

import glob
import json
import os
import re
import shutil
import subprocess
import unittest

import yaml
from server import MODES, ROOT

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


class FileTest(unittest.TestCase):
    def test_each_can_be_read(self):
        files = [path for pattern in ("*.yaml", "*.yml", "*.json")
                 for path in glob.glob(os.path.join(DEPLOY, "**", pattern), recursive=True)]
        self.assertGreater(len(files), 10)
        for path in files:
            with self.subTest(os.path.relpath(path, DEPLOY)):
                text = text_of(path)
                documents = [json.loads(text)] if path.endswith(".json") else list(yaml.safe_load_all(text))
                self.assertTrue(all(isinstance(document, dict) for document in documents))

    def test_every_resource_is_in_a_kustomization(self):
        for folder, _, names in os.walk(os.path.join(DEPLOY, "kubernetes")):
            if "kustomization.yaml" in names:
                kustomization = yaml.safe_load(text_of(folder, "kustomization.yaml"))
                named = {name for name in kustomization["resources"] if name.endswith(".yaml")}
                self.assertEqual(named, {name for name in names if name.endswith(".yaml")} - {"kustomization.yaml"})


@unittest.skipUnless(kubectl_is_new_enough(), "no kubectl of 1.27 or newer is installed")
class KubernetesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kinds = render("overlay")
        cls.pod = cls.kinds["Deployment"]["spec"]["template"]["spec"]
        cls.container, = cls.pod["containers"]
        cls.data = cls.kinds["ConfigMap"]["data"]

    def test_kinds_and_names(self):
        self.assertEqual(set(self.kinds), {"ConfigMap", "Service", "Deployment", "PodDisruptionBudget",
                                           "HorizontalPodAutoscaler", "ServiceMonitor"})
        for kind, item in self.kinds.items():
            self.assertRegex(item["metadata"]["name"], r"^echod(-\w+)?$" if kind == "ConfigMap" else r"^echod$", kind)
        self.assertIn(self.data["ECHOD_MODE"], MODES)
        self.assertEqual(self.kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"],
                         {"apiVersion": "apps/v1", "kind": "Deployment", "name": "echod"})

    def test_selectors_pick_the_pods_of_this_overlay_only(self):
        labels = self.kinds["Deployment"]["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(labels, {"app.kubernetes.io/name": "echod"})
        self.assertEqual(self.kinds["Deployment"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(self.kinds["Service"]["spec"]["selector"], labels)
        self.assertEqual(self.kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(self.kinds["ServiceMonitor"]["spec"]["selector"]["matchLabels"],
                         self.kinds["Service"]["metadata"]["labels"])

    def test_ports(self):
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.assertEqual({port["name"]: port["targetPort"] for port in self.kinds["Service"]["spec"]["ports"]},
                         {name: name for name in ports})
        self.assertEqual(self.kinds["ServiceMonitor"]["spec"]["endpoints"][0]["port"], "admin")
        self.assertEqual(self.kinds["ServiceMonitor"]["spec"]["endpoints"][0]["path"], "/metrics")
        self.assertEqual(self.data["ECHOD_LISTEN"], f"*:{ports['http']}")
        self.assertEqual(self.data["ECHOD_ADMIN_LISTEN"], f"*:{ports['admin']}")
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = "/readyz" if probe == "readinessProbe" else "/healthz"
            self.assertEqual(self.container[probe]["httpGet"], {"path": path, "port": "admin"})

    def test_the_autoscaler_alone_says_how_many(self):
        self.assertNotIn("replicas", self.kinds["Deployment"]["spec"])
        self.assertGreater(self.kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"],
                           self.kinds["PodDisruptionBudget"]["spec"]["maxUnavailable"])

    def test_the_connections_fit_into_the_memory(self):
        """In every mode, with what the documentation's table of sizes says of it."""
        table = re.findall(r"^\| ([a-z, ]+) \| [^|]+ \| [^|]+ \| ([\d.]+) KB \|", text_of(DEPLOY, "README.md"), re.MULTILINE)
        sizes = {mode: float(size) * 1e3 for names, size in table for mode in names.split(", ")}
        self.assertEqual(set(sizes), set(MODES))
        number, unit = re.fullmatch(r"(\d+)([MG]i)", self.container["resources"]["limits"]["memory"]).groups()
        limit = int(number) << {"Mi": 20, "Gi": 30}[unit]
        connections = int(self.data["ECHOD_MAX_CONNECTIONS"])
        for mode, size in sizes.items():
            self.assertGreater(limit, (256 << 20) + connections * size, mode)

    def test_the_drain_fits_into_the_grace(self):
        """And the endpoints hear of it while the pod still accepts."""
        delay, timeout = seconds(self.data["ECHOD_DRAIN_DELAY"]), seconds(self.data["ECHOD_DRAIN_TIMEOUT"])
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], delay + timeout)
        probe = self.container["readinessProbe"]
        self.assertGreater(delay, 2 * probe["periodSeconds"] * probe["failureThreshold"])

    def test_rights(self):
        """What the restricted profile of the pod security standards asks for, and more."""
        for pod in (self.pod, self.load()):
            self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertTrue(pod["securityContext"]["runAsNonRoot"])
            self.assertGreater(pod["securityContext"]["runAsUser"], 0)
            self.assertIs(pod["automountServiceAccountToken"], False)
            self.assertIs(pod["enableServiceLinks"], False)
            for container in pod["containers"]:
                self.assertEqual(container["securityContext"], {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]}})
                self.assertIn("memory", container["resources"]["limits"])

    def load(self):
        return render("load")["Job"]["spec"]["template"]["spec"]

    def test_image_and_its_user(self):
        self.assertEqual(self.container["image"], f"localhost/echod:{project_version()}")
        context = self.pod["securityContext"]
        self.assertIn(f"USER {context['runAsUser']}:{context['runAsGroup']}\n", text_of(ROOT, "Dockerfile"))

    def test_load_job(self):
        job = render("load")
        self.assertEqual(job["Job"]["spec"]["parallelism"], job["Job"]["spec"]["completions"])
        known = job["ConfigMap"]["data"]
        container, = self.load()["containers"]
        self.assertEqual(set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))), set(known))
        self.assertEqual(re.match(r"http://([\w-]+)/", known["TARGET"])[1], self.kinds["Service"]["metadata"]["name"])


class ComposeTest(unittest.TestCase):
    compose = yaml.safe_load(text_of(DEPLOY, "compose", "compose.yaml"))

    def test_a_service_for_each_mode(self):
        ports = []
        for mode in MODES:
            service = self.compose["services"][mode]
            self.assertEqual(service["environment"], {"ECHOD_MODE": mode})
            self.assertEqual(service["image"], f"localhost/echod:{project_version()}")
            self.assertTrue(service["read_only"])
            self.assertEqual(service["cap_drop"], ["ALL"])
            ports += service["ports"]
        self.assertEqual(len(set(ports)), len(MODES))

    def test_what_is_mounted_is_there(self):
        for service in self.compose["services"].values():
            for volume in service.get("volumes", []):
                self.assertTrue(os.path.exists(os.path.join(DEPLOY, "compose", volume.split(":")[0])), volume)

    def test_prometheus_scrapes_each_mode(self):
        config = yaml.safe_load(text_of(DEPLOY, "compose", "prometheus.yml"))
        targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
        self.assertEqual(targets, [f"{mode}:8080" for mode in MODES])

    @unittest.skipIf(shutil.which("promtool") is None, "promtool is not installed")
    def test_promtool(self):
        done = subprocess.run(["promtool", "check", "config", os.path.join(DEPLOY, "compose", "prometheus.yml")],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class DashboardTest(unittest.TestCase):
    board = json.loads(text_of(DEPLOY, "compose", "grafana", "dashboards", "echod.json"))

    def test_panels(self):
        places, ids = set(), set()
        for panel in self.board["panels"]:
            ids.add(panel["id"])
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & places, "panels overlap")
            places |= cells
            self.assertLessEqual(place["x"] + place["w"], 24)
            self.assertTrue(all(target["expr"] for target in panel["targets"]))
        self.assertEqual(len(ids), len(self.board["panels"]))

    def test_data_source(self):
        """The one that is provisioned."""
        source, = yaml.safe_load(text_of(DEPLOY, "compose", "grafana", "provisioning", "datasources",
                                         "prometheus.yaml"))["datasources"]
        config = yaml.safe_load(text_of(DEPLOY, "compose", "prometheus.yml"))
        self.assertEqual(source["jsonData"]["timeInterval"], config["global"]["scrape_interval"])
        for panel in self.board["panels"]:
            self.assertEqual(panel["datasource"], {"type": source["type"], "uid": source["uid"]})


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""`kaito.distribution`: its version, its provisioner, its feature gates, and what each of them refuses."""

from pathlib import Path

import pytest

from aks_kaito.settings import Settings, load
from aks_kaito.settings.feature_gates import DEFAULTS
from aks_kaito.settings.model import FeatureGate
from support.environment_files import DEV, changed, edited, problems, warnings, written
from support.project import TODAY

HELM = '\n[kaito]\ndistribution = "helm"\nversion = "0.12.0"\n'
EXISTING = ['instance_type = ""', 'node_labels = { pool = "gpus" }']
BYO = f'{changed("model", *EXISTING)}{HELM}provisioner = "none"\n'
TRANSFORMERS = changed("model", 'runtime = "transformers"')
OLDER = '\n[kaito]\ndistribution = "helm"\n'


def settings(folder: Path, text: str) -> Settings:
    return load(written(folder, text), TODAY).settings


def changed_gates(folder: Path, text: str) -> dict[FeatureGate, bool]:
    """Return the gates that differ from KAITO's defaults."""
    found = settings(folder, text).kaito_feature_gates
    assert found.keys() == DEFAULTS.keys()
    return {gate: value for gate, value in found.items() if value != DEFAULTS[gate]}


def test_the_add_on_is_the_default(tmp_path: Path) -> None:
    kaito = settings(tmp_path, DEV).kaito
    assert (kaito.is_add_on, kaito.is_open_source, kaito.installed_provisioner) == (True, False, None)


def test_the_chart_has_node_auto_provisioning_by_default(tmp_path: Path) -> None:
    kaito = settings(tmp_path, DEV + HELM).kaito
    assert (kaito.is_add_on, kaito.is_open_source, kaito.installed_provisioner) == (
        False,
        True,
        "node-auto-provisioning",
    )
    assert changed_gates(tmp_path, DEV + HELM) == {}
    off = settings(tmp_path, f"{DEV}{HELM}enabled = false\n").kaito
    assert (off.is_add_on, off.is_open_source, off.installed_provisioner) == (False, False, None)


@pytest.mark.parametrize("text", [BYO, changed("model", 'node_labels = { pool = "gpus" }') + HELM])
def test_copies_of_an_inference_set_share_the_labels_of_their_nodes(text: str, tmp_path: Path) -> None:
    model = settings(tmp_path, text.replace("[model]", "[model]\nreplicas = 2")).all_models["default"]
    assert (model.replicas, model.node_labels) == (2, {"pool": "gpus"})


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        (BYO, {"disableNodeAutoProvisioning": True}),
        (
            BYO.replace("[model]", '[model]\nmig_profile = "2g.20gb"'),
            {"disableNodeAutoProvisioning": True, "enableMIG": True},
        ),
        (f"{DEV}\n[model.auto_upgrade]\n{HELM}", {"enableBaseImageAutoUpgrade": True}),
        (
            f"{DEV}{HELM}feature_gates = {{ enableMultiRoleInferenceController = true, ModelMirror = true }}\n",
            {"enableMultiRoleInferenceController": True, "ModelMirror": True},
        ),
        (
            TRANSFORMERS + HELM + "feature_gates = { vLLM = false }\n",
            {"vLLM": False},
        ),
    ],
    ids=["existing nodes", "mig", "auto_upgrade", "named", "switched off"],
)
def test_gates_are_those_that_the_settings_need_or_name(
    text: str, gates: dict[FeatureGate, bool], tmp_path: Path
) -> None:
    assert changed_gates(tmp_path, text) == gates


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (DEV + OLDER, "kaito.version", 'must be 0.12.0 with kaito.distribution = "helm"'),
        (f'{DEV}\n[kaito]\nprovisioner = "none"\n', "kaito.provisioner", 'needs kaito.distribution = "helm"'),
        # Also the default value: it has no effect on the add-on.
        (
            f'{DEV}\n[kaito]\nprovisioner = "node-auto-provisioning"\n',
            "kaito.provisioner",
            "a provisioner of its own",
        ),
        (f'{DEV}{HELM}provisioner = "byo"\n', "kaito.provisioner", '"node-auto-provisioning", "gpu-provisioner" or'),
        (f"{DEV}\n[kaito]\nfeature_gates = {{ vLLM = true }}\n", "kaito.feature_gates", "the add-on has no switch"),
        (
            f'{DEV}{HELM}provisioner_identity = "customer"\n',
            "kaito.provisioner_identity",
            'must not be set with kaito.distribution = "helm", whose provisioner is kaito.provisioner',
        ),
        (
            f"{DEV}{HELM}feature_gates = {{ enableMig = true }}\n",
            "kaito.feature_gates.enableMig",
            '"enableMIG", "enableAccelerator"',
        ),
        (
            f'{DEV}{HELM}feature_gates = {{ enableMIG = "yes" }}\n',
            "kaito.feature_gates.enableMIG",
            "must be true or false",
        ),
        (
            f"{DEV}{HELM}feature_gates = {{ disableNodeAutoProvisioning = true }}\n",
            "kaito.feature_gates.disableNodeAutoProvisioning",
            'must be false, or left out, unless kaito.provisioner = "none"',
        ),
        (
            f"{BYO}feature_gates = {{ disableNodeAutoProvisioning = false }}\n",
            "kaito.feature_gates.disableNodeAutoProvisioning",
            'must be true, or left out, because of kaito.provisioner = "none"',
        ),
        (
            f"{DEV}{HELM}feature_gates = {{ enableInferenceSetController = false }}\n",
            "kaito.feature_gates.enableInferenceSetController",
            "because of preset of the model default",
        ),
        (
            f"{DEV}{HELM}feature_gates = {{ vLLM = false }}\n",
            "kaito.feature_gates.vLLM",
            "because of runtime of the model default",
        ),
        (
            f"{DEV}\n[model.auto_upgrade]\n{HELM}feature_gates = {{ enableBaseImageAutoUpgrade = false }}\n",
            "kaito.feature_gates.enableBaseImageAutoUpgrade",
            "because of auto_upgrade of the model default",
        ),
        (
            f"{DEV}{HELM}feature_gates = {{ ModelStreaming = true }}\n",
            "kaito.feature_gates.ModelStreaming",
            "needs kaito.feature_gates.ModelMirror = true",
        ),
        (
            f'{DEV}{HELM}provisioner = "none"\n',
            "model.instance_type",
            'must be "", for existing nodes, with kaito.provisioner = "none"',
        ),
        (changed("model", *EXISTING) + HELM, "model.instance_type", 'needs kaito.provisioner = "none"'),
        (
            f'{BYO}\n[models.other]\npreset = "phi-4"\n',
            "models.other.instance_type",
            "which creates no nodes",
        ),
        (
            edited({"cluster": ['network_policy = "calico"']}) + HELM,
            "cluster.network_policy",
            'must be "cilium" or "azure" with kaito.provisioner = "node-auto-provisioning"',
        ),
        (
            edited(
                {
                    "cluster": ['network_plugin_mode = "pod-subnet"'],
                    "network": ['pod_subnet_cidr = "10.242.0.0/16"'],
                }
            )
            + HELM,
            "cluster.network_plugin_mode",
            'kaito.provisioner = "gpu-provisioner" has no such limit',
        ),
        (
            f'{DEV}\n[chat]\nnamespace = "gpu-provisioner"\n{HELM}',
            "chat.namespace",
            "the namespace of KAITO's GPU provisioner",
        ),
    ],
)
def test_what_is_refused(text: str, key: str, words: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, text))
    assert words in found[key]
    assert found[key].startswith(f"{key} = ")


@pytest.mark.parametrize(
    "text",
    [
        edited({"cluster": ['network_policy = "calico"']}) + HELM + 'provisioner = "gpu-provisioner"\n',
        edited({"cluster": ['network_policy = "azure"']}) + HELM,
        edited({"cluster": ['network_policy = "calico"']}),
        # The add-on leaves existing nodes to another rule, and has no gate for them.
        edited({"cluster": ['network_policy = "calico"']}) + HELM + "enabled = false\n",
        DEV + '\n[chat]\nnamespace = "gpu-provisioner"\n',
    ],
)
def test_what_is_accepted(text: str, tmp_path: Path) -> None:
    assert load(written(tmp_path, text), TODAY)


def test_the_deprecated_provisioner_warns(tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, f'{DEV}{HELM}provisioner = "gpu-provisioner"\n'))
    assert warning == (
        'kaito.provisioner = "gpu-provisioner": is deprecated by KAITO, which recommends "node-auto-provisioning"'
    )
    assert warnings(written(tmp_path, DEV + HELM)) == []

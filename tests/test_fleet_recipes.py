"""The recipes of docs/fleet/: as far as a machine without Slurm, Kubernetes and ssh hosts can follow them."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")  # comes with Ray

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "docs" / "fleet"


def pinned(distribution: str) -> str:
    lines = (ROOT / "constraints" / "cpu.txt").read_text(encoding="utf-8").splitlines()
    (found,) = [line.split("#")[0].strip() for line in lines if line.startswith(f"{distribution}==")]
    return found.partition("==")[2]


@pytest.fixture
def slurm(tmp_path):
    """Slurm's commands and Ray's, as far as the script uses them: srun runs here, symmetric-run runs its command."""
    programs = {
        "scontrol": 'echo "host-1"; echo "host-2"',
        "srun": 'exec "$@"',
        "ray": 'echo "ray $*" >> "$LOG"; [ "$1" = symmetric-run ] || exit 0; while [ "$1" != -- ]; do shift; done; '
        'shift; exec "$@"',
        "python": 'echo "python $*" >> "$LOG"',
    }
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    variables = {
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_NODELIST": "host-[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
        "HOME": str(tmp_path),
        "LOG": str(tmp_path / "log"),
        "PATH": f"{folder}:{os.environ['PATH']}",
    }

    def run(*targets: str) -> list[str]:
        subprocess.run(["bash", RECIPES / "slurm.sh", *targets], env=variables, check=True, timeout=60)
        return (tmp_path / "log").read_text().splitlines()

    return run


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_batch_script_starts_ray_on_the_job_s_hosts_and_measures_its_targets(slurm):
    said = slurm("v100", "t4")
    assert said[0] == "ray get-auth-token --generate"
    assert said[1].startswith("ray symmetric-run --address host-1:6379 --min-nodes 2 --include-dashboard=false -- ")
    assert said[2] == "python -m bench v100 t4 --ray auto --results results"
    assert said[3] == "python -m reports render --results results --out out"


def test_kubernetes_gets_an_image_of_the_pinned_ray_and_a_job_that_measures(tmp_path):
    job = yaml.safe_load((RECIPES / "kuberay.yaml").read_text(encoding="utf-8"))
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["rayVersion"] == pinned("ray")
    assert f"FROM rayproject/ray:{pinned('ray')}-" in (RECIPES / "Dockerfile").read_text(encoding="utf-8")
    assert cluster["authOptions"] == {"mode": "token"}
    (worker,) = cluster["workerGroupSpecs"]
    resources = worker["template"]["spec"]["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"]  # whole cores, of this pod alone


def test_ray_takes_the_cluster_of_ssh_hosts():
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(yaml.safe_load((RECIPES / "ray_up.yaml").read_text(encoding="utf-8"))))


def test_every_extra_of_the_hosts_is_one_of_the_project():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert "fleet" in extras
    assert any(each.startswith("ray") for each in extras["fleet"])

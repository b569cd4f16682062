"""The suite's own commit, its installed version, or nothing: never another repository's commit."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ASK = "from devices.host.provenance import suite_version; print(suite_version())"


def git(folder, *arguments):
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Somebody's repository with one commit."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "theirs")
    return tmp_path


def install(folder, version=None):
    """What pip puts into a folder, as far as the question needs it."""
    for path in ("devices/__init__.py", "devices/host/__init__.py", "devices/host/provenance.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    if version:
        info = folder / f"zennet_latency-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zennet-latency\nVersion: {version}\n")


def asked(folder):
    # -S leaves out the site-packages of the tests, which hold this suite's own distribution.
    command = [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {ASK}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_an_installation_within_another_repository_says_its_version(repository):
    site = repository / ".venv/lib/site-packages"
    install(site, "7.8.9")
    assert asked(site) == "7.8.9"


def test_a_copy_within_another_repository_without_a_version_says_nothing(repository):
    install(repository / "copy")
    assert asked(repository / "copy") == "None"


def test_a_checkout_says_its_version_its_commit_and_whether_files_differ(repository):
    install(repository, "6.0.0")  # as pip left it, before the checkout went on
    (repository / "pyproject.toml").write_text('[project]\nversion = "7.8.9"\n')
    git(repository, "add", "devices", "pyproject.toml")
    git(repository, "commit", "-q", "-m", "ours")
    commit = git(repository, "rev-parse", "HEAD")
    assert asked(repository) == f"7.8.9+g{commit}"
    (repository / "devices/__init__.py").write_text("# changed\n")
    assert asked(repository) == f"7.8.9+g{commit}.dirty"

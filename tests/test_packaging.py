# SPDX-License-Identifier: MIT
"""jobs/packaging: the modulefile in a module system, and the recipes against what CMakeLists.txt asks for."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from installed import HERE, call, made, needs_build, prefix
from program import needs_program

__all__ = ["prefix"]  # a fixture
ROOT = HERE.parent
PACKAGING = ROOT / "jobs" / "packaging"
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
OPTIONS = set(re.findall(r"^option\((PGB_\w+)", CMAKE, re.MULTILINE))
REPORT = {"numpy", "h5py", "xarray", "h5netcdf", "matplotlib", "jinja2"}
INIT = [p for p in map(Path, ("/usr/share/modules/init/sh", "/usr/share/lmod/lmod/init/sh")) if p.exists()]
SESSION = """\
. {init}
unset MANPATH PYTHONPATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH
module use {folder} && module load pgbench || exit
command -v pgbench
command -v pgbench-report
echo "$PGB_HOME $PYTHONPATH $PKG_CONFIG_PATH $CMAKE_PREFIX_PATH $MANPATH"
pgbench --version | head -1
pgbench-report --help | head -1
module unload pgbench
command -v pgbench | grep -F {root} || echo "${{PGB_HOME-gone}} ${{MANPATH-gone}}"
"""


@needs_program
@needs_build
@pytest.mark.skipif(not INIT, reason="neither environment-modules nor Lmod is installed")
@pytest.mark.parametrize("through", ["its own folder", "a link to the folder", "a link to the file"])
def test_the_modulefile(prefix: Path, tmp_path: Path, through: str) -> None:
    (file,) = (prefix / "share/pgbench/modulefiles/pgbench").iterdir()
    folder = {"its own folder": file.parents[1]}.get(through, tmp_path)
    if through == "a link to the folder":
        (tmp_path / "pgbench").symlink_to(file.parent)
    elif through == "a link to the file":
        (tmp_path / "pgbench").mkdir()
        (tmp_path / "pgbench" / file.name).symlink_to(file)
    done = call("sh", "-c", SESSION.format(init=INIT[0], folder=folder, root=prefix))
    assert done.returncode == 0, done.stderr
    program, report, places, version, usage, after = done.stdout.splitlines()
    assert [program, report] == [str(prefix / "bin" / name) for name in ("pgbench", "pgbench-report")]
    assert (prefix / "share/pgbench/jobs/launch.sh").is_file()
    lib = next(prefix.rglob("pgbench.pc")).parent
    home, python, config, cmake, man = places.split()
    assert (home, python) == (f"{prefix}/share/pgbench", f"{prefix}/share/pgbench/analysis")
    assert (config, cmake) == (str(lib), str(prefix))
    assert man.startswith(f"{prefix}/share/man:")  # an empty place after it: the system's own
    assert version.split()[1] == f"{file.name},"
    assert usage.startswith("usage: pgbench-report")
    assert after == "gone gone"


class Recipe:
    """What the module spack.package of Spack offers a recipe, as far as ours goes; notes what is called."""

    def __init__(self) -> None:
        self.said: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = defaultdict(list)

    def names(self) -> dict[str, Any]:
        def directive(name: str) -> Any:
            return lambda *words, **more: self.said[name].append((words, more))

        return {n: directive(n) for n in ("license", "version", "variant", "depends_on")} | {"when": lambda *_: nullcontext()}


class Base:
    def define(self, name: str, value: object) -> str:
        return f"{name}={value}"

    def define_from_variant(self, name: str, variant: str) -> str:
        return f"{name}=<{variant}>"


@pytest.fixture
def spack(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Recipe]:
    recipe = Recipe()
    for name, content in {"spack": {}, "spack.package": recipe.names(), "spack_repo": {}, "spack_repo.builtin": {},
                          "spack_repo.builtin.build_systems": {}, "spack_repo.builtin.build_systems.cmake": {"CMakePackage": Base}}.items():  # fmt: skip
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    space: dict[str, Any] = {"__name__": "package"}
    exec(compile((PACKAGING / "spack.py").read_text(encoding="utf-8"), "spack.py", "exec"), space)
    return space["Pgbench"], recipe


def test_the_spack_recipe_asks_for_what_cmake_asks_for(spack: tuple[Any, Recipe]) -> None:
    package, recipe = spack
    needs = {words[0]: more for words, more in recipe.said["depends_on"]}
    least = re.search(r"cmake_minimum_required\(VERSION ([\d.]+)\)", CMAKE)
    assert least is not None and f"cmake@{least[1]}:" in needs
    assert {"c", "cxx", "pkgconfig", "mpi", "hdf5+hl~mpi", "libyaml", "jansson", "zlib-api"} <= set(needs)
    assert {n.removeprefix("py-") for n in needs if n.startswith("py-")} == REPORT
    assert needs["mpi"] == {"when": "+mpi"} and needs["pkgconfig"] == {"type": "build"}
    assert all("sha256" not in more for _, more in recipe.said["version"])  # no release, hence no checksum
    variants = {words[0] for words, _ in recipe.said["variant"]}
    arguments = dict(a.split("=") for a in package().cmake_args())
    assert set(arguments) <= OPTIONS
    assert arguments["PGB_MPI"] == "<mpi>" and variants == {"mpi", "report"}


def test_the_spack_recipe_sets_what_the_tree_needs(spack: tuple[Any, Recipe], tmp_path: Path) -> None:
    package = spack[0]()
    share = SimpleNamespace(pgbench=SimpleNamespace(analysis="P/share/pgbench/analysis"))
    package.prefix = SimpleNamespace(share=share)
    python = SimpleNamespace(command=SimpleNamespace(path="/python3"))
    package.spec = type("Spec", (dict,), {})({"+report": True, "python": python})
    env: dict[str, Any] = {}
    package.setup_run_environment(SimpleNamespace(set=env.__setitem__, prepend_path=env.__setitem__))
    assert env == {"PGB_HOME": share.pgbench, "PGB_PYTHON": "/python3", "PYTHONPATH": "P/share/pgbench/analysis"}


def test_the_easybuild_file() -> None:
    (file,) = PACKAGING.glob("*.eb")
    found: dict[str, Any] = {"SOURCE_TAR_GZ": "%(name)s-%(version)s.tar.gz"}
    exec(compile(file.read_text(encoding="utf-8"), file.name, "exec"), found)
    assert {"easyblock", "name", "version", "homepage", "description", "toolchain", "sources", "moduleclass"} <= set(found)
    version = re.search(r"^project\(pgbench VERSION ([\d.]+)", CMAKE, re.MULTILINE)
    assert version is not None and found["version"] == version[1]
    chain = found["toolchain"]
    assert file.name == f"{found['name']}-{found['version']}-{chain['name']}-{chain['version']}.eb"
    assert "checksums" not in found
    options = dict(re.findall(r"-D(\w+)=(ON|OFF)", found["configopts"]))
    assert set(options) <= OPTIONS and options["PGB_MPI"] == "ON"
    names = {words[0].lower() for words in found["dependencies"] + found["builddependencies"]}
    assert all(isinstance(w, str) for words in found["dependencies"] for w in words)
    assert {"hdf5", "libyaml", "jansson", "zlib", "cmake", "pkgconf"} <= names
    assert REPORT - {"numpy", "jinja2"} <= names and {"scipy-bundle", "python-bundle-pypi"} <= names  # numpy; jinja2


@needs_program
@needs_build
def test_what_the_recipes_name_is_installed(prefix: Path) -> None:
    found: dict[str, Any] = {"SOURCE_TAR_GZ": ""}
    (file,) = PACKAGING.glob("*.eb")
    exec(file.read_text(encoding="utf-8"), found)
    paths = found["sanity_check_paths"]
    assert [n for n in paths["files"] if not (prefix / n).is_file()] == []
    assert [n for n in (*paths["dirs"], *found["modextrapaths"].values()) if not (prefix / n).is_dir()] == []
    assert {p.name for p in (prefix / "share/pgbench/jobs/packaging").iterdir()} == {p.name for p in PACKAGING.iterdir()}


def test_the_apptainer_definition() -> None:
    text = (PACKAGING / "apptainer.def").read_text(encoding="utf-8")
    assert "\nBootstrap: docker\nFrom: debian:" in text
    parts = dict(re.findall(r"^%(\w+)\n(.*?)(?=^%|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(parts) == {"help", "files", "post", "environment", "test", "runscript"}
    copied = [line.split() for line in parts["files"].strip().splitlines()]
    assert all((ROOT / source).exists() and target == f"/opt/pgbench/{source}" for source, target in copied)
    used = set(re.findall(r"add_subdirectory\((\w+)\)|include\((\w+)/", CMAKE)) | {("src", ""), ("envs", ""), ("analysis", ""), ("jobs", "")}
    assert {a or b for a, b in used} - {"tests"} <= {source for source, _ in copied}
    assert "srun --mpi=pmix apptainer exec" in parts["help"]
    for name in ("post", "test", "runscript"):
        made("sh", "-n", "-c", parts[name])

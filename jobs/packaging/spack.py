# SPDX-License-Identifier: MIT
# pgbench for Spack 1.0 or later: the file package.py of a package repository.
#
#   spack repo create ~/repos mine                       # once; it prints where the repository is
#   mkdir -p ~/repos/spack_repo/mine/packages/pgbench
#   cp jobs/packaging/spack.py ~/repos/spack_repo/mine/packages/pgbench/package.py
#   spack repo add ~/repos/spack_repo/mine
#   spack install pgbench ^openmpi schedulers=slurm
#
# pgbench has no public home yet: `git` below is a clone of yours. There is no release either, hence no version with a
# checksum. The kernels bring their own -m flags and are chosen at run time: `target=x86_64` serves every x86-64 node.
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Pgbench(CMakePackage):
    """Policy-gradient variance, measured beside its exact value, on as many MPI ranks as there are."""

    git = "file:///path/of/your/clone/of/pgbench"

    license("MIT")

    version("main", branch="main")

    variant("mpi", default=True, description="Run on many ranks through MPI")
    variant("report", default=True, description="What pgbench-report needs: tables, figures, one page")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.18:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi", when="+mpi")
    depends_on("hdf5+hl~mpi")  # rank 0 writes
    depends_on("libyaml")
    depends_on("jansson")
    depends_on("zlib-api")
    with when("+report"):  # at build time, too: the man page of pgbench-report is made by itself
        for needed in ("python@3.9:", "py-numpy", "py-h5py", "py-xarray", "py-h5netcdf", "py-matplotlib", "py-jinja2"):
            depends_on(needed, type=("build", "run"))

    def cmake_args(self):
        return [
            self.define_from_variant("PGB_MPI", "mpi"),
            self.define("PGB_TESTS", False),
            self.define("PGB_BENCHMARKS", False),
        ]

    def setup_run_environment(self, env):
        env.set("PGB_HOME", self.prefix.share.pgbench)
        if "+report" in self.spec:
            env.set("PGB_PYTHON", self.spec["python"].command.path)
            env.prepend_path("PYTHONPATH", self.prefix.share.pgbench.analysis)

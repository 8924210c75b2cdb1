# SPDX-License-Identifier: MIT
"""The installed tree from the outside: what stands in it, and everything that others build on it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from installed import (
    CC,
    CXX,
    HERE,
    PREFIX,
    call,
    cmake_project,
    made,
    needs_build,
    needs_pkg_config,
    pkg_config,
    prefix,
)
from program import MPIEXEC, needs_program, run

pytestmark = [needs_program, needs_build]
__all__ = ["prefix"]  # a fixture
AUDIENCE = re.compile(r"/\* For (users of the library|authors of environments|maintainers)\b")
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="bash is not installed")
needs_groff = pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")


def only(prefix: Path, pattern: str) -> Path:
    (path,) = prefix.rglob(pattern)
    return path


def headers(prefix: Path) -> list[Path]:
    found = sorted((prefix / "include" / "pgbench").rglob("*.h"))
    assert len(found) > 20
    return found


class TestTree:
    def test_holds_what_the_contract_names(self, prefix: Path) -> None:
        for name in ("bin/pgbench", "bin/pgbench-report", "include/pgbench/study/pgbench.h",
                     "include/pgbench/env/plugin.h", "share/man/man1/pgbench.1",
                     "share/bash-completion/completions/pgbench", "share/pgbench/studies/default.yaml",
                     "share/pgbench/jobs/local.sh", "share/pgbench/analysis/pgbench_report/__main__.py"):  # fmt: skip
            assert (prefix / name).is_file(), name
        for name in ("libpgbench.a", "pgbench.pc", "pgbenchConfig.cmake", "pgbenchConfigVersion.cmake"):
            assert only(prefix, name).is_file()

    def test_names_no_place_of_its_making(self, prefix: Path) -> None:
        source = str(HERE.parent).encode()
        looked = 0
        for path in (p for p in prefix.rglob("*") if p.is_file()):
            data = path.read_bytes()
            looked += 1
            assert PREFIX.encode() not in data, path
            assert source not in data or b".debug_info" in data, path
            assert b"installed" not in data or str(prefix.parent).encode() not in data, path
        assert looked > 50

    def test_program_works_where_it_was_moved(self, prefix: Path, tmp_path: Path) -> None:
        program = prefix / "bin" / "pgbench"
        assert made(program, "list", "study") == run("list", "study").stdout
        out = tmp_path / "out.h5"
        made(program, "--env", "bandit", "--replicates", "50", "--quiet", "-o", out)
        assert made(prefix / "bin" / "pgbench-report", "--summary", out).startswith("out.h5: VALID")
        file = only(prefix, "default.yaml")
        made(program, "--study", file, "--dry-run")

    def test_completion_is_sound_shell(self, prefix: Path) -> None:
        if not shutil.which("shellcheck"):
            pytest.skip("shellcheck is not installed")
        for path in sorted((prefix / "share/bash-completion/completions").iterdir()):
            made("shellcheck", path)


class TestLibrary:
    def test_through_cmake(self, prefix: Path, tmp_path: Path) -> None:
        build = cmake_project(HERE / "consumer", prefix, tmp_path / "build")
        self.check(made(build / "consumer"))

    def test_other_versions_are_refused(self, prefix: Path, tmp_path: Path) -> None:
        text = (HERE / "consumer" / "CMakeLists.txt").read_text(encoding="utf-8")
        (tmp_path / "CMakeLists.txt").write_text(text.replace("pgbench 0.1", "pgbench 9.0"), encoding="utf-8")
        shutil.copy(HERE / "consumer" / "consumer.c", tmp_path)
        done = call("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
        assert done.returncode != 0 and "compatible with requested version" in done.stderr

    @needs_pkg_config
    def test_through_pkg_config(self, prefix: Path, tmp_path: Path) -> None:
        flags = pkg_config(prefix, "--cflags", "--libs")
        program = tmp_path / "consumer"
        made(CC, "-std=c11", "-Wall", "-Wextra", "-Werror", HERE / "consumer" / "consumer.c", *flags, "-o", program)
        alone = made(program)
        self.check(alone)
        if MPIEXEC:
            assert made(program, ranks=2) == alone

    def check(self, text: str) -> None:
        none, loo, verdict = text.splitlines()
        assert none.startswith("none ") and loo.startswith("loo ") and verdict.startswith("VALID")
        assert 0 < float(loo.split()[1]) < float(none.split()[1])

    @needs_pkg_config
    def test_from_cpp(self, prefix: Path, tmp_path: Path) -> None:
        source = tmp_path / "consumer.cc"
        source.write_text('#include "study/pgbench.h"\n'
                          "int main(int argc, char **argv) {\n"
                          "  pgb_comm *comm = nullptr;\n"
                          "  const pgb_status s = pgb_comm_create(&argc, &argv, &comm);\n"
                          "  const int ranks = s.code == PGB_OK ? pgb_comm_size(comm) : 0;\n"
                          "  pgb_comm_destroy(comm);\n"
                          "  return ranks == 1 ? 0 : 1;\n"
                          "}\n", encoding="utf-8")  # fmt: skip
        program = tmp_path / "consumer"
        made(CXX, "-std=c++17", "-Wall", "-Wextra", "-Werror", source, *pkg_config(prefix, "--cflags", "--libs"), "-o",
             program)  # fmt: skip
        made(program)


class TestHeaders:
    def test_say_whom_they_are_for(self, prefix: Path) -> None:
        public = {p.relative_to(prefix / "include" / "pgbench").as_posix() for p in headers(prefix)}
        for path in sorted((HERE.parent / "src").glob("*/*.h")):
            who = AUDIENCE.match(path.read_text(encoding="utf-8").splitlines()[1])
            assert who, f"{path}: its second line does not say whom it is for"
            name = path.relative_to(HERE.parent / "src").as_posix()
            assert (name in public) == (who[1] != "maintainers"), name

    def test_stand_alone(self, prefix: Path, tmp_path: Path) -> None:
        include = prefix / "include" / "pgbench"
        flags = ["-I", include, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-fopenmp-simd"]
        for path in headers(prefix):
            name = path.relative_to(include).as_posix()
            source = tmp_path / "one.c"
            source.write_text(f'#include "{name}"\n#include "{name}"\nextern int unused;\n', encoding="utf-8")
            made(CC, "-std=c11", "-Wpedantic", *flags, source)

    @pytest.mark.parametrize("name", ["study/pgbench.h", "env/plugin.h"])
    @pytest.mark.parametrize("standard", ["c++17", "c++20"])
    def test_in_cpp(self, prefix: Path, tmp_path: Path, name: str, standard: str) -> None:
        source = tmp_path / "one.cc"
        source.write_text(f'#include "{name}"\n#include <vector>\nint main() {{ return pgb_ok().code; }}\n', encoding="utf-8")
        made(CXX, f"-std={standard}", "-I", prefix / "include/pgbench", "-Wall", "-Wextra", "-Werror", "-fopenmp-simd",
             "-fsyntax-only", source)  # fmt: skip


class TestManual:
    @needs_groff
    def test_reads_well(self, prefix: Path) -> None:
        for page in sorted((prefix / "share/man/man1").iterdir()):
            done = call("groff", "-man", "-Tutf8", "-ww", "-z", page)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), page

    def test_mandoc_agrees(self, prefix: Path) -> None:
        if not shutil.which("mandoc"):
            pytest.skip("mandoc is not installed")
        for page in sorted((prefix / "share/man/man1").iterdir()):
            made("mandoc", "-man", "-Tlint", "-Wwarning", page)

    @needs_groff
    def test_says_what_help_says(self, prefix: Path) -> None:
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", made("groff", "-man", "-Tascii", "-rLL=200n", "-rHY=0",
                                                       prefix / "share/man/man1/pgbench.1"))  # fmt: skip
        words = " ".join(text.split())
        helped = run("--help").stdout
        flags = re.findall(r"^ .* (--[a-z-]+)", helped, re.MULTILINE)
        assert len(flags) > 15
        for word in (*flags, "PostgreSQL", "env/plugin.h", "75", *re.findall(r"^  ([a-z]+) .* {2}", helped.split("options")[0],
                                                                          re.MULTILINE)):  # fmt: skip
            assert word in words, word
        for name in re.findall(r"^  (\S+) ", run("list").stdout, re.MULTILINE):
            assert f" {name} " in words, name

    def test_man_finds_it(self, prefix: Path) -> None:
        if not shutil.which("man"):
            pytest.skip("man is not installed")
        page = made("man", "-M", prefix / "share/man", "pgbench", env=os.environ | {"MANWIDTH": "100", "MANPAGER": "cat"})
        assert "policy-gradient variance" in page.replace("\N{HYPHEN}", "-")


COMPLETED = {  # the line up to the cursor: all that is offered, or some of it (a set)
    "pgbench ver": ["verify"],
    "pgbench ": {"variance", "verify", "explain", "list", "describe"},
    "pgbench --see": ["--seed"],
    "pgbench --": {"--env", "--plugin", "--output", "--help"},
    "pgbench --simd av": ["avx512", "avx2"],
    "pgbench --simd=av": ["avx512", "avx2"],
    "pgbench --format ": ["text", "json", "csv"],
    "pgbench --env cart": ["cartpole"],
    "pgbench --env=cart": ["cartpole"],
    "pgbench --env bandit:": ["mean=", "noise="],
    "pgbench --env bandit:mean=[1,2],no": ["[1,2],noise="],
    "pgbench --env=bandit:me": ["mean="],
    "pgbench --policy gaussian-linear:th": ["theta="],
    "pgbench --estimator reinforce,gpomdp-": ["reinforce,gpomdp-undiscounted"],
    "pgbench --estimator reinforce,gae:": ["lambda="],
    "pgbench --baseline none,loo,optimal-comp": ["none,loo,optimal-component"],
    "pgbench --study wu": ["wu2018"],
    "pgbench --study ": {"default", "here.yaml"},
    "pgbench --plugin he": ["here.yaml"],
    "pgbench -o he": ["here.yaml"],
    "pgbench list po": ["policy"],
    "pgbench describe cartp": ["cartpole"],
    "pgbench --quiet --seed 3 ver": ["verify"],
    "pgbench --seed ": [],
    "pgbench --env bandit --simd n": ["none"],
    "pgbench-report --form": ["--format"],
    "pgbench-report --format html,c": ["html,csv"],
    "pgbench-report he": ["here.yaml"],
}


@needs_bash
class TestCompletion:
    def complete(self, prefix: Path, folder: Path, line: str) -> list[str]:
        """As bash calls it: its words end at blanks, and at = and :, which are words of their own."""
        words = [w for w in re.findall(r"[=:]+|[^\s=:]+", line)] + ([""] if line.endswith(" ") else [])
        name = words[0]
        function = "_" + name.replace("-", "_")
        script = (f". {shlex.quote(str(prefix / 'share/bash-completion/completions' / name))}\n"
                  f"COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}\n"
                  f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}\n"
                  f"{function}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")  # fmt: skip
        return made("bash", "--norc", "-u", "-c", script, cwd=folder).split()

    @pytest.mark.parametrize("line", COMPLETED)
    def test_offers(self, prefix: Path, tmp_path: Path, line: str) -> None:
        (tmp_path / "here.yaml").touch()
        name = line.split()[0]
        if not (prefix / "share/bash-completion/completions" / name).exists():
            pytest.skip("the build's Python lacks the packages of pgbench-report")
        want = COMPLETED[line]
        got = self.complete(prefix, tmp_path, line)
        if isinstance(want, set):
            assert want <= set(got)
        else:
            assert got == want

    def test_offers_every_option(self, prefix: Path, tmp_path: Path) -> None:
        flags = re.findall(r"^ .* (--[a-z-]+)", run("--help").stdout.split("\noptions\n")[1], re.MULTILINE)
        assert self.complete(prefix, tmp_path, "pgbench --") == flags
        assert re.search(r"^complete -F _pgbench pgbench$", only(prefix, "completions/pgbench").read_text(), re.MULTILINE)


def test_a_plugin_in_a_program_of_its_own(prefix: Path, tmp_path: Path) -> None:
    """pgb_plugins_load from a program that exports what plugins call, as env/plugins.h says."""
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    source = tmp_path / "host.c"
    source.write_text('#include "study/pgbench.h"\n#include <stdio.h>\n'
                      "int main(int argc, char **argv) {\n"
                      "  pgb_plugins *plugins = NULL;\n  size_t n = 0;\n"
                      "  const char *const files[] = {argv[argc - 1]};\n"
                      "  const pgb_status s = pgb_plugins_load(1, files, &plugins);\n"
                      '  printf("%s", s.code == PGB_OK ? pgb_plugins_classes(plugins, &n)->class_->name : s.text);\n'
                      "  pgb_plugins_destroy(plugins);\n  return (int)s.code;\n}\n", encoding="utf-8")  # fmt: skip
    plugin = tmp_path / "pointmass.so"
    made(CC, "-shared", "-fPIC", *pkg_config(prefix, "--cflags"), HERE / "plugin" / "pointmass.c", "-o", plugin)
    made(CC, source, *pkg_config(prefix, "--cflags", "--libs"),
         f"-Wl,--dynamic-list={only(prefix, 'plugin.syms')}", "-o", tmp_path / "host")  # fmt: skip
    assert made(tmp_path / "host", plugin) == "pointmass"

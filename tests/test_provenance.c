/* SPDX-License-Identifier: MIT */
/* Where a result comes from: times, quoting, processor, job, and the attributes in a file. */
#define _XOPEN_SOURCE 700 /* mkdtemp is in the X/Open part of POSIX */
#include "check.h"
#include "io/provenance.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_time(checks *c) {
  static const struct {
    time_t t;
    const char *text;
  } known[] = {
      {0, "1970-01-01T00:00:00Z"},
      {951782400, "2000-02-29T00:00:00Z"},
      {1709251199, "2024-02-29T23:59:59Z"},
      {2147483648, "2038-01-19T03:14:08Z"},
      {-1, "1969-12-31T23:59:59Z"},
      {253402300799, "9999-12-31T23:59:59Z"},
      {253402300800, ""},
  };
  char text[PGB_TIME_TEXT];
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    pgb_time_text(known[i].t, text);
    CHECK(c, strcmp(text, known[i].text) == 0);
  }
  pgb_time_now(text);
  CHECK(c, strlen(text) == PGB_TIME_TEXT - 1 && text[10] == 'T' && text[19] == 'Z');
}

static void test_quote(checks *c, pgb_arena *arena) {
  static char *const plain[] = {"build/pgbench", "--env", "cartpole:horizon=50,x=1", "-o", "a_b+c@d%.h5"};
  static char *const hard[] = {"A=b",  "it's", "",  "a b",  "$HOME", "`x`", "new\nline",
                               "\xE9", "*",    "~", "a\\b", "\"",    "=x",  "!"};
  char *line = NULL;
  CHECK_OK(c, pgb_quote_words(5, plain, arena, &line));
  CHECK(c, strcmp(line, "build/pgbench --env cartpole:horizon=50,x=1 -o a_b+c@d%.h5") == 0);
  CHECK_OK(c, pgb_quote_words(3, hard, arena, &line));
  CHECK(c, strcmp(line, "'A=b' 'it'\\''s' ''") == 0);
  CHECK_OK(c, pgb_quote_words(0, NULL, arena, &line));
  CHECK(c, strcmp(line, "") == 0);
}

/* The shell itself reads the line back: each word in brackets. */
static void test_shell(checks *c, pgb_arena *arena) {
  static char *const words[] = {"printf",     "[%s]", "it's", "",  "a b",    "$HOME `x` $(y)",
                                "two\nlines", "\xE9", "*",    "~", "a\\b\\", "\"'\"",
                                "x=y",        "=x",   "!",    "#", "-n",     "{a,b}",
                                ";&|<>()",    "\ttab"};
  const int n = (int)(sizeof words / sizeof *words);
  char *line = NULL, got[512] = "", wanted[512] = "";
  CHECK_OK(c, pgb_quote_words(n, words, arena, &line));
  FILE *shell = popen(line, "r");
  const size_t length = shell == NULL ? 0 : fread(got, 1, sizeof got - 1, shell);
  got[length] = '\0';
  CHECK(c, shell != NULL && pclose(shell) == 0);
  for (int i = 2; i < n; i++)
    (void)snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "[%s]", words[i]);
  CHECK(c, strcmp(got, wanted) == 0);
}

static void test_cpu(checks *c, pgb_arena *arena, const char *folder) {
  static const struct {
    const char *file, *name; /* NULL: the machine type */
  } known[] = {
      {"processor\t: 0\nmodel\t\t: 85\nmodel name\t:  Intel(R)  Xeon(R)   CPU @ 2.20GHz \nmodel name\t: "
       "other\n",
       "Intel(R) Xeon(R) CPU @ 2.20GHz"},
      {"model name: AMD EPYC 7763", "AMD EPYC 7763"},
      {"processor\t: 0\nBogoMIPS\t: 50.00\nmodel names\t: x\n", NULL},
      {"model name\t:\n", NULL},
      {"", NULL},
  };
  char path[256];
  const char *name = NULL, *fallback = NULL;
  CHECK_OK(c, pgb_cpu_name("/no/such/file", arena, &fallback));
  CHECK(c, strlen(fallback) > 0 && strchr(fallback, ' ') == NULL);
  (void)snprintf(path, sizeof path, "%.200s/cpuinfo", folder);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    FILE *file = fopen(path, "w");
    CHECK(c, file != NULL && fputs(known[i].file, file) >= 0 && fclose(file) == 0);
    CHECK_OK(c, pgb_cpu_name(path, arena, &name));
    CHECK(c, strcmp(name, known[i].name == NULL ? fallback : known[i].name) == 0);
  }
  (void)unlink(path);
}

static void test_gather(checks *c, pgb_arena *arena) {
  static char *const argv[] = {"pgbench", "--study", "my study.yaml"};
  pgb_provenance p;
  (void)unsetenv("SLURM_ARRAY_JOB_ID");
  (void)unsetenv("SLURM_ARRAY_TASK_ID");
  (void)unsetenv("SLURM_JOB_ID");
  (void)unsetenv("PBS_JOBID");
  (void)unsetenv("LSB_JOBID");
  CHECK_OK(c, pgb_provenance_gather(3, argv, arena, &p));
  CHECK(c, strcmp(p.slurm_job_id, "") == 0);
  CHECK(c, strcmp(p.command_line, "pgbench --study 'my study.yaml'") == 0);
  CHECK(c, strlen(p.version) > 0 && strlen(p.git_commit) > 0 && strlen(p.compiler) > 0 && strlen(p.cpu) > 0);
  (void)setenv("PBS_JOBID", "1237.head", 1);
  CHECK_OK(c, pgb_provenance_gather(3, argv, arena, &p));
  CHECK(c, strcmp(p.slurm_job_id, "PBS_JOBID=1237.head") == 0);
  CHECK(c, strlen(p.host) > 0 && strlen(p.started) == PGB_TIME_TEXT - 1);
  (void)setenv("SLURM_JOB_ID", "1237", 1);
  CHECK_OK(c, pgb_provenance_gather(3, argv, arena, &p));
  CHECK(c, strcmp(p.slurm_job_id, "1237") == 0);
  (void)setenv("SLURM_ARRAY_JOB_ID", "1234", 1);
  (void)setenv("SLURM_ARRAY_TASK_ID", "3", 1);
  CHECK_OK(c, pgb_provenance_gather(3, argv, arena, &p));
  CHECK(c, strcmp(p.slurm_job_id, "1237 (array task 1234_3)") == 0);
}

/* Every name of CONTRACT section 4 is in the file, as h5dump reads it. */
static void test_store(checks *c, pgb_arena *arena, const char *folder) {
  static const char *const names[] = {"schema",       "kind",         "verdict", "version",  "git_commit",
                                      "command_line", "config",       "seed",    "ranks",    "nodes",
                                      "hosts",        "cpu",          "simd",    "compiler", "compiler_flags",
                                      "mpi_library",  "hdf5_library", "started", "finished", "slurm_job_id"};
  static char *const argv[] = {"pgbench"};
  const pgb_run_facts run = {.kind = "variance",
                             .verdict = "VALID",
                             .config = "seed: 7\n",
                             .seed = 7,
                             .ranks = 3,
                             .nodes = 1,
                             .hosts = "n1",
                             .simd = "avx2",
                             .mpi_library = "none",
                             .finished = "2026-01-01T00:00:00Z"};
  char path[256], command[512], dump[8192] = "";
  pgb_provenance p;
  pgb_store *store = NULL;
  (void)snprintf(path, sizeof path, "%.200s/p.h5", folder);
  CHECK_OK(c, pgb_provenance_gather(1, argv, arena, &p));
  CHECK_OK(c, pgb_store_create(path, false, &store));
  CHECK_OK(c, pgb_provenance_store(store, &p, &run));
  CHECK_OK(c, pgb_store_close(store));
  (void)snprintf(command, sizeof command, "h5dump -n 1 '%s'", path);
  FILE *dumper = popen(command, "r");
  const size_t length = dumper == NULL ? 0 : fread(dump, 1, sizeof dump - 1, dumper);
  dump[length] = '\0';
  const int closed = dumper == NULL ? -1 : pclose(dumper);
  (void)unlink(path);
  CHECK(c, closed == 0); /* h5dump is part of hdf5-tools, which the set-up installs */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char line[64];
    (void)snprintf(line, sizeof line, " attribute  /%s\n", names[i]);
    check_true(c, strstr(dump, line) != NULL, names[i], __FILE__, __LINE__);
  }
}

int main(void) {
  checks c = {0};
  pgb_arena *arena = NULL;
  const char *base = getenv("TMPDIR");
  char folder[256];
  (void)snprintf(folder, sizeof folder, "%.150s/pgb-provenance-XXXXXX", base == NULL ? "/tmp" : base);
  CHECK(&c, mkdtemp(folder) != NULL);
  CHECK_OK(&c, pgb_arena_create(&arena));
  test_time(&c);
  test_quote(&c, arena);
  test_shell(&c, arena);
  test_cpu(&c, arena, folder);
  test_gather(&c, arena);
  test_store(&c, arena, folder);
  pgb_arena_destroy(arena);
  (void)rmdir(folder);
  return check_end(&c, "test_provenance");
}

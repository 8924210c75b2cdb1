/* SPDX-License-Identifier: MIT */
#include "io/provenance.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* The build tells the facts of the build in a generated header, or by -D; a build by hand may leave them out.
 */
#if defined __has_include
#if __has_include("pgb_build.h")
#include "pgb_build.h"
#endif
#endif
#ifndef PGB_VERSION
#define PGB_VERSION "unknown"
#endif
#ifndef PGB_GIT_COMMIT
#define PGB_GIT_COMMIT "unknown"
#endif
#ifndef PGB_FLAGS
#define PGB_FLAGS "unknown"
#endif
#ifndef PGB_COMPILER
#if defined __clang__
#define PGB_COMPILER "clang " __clang_version__
#elif defined __GNUC__
#define PGB_COMPILER "gcc " __VERSION__
#else
#define PGB_COMPILER "unknown"
#endif
#endif

enum { LINE = 1024 };

void pgb_time_text(time_t t, char out[PGB_TIME_TEXT]) {
  struct tm utc;
  out[0] = '\0';
  if (gmtime_r(&t, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > 9999 - 1900)
    return;
  if (strftime(out, PGB_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc) != PGB_TIME_TEXT - 1)
    out[0] = '\0';
}

void pgb_time_now(char out[PGB_TIME_TEXT]) {
  pgb_time_text(time(NULL), out);
}

/* ---- Command line ---- */

/* Characters that mean themselves wherever they stand in a word (POSIX shell, 2.2 Quoting). '=' does in all
 * words but the first, where NAME=value is an assignment. */
static int is_plain(const char *word, int first) {
  static const char plain[] = "=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";
  return word[0] != '\0' && word[0] != '=' && strspn(word, first ? plain + 1 : plain) == strlen(word);
}

/* Appends a word, in single quotes where needed; a single quote itself is written '\''. */
static char *quote(char *to, const char *word, int first) {
  const int plain = is_plain(word, first);
  if (!plain)
    *to++ = '\'';
  for (; *word != '\0'; word++) {
    if (*word == '\'')
      for (const char *escape = "'\\'"; *escape != '\0'; escape++)
        *to++ = *escape;
    *to++ = *word;
  }
  if (!plain)
    *to++ = '\'';
  return to;
}

pgb_status pgb_quote_words(int n, char *const *words, pgb_arena *arena, char **out) {
  size_t most = 1;
  void *memory = NULL;
  *out = NULL;
  for (int i = 0; i < n; i++)
    most += 4 * strlen(words[i]) + 3;
  PGB_TRY(pgb_arena_alloc(arena, most, 1, &memory));
  char *to = memory;
  for (int i = 0; i < n; i++) {
    if (i > 0)
      *to++ = ' ';
    to = quote(to, words[i], i == 0);
  }
  *out = memory;
  return pgb_ok();
}

/* ---- Machine and job ---- */

/* The value of "key : value", with single spaces; NULL if the line is of another key. Writes into the line.
 */
static char *value_of(char *line, const char *key) {
  const size_t n = strlen(key);
  char *colon = strchr(line, ':'), *to = line;
  if (colon == NULL || strncmp(line, key, n) != 0 || line + n + strspn(line + n, " \t") != colon)
    return NULL;
  for (const char *from = colon + 1; *from != '\0'; from++)
    if (!isspace((unsigned char)*from))
      *to++ = *from;
    else if (to > line && to[-1] != ' ')
      *to++ = ' ';
  while (to > line && to[-1] == ' ')
    to--;
  *to = '\0';
  return line;
}

pgb_status pgb_cpu_name(const char *cpuinfo, pgb_arena *arena, const char **out) {
  char line[LINE];
  char *copy = NULL;
  const char *found = NULL;
  struct utsname machine;
  FILE *file = fopen(cpuinfo, "r");
  while (file != NULL && found == NULL && fgets(line, sizeof line, file) != NULL) {
    found = value_of(line, "model name");
    if (found != NULL && found[0] == '\0')
      found = NULL;
  }
  if (file != NULL)
    (void)fclose(file); /* only read */
  if (found == NULL)
    found = uname(&machine) >= 0 && machine.machine[0] != '\0' ? machine.machine : "unknown";
  PGB_TRY(pgb_arena_text(arena, found, &copy));
  *out = copy;
  return pgb_ok();
}

static pgb_status host_name(pgb_arena *arena, const char **out) {
  struct utsname machine;
  char *copy = NULL;
  PGB_TRY(pgb_arena_text(arena, uname(&machine) >= 0 ? machine.nodename : "unknown", &copy));
  *out = copy;
  return pgb_ok();
}

/* A task of an array has a job id of its own, and is known to its user by the array's id and its index. */
static pgb_status job_id(pgb_arena *arena, const char **out) {
  static const char *const others[] = {"PBS_JOBID", "LSB_JOBID"};
  const char *job = getenv("SLURM_JOB_ID"), *array = getenv("SLURM_ARRAY_JOB_ID"),
             *task = getenv("SLURM_ARRAY_TASK_ID");
  char *text = NULL;
  *out = job == NULL ? "" : job;
  if (job != NULL && array != NULL && task != NULL)
    PGB_TRY(pgb_arena_printf(arena, &text, "%s (array task %s_%s)", job, array, task));
  else
    PGB_TRY(pgb_arena_text(arena, *out, &text));
  for (size_t i = 0; i < sizeof others / sizeof *others && job == NULL; i++) {
    job = getenv(others[i]);
    if (job != NULL)
      PGB_TRY(pgb_arena_printf(arena, &text, "%s=%s", others[i], job));
  }
  *out = text;
  return pgb_ok();
}

/* ---- All of it ---- */

pgb_provenance pgb_provenance_build(void) {
  return (pgb_provenance){.version = PGB_VERSION,
                          .git_commit = PGB_GIT_COMMIT,
                          .compiler = PGB_COMPILER,
                          .compiler_flags = PGB_FLAGS,
                          .cpu = "",
                          .host = "",
                          .slurm_job_id = "",
                          .command_line = "",
                          .started = ""};
}

pgb_status pgb_provenance_gather(int argc, char *const *argv, pgb_arena *arena, pgb_provenance *out) {
  assert((argv != NULL || argc == 0) && arena != NULL && out != NULL);
  char now[PGB_TIME_TEXT];
  char *started = NULL, *line = NULL;
  *out = pgb_provenance_build();
  pgb_time_now(now);
  PGB_TRY(pgb_arena_text(arena, now, &started));
  PGB_TRY(pgb_quote_words(argc, argv, arena, &line));
  out->started = started;
  out->command_line = line;
  PGB_TRY(pgb_cpu_name("/proc/cpuinfo", arena, &out->cpu));
  PGB_TRY(host_name(arena, &out->host));
  return job_id(arena, &out->slurm_job_id);
}

pgb_status pgb_provenance_store(pgb_store *store, const pgb_provenance *from, const pgb_run_facts *run) {
  assert(store != NULL && from != NULL && run != NULL);
  const char *const texts[][2] = {
      {"schema", "pgbench/1"},
      {"kind", run->kind},
      {"verdict", run->verdict},
      {"version", from->version},
      {"git_commit", from->git_commit},
      {"command_line", from->command_line},
      {"config", run->config},
      {"hosts", run->hosts},
      {"cpu", from->cpu},
      {"simd", run->simd},
      {"compiler", from->compiler},
      {"compiler_flags", from->compiler_flags},
      {"mpi_library", run->mpi_library},
      {"hdf5_library", pgb_store_library()},
      {"started", from->started},
      {"finished", run->finished},
      {"slurm_job_id", from->slurm_job_id},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    PGB_TRY(pgb_store_text(store, "/", texts[i][0], texts[i][1]));
  PGB_TRY(pgb_store_unsigned(store, "/", "seed", run->seed));
  PGB_TRY(pgb_store_integer(store, "/", "ranks", run->ranks));
  return pgb_store_integer(store, "/", "nodes", run->nodes);
}

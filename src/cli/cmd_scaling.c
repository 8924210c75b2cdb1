/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/scaling.h"
#include "core/option.h"
#include "study/output.h"

#include <stdlib.h>
#include <string.h>

enum { REPEATS = 3, MOST_REPEATS = 1000 };

/* One launch; rank 0 alone has a table. */
typedef struct job {
  const pgb_arguments *arguments;
  pgb_comm *comm;
  pgb_arena *arena;
  pgb_study *study; /* the workload; of one rank in weak scaling */
  pgb_provenance provenance;
  const char *output;
  size_t repeats;
  unsigned modes;
  pgb_scaling_row added[2];
  size_t n_added;
  bool valid;
} job;

/* The results of a run go to a file that is thrown away, so that the phase io is that of a study. */
typedef struct scratch {
  const pgb_study *study;
  pgb_store *store;
} scratch;

static bool is_root(const job *j) {
  return pgb_comm_rank(j->comm) == 0;
}

static pgb_status check(const pgb_arguments *a, size_t *repeats) {
  const struct {
    bool given;
    const char *name, *why;
  } useless[] = {{a->force, "force", "rows are added to the file and none is taken away"},
                 {a->save_gradients, "save-gradients", "the results of the runs are thrown away"},
                 {a->share.n != 0, "cell", "a launch is timed on the whole workload"},
                 {a->resume != NULL, "resume", "a launch is timed in one go"},
                 {a->time_limit > 0, "time-limit", "a launch is timed in one go"},
                 {a->dry_run, "dry-run", "`pgbench --dry-run` tells what a study takes"}};
  uint64_t n = REPEATS;
  for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
    if (useless[i].given)
      return pgb_fail(PGB_USAGE, "--%s: has no meaning for scaling, for %s; leave it out", useless[i].name,
                      useless[i].why);
  if (a->repeats != NULL && (!pgb_parse_unsigned(a->repeats, &n) || n < 1 || n > MOST_REPEATS))
    return pgb_fail(PGB_USAGE, "--repeats %s: is not a whole number from 1 to %d; give one", a->repeats,
                    MOST_REPEATS);
  *repeats = (size_t)n;
  return pgb_ok();
}

static pgb_status on_cell(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients) {
  const scratch *s = self;
  return pgb_output_cell(s->store, s->study, cell, result, gradients);
}

/* One run. */
static pgb_status run_once(job *j, const pgb_study *study, pgb_run_result *out) {
  const pgb_run_options options = {.isa = j->arguments->request.isa, .unpredicted = true};
  scratch results = {.study = study};
  const pgb_observer observer = {.self = &results, .cell = on_cell};
  pgb_status s = pgb_ok();
  if (is_root(j)) {
    char *path = NULL;
    s = pgb_arena_printf(j->arena, &path, "%s.run", j->output);
    if (s.code == PGB_OK)
      s = pgb_store_create(path, true, &results.store);
  }
  s = pgb_comm_agree(j->comm, s);
  if (s.code == PGB_OK)
    s = pgb_run(study, &options, j->comm, &observer, j->arena, out);
  pgb_store_discard(results.store);
  return s;
}

/* Less of a core than this is a rank that had to share it. */
static const double whole_core = 0.9;

static pgb_status note(const job *j, const pgb_scaling_row *row, const char **out) {
  char *text = NULL;
  const double ranks = row->number[PGB_SCALING_RANKS];
  const double cores = row->number[PGB_SCALING_CORES];
  const double share = row->number[PGB_SCALING_CORE_SHARE];
  if (ranks > cores)
    PGB_TRY(pgb_arena_printf(j->arena, &text,
                             "oversubscribed, %.0f ranks on %.0f cores take turns: no measure of scaling",
                             ranks, cores));
  else if (share < whole_core)
    PGB_TRY(pgb_arena_printf(j->arena, &text,
                             "the ranks had a core for %.0f %% of the time, others used the node too: run it "
                             "again alone",
                             100 * share));
  *out = text != NULL ? text : "";
  return pgb_ok();
}

static pgb_status fill_texts(const job *j, const char *mode, pgb_scaling_row *row) {
  const pgb_provenance *p = &j->provenance;
  const char *library = pgb_comm_library(j->comm);
  char *short_library = NULL;
  PGB_TRY(pgb_arena_printf(j->arena, &short_library, "%.*s", (int)strcspn(library, ","), library));
  row->text[PGB_SCALING_MODE] = mode;
  row->text[PGB_SCALING_STARTED] = p->started;
  row->text[PGB_SCALING_HOSTS] = pgb_comm_hosts(j->comm);
  row->text[PGB_SCALING_COMMIT] = p->git_commit;
  row->text[PGB_SCALING_SIMD] = pgb_isa_name(j->arguments->request.isa);
  row->text[PGB_SCALING_CPU] = p->cpu;
  row->text[PGB_SCALING_COMPILER] = p->compiler;
  row->text[PGB_SCALING_MPI] = short_library;
  row->text[PGB_SCALING_JOB] = p->slurm_job_id;
  row->text[PGB_SCALING_COMMAND] = p->command_line;
  return note(j, row, &row->text[PGB_SCALING_NOTE]);
}

static pgb_status time_study(job *j, const char *mode, const pgb_study *study) {
  void *room = NULL;
  PGB_TRY(pgb_comm_agree(j->comm, pgb_arena_alloc(j->arena, j->repeats, sizeof(pgb_run_result), &room)));
  pgb_run_result *runs = room;
  for (size_t i = 0; i < j->repeats; i++)
    PGB_TRY(run_once(j, study, &runs[i]));
  if (!is_root(j))
    return pgb_ok();
  pgb_scaling_row *row = &j->added[j->n_added++];
  row->added = true;
  pgb_scaling_measured(runs, j->repeats, pgb_comm_size(j->comm), pgb_comm_nodes(j->comm), study->replicates,
                       row);
  j->valid = j->valid && row->number[PGB_SCALING_VALID] > 0;
  return fill_texts(j, mode, row);
}

/* The same study with the replicates of every rank. */
static pgb_status time_weak(job *j) {
  char replicates[32];
  pgb_study *study = NULL;
  (void)snprintf(replicates, sizeof replicates, "%llu",
                 (unsigned long long)j->study->replicates * (unsigned long long)pgb_comm_size(j->comm));
  const pgb_request request = {.study = j->study->name,
                               .text = j->study->config,
                               .replicates = replicates,
                               .isa = j->arguments->request.isa};
  pgb_status s = pgb_comm_agree(j->comm, pgb_study_resolve(&request, &study));
  if (s.code == PGB_OK)
    s = pgb_comm_agree(j->comm, time_study(j, "weak", study));
  pgb_study_destroy(study);
  return s;
}

/* Reads the table again, for another launch may have added to it meanwhile, and writes it with the new rows.
 */
static pgb_status add_rows(job *j, pgb_scaling *table) {
  const pgb_scaling workload = {.config = j->study->config, .study = j->study->name};
  pgb_store *store = NULL;
  char finished[PGB_TIME_TEXT];
  bool valid = true;
  PGB_TRY(pgb_scaling_read(j->output, &workload, j->n_added, j->arena, table));
  memcpy(table->rows + table->n, j->added, j->n_added * sizeof *j->added);
  const bool fresh = table->n == 0;
  table->n += j->n_added;
  pgb_scaling_derive(table->rows, table->n);
  for (size_t i = 0; i < table->n; i++)
    valid = valid && table->rows[i].number[PGB_SCALING_VALID] > 0;
  PGB_TRY(pgb_store_create(j->output, !fresh, &store));
  pgb_time_now(finished);
  const pgb_run_facts facts = {.kind = "scaling",
                               .verdict = valid ? "VALID" : "INVALID",
                               .config = j->study->config,
                               .seed = j->study->seed,
                               .ranks = pgb_comm_size(j->comm),
                               .nodes = pgb_comm_nodes(j->comm),
                               .hosts = pgb_comm_hosts(j->comm),
                               .simd = pgb_isa_name(j->arguments->request.isa),
                               .mpi_library = pgb_comm_library(j->comm),
                               .finished = finished};
  pgb_status s = pgb_scaling_store(store, table);
  if (s.code == PGB_OK)
    s = pgb_store_text(store, "/", "study", j->study->name);
  if (s.code == PGB_OK)
    s = pgb_provenance_store(store, &j->provenance, &facts);
  if (s.code == PGB_OK)
    return pgb_store_close(store);
  pgb_store_discard(store);
  return s;
}

static pgb_status print(const job *j, const pgb_scaling *table) {
  switch (j->arguments->format) {
  case PGB_FORMAT_JSON:
    return pgb_print_scaling_json(stdout, table, j->output);
  case PGB_FORMAT_CSV:
    pgb_print_scaling_csv(stdout, table);
    return pgb_ok();
  case PGB_FORMAT_TEXT:
    pgb_print_scaling(stdout, table, j->output, j->arguments->quiet);
  }
  return pgb_ok();
}

static pgb_status run(job *j, int argc, char **argv) {
  pgb_request request = j->arguments->request;
  pgb_scaling table = {.n = 0};
  PGB_TRY(pgb_comm_agree(j->comm, check(j->arguments, &j->repeats)));
  if (request.study == NULL && request.n_env == 0)
    request.study = "scaling";
  PGB_TRY(pgb_comm_agree(j->comm, pgb_provenance_gather(argc, argv, j->arena, &j->provenance)));
  PGB_TRY(pgb_study_load(&request, j->comm, j->arena, &j->study));
  pgb_status s = pgb_ok();
  if (is_root(j)) { /* before any time is spent */
    const pgb_scaling workload = {.config = j->study->config, .study = j->study->name};
    s = pgb_scaling_read(j->output, &workload, 0, j->arena, &table);
  }
  PGB_TRY(pgb_comm_agree(j->comm, s));
  if ((j->modes & PGB_STRONG) != 0)
    PGB_TRY(pgb_comm_agree(j->comm, time_study(j, "strong", j->study)));
  if ((j->modes & PGB_WEAK) != 0)
    PGB_TRY(time_weak(j));
  if (is_root(j)) {
    s = add_rows(j, &table);
    if (s.code == PGB_OK)
      s = print(j, &table);
    if (s.code == PGB_OK && !j->valid)
      s = pgb_fail(PGB_INVALID,
                   "scaling: a run disagrees with theory (column valid of %s); run `pgbench verify`",
                   j->output);
  }
  return pgb_comm_agree(j->comm, s);
}

pgb_status pgb_cmd_scaling(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv) {
  job j = {.arguments = arguments,
           .comm = comm,
           .output = arguments->output != NULL ? arguments->output : "pgbench-scaling.h5",
           .modes = arguments->scaling != 0 ? (unsigned)arguments->scaling : PGB_STRONG | PGB_WEAK,
           .valid = true};
  pgb_status s = pgb_comm_agree(comm, pgb_arena_create(&j.arena));
  if (s.code == PGB_OK)
    s = run(&j, argc, argv);
  pgb_study_destroy(j.study);
  pgb_arena_destroy(j.arena);
  return s;
}

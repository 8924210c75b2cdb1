/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/resume.h"
#include "cli/signals.h"
#include "core/clock.h"
#include "study/output.h"
#include "study/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One run of the command on this rank; rank 0 alone has a store. */
typedef struct job {
  pgb_arguments given;            /* the options, and where a run is resumed what it was begun with */
  const pgb_arguments *arguments; /* the same, to be read                                           */
  pgb_comm *comm;
  pgb_study *study;
  pgb_arena *arena;
  pgb_store *store;
  pgb_provenance provenance;
  const char *output;
  pgb_resume resume;
  pgb_progress_line progress;
} job;

static bool is_root(const job *j) {
  return pgb_comm_rank(j->comm) == 0;
}

static bool text_on_screen(const job *j) {
  return is_root(j) && !j->arguments->quiet && j->arguments->format == PGB_FORMAT_TEXT;
}

pgb_status pgb_keep_usable(pgb_study *study) {
  void *room = NULL;
  PGB_TRY(pgb_alloc(study->n_estimators + study->n_baselines, sizeof(char *), &room));
  const char **estimator = room;
  const char **baseline = estimator + study->n_estimators;
  pgb_status s = pgb_plan_usable(study, estimator, baseline);
  if (s.code == PGB_OK)
    s = pgb_study_keep(study, estimator, baseline);
  free(room);
  return s;
}

/* What rank 0 tells the others of the run. */
typedef struct run_facts {
  uint64_t name, config; /* lengths of the texts, with their ends */
  pgb_point start;
  pgb_isa isa;
  pgb_share share;
  bool resumed, save_gradients;
} run_facts;

/* Before memory is taken: what the ranks of this node will need against what it has. Swap is not counted. */
static pgb_status check_memory(const job *j, const pgb_study *study, double spare) {
  const pgb_run_options options = {.isa = j->arguments->request.isa,
                                   .save_gradients = j->arguments->save_gradients,
                                   .share = j->arguments->share};
  const int size = pgb_comm_size(j->comm);
  const double ranks = ceil((double)size / pgb_comm_nodes(j->comm));
  const pgb_estimate e = pgb_run_estimate(study, &options, size);
  const double need = e.bytes_per_rank + (ranks - 1) * e.bytes_of_others;
  const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (have <= 0 || need <= spare * have)
    return pgb_ok();
  return pgb_fail(
      PGB_USAGE,
      "study: needs %.3g GiB for %.0f ranks on a node that has %.3g GiB; take fewer ranks to a node, "
      "fewer replicates or no --save-gradients",
      need / 0x1p30, ranks, have / 0x1p30);
}

/* The same before parameters are made, when baselines that no cell can use are still counted: of all of them
 * at most two thirds. */
static pgb_status admit(void *self, const pgb_study *study) {
  enum { UNUSABLE = 3 };
  return check_memory(self, study, study->baseline_from[0] == NULL ? UNUSABLE : 1);
}

/* The study, from its source or from the checkpoint of an earlier launch. */
static pgb_status load_here(job *j, run_facts *f) {
  if (j->arguments->resume != NULL)
    PGB_TRY(pgb_resume_open(&j->given, j->arena, &j->resume));
  pgb_request request = j->arguments->request;
  request.admit = j->arguments->dry_run ? NULL : admit;
  request.admitting = j;
  PGB_TRY(pgb_study_resolve(&request, &j->study));
  if (j->resume.resumed)
    PGB_TRY(pgb_checkpoint_fits(j->resume.name, &j->resume.head, j->study));
  else
    PGB_TRY(pgb_keep_usable(j->study));
  *f = (run_facts){.name = strlen(j->study->name) + 1,
                   .config = strlen(j->study->config) + 1,
                   .start = j->resume.head.at,
                   .isa = j->arguments->request.isa,
                   .share = j->arguments->share,
                   .resumed = j->resume.resumed,
                   .save_gradients = j->arguments->save_gradients};
  return pgb_ok();
}

/* A rank that resumes must be able to run the kernels that the first launch ran. */
static pgb_status take_facts(job *j, const run_facts *f) {
  if (!f->resumed)
    return pgb_ok();
  j->given.request.isa = f->isa;
  j->given.save_gradients = f->save_gradients;
  j->given.share = f->share;
  j->resume.resumed = true;
  j->resume.head.at = f->start;
  if (pgb_isa_supported(f->isa))
    return pgb_ok();
  return pgb_fail(PGB_USAGE,
                  "--resume: the run was begun with %s kernels, which a node of this launch cannot "
                  "run; go on with it on nodes like the first",
                  pgb_isa_name(f->isa));
}

/* Rank 0 reads and resolves; the others resolve what it resolved, so that files are read once. */
static pgb_status load(job *j) {
  run_facts f;
  memset(&f, 0, sizeof f);
  PGB_TRY(pgb_comm_agree(j->comm, is_root(j) ? load_here(j, &f) : pgb_ok()));
  if (pgb_comm_size(j->comm) == 1)
    return pgb_ok();
  PGB_TRY(pgb_comm_agree(j->comm, pgb_comm_broadcast(j->comm, &f, sizeof f)));
  void *text = NULL;
  PGB_TRY(pgb_comm_agree(j->comm, pgb_arena_alloc(j->arena, f.name + f.config, 1, &text)));
  if (is_root(j)) {
    memcpy(text, j->study->name, f.name);
    memcpy((char *)text + f.name, j->study->config, f.config);
  }
  pgb_status s = pgb_comm_broadcast(j->comm, text, f.name + f.config);
  if (!is_root(j) && s.code == PGB_OK)
    s = take_facts(j, &f);
  if (!is_root(j) && s.code == PGB_OK) {
    const pgb_request request = {.study = text,
                                 .text = (const char *)text + f.name,
                                 .isa = j->arguments->request.isa,
                                 .extra = j->arguments->request.extra,
                                 .n_extra = j->arguments->request.n_extra};
    s = pgb_study_resolve(&request, &j->study);
  }
  return pgb_comm_agree(j->comm, s);
}

/* pgbench-<study>-<UTC time>.h5, the time without characters that file systems dislike. */
static pgb_status name_output(job *j) {
  j->output = j->arguments->resume != NULL ? j->arguments->resume : j->arguments->output;
  if (j->output != NULL)
    return pgb_ok();
  char when[PGB_TIME_TEXT];
  char bare[PGB_TIME_TEXT];
  size_t n = 0;
  pgb_time_now(when);
  for (size_t i = 0; when[i] != '\0'; i++)
    if (when[i] != ':' && when[i] != '-')
      bare[n++] = when[i];
  bare[n] = '\0';
  char *name = NULL;
  const pgb_share *share = &j->arguments->share;
  if (share->n == 0) {
    PGB_TRY(pgb_arena_printf(j->arena, &name, "pgbench-%s-%s.h5", j->study->name, bare));
  } else { /* the tasks of an array may start in the same second */
    PGB_TRY(pgb_arena_printf(j->arena, &name, "pgbench-%s-%zu-of-%zu-%s.h5", j->study->name, share->k,
                             share->n, bare));
  }
  j->output = name;
  return pgb_ok();
}

/* The first words of what libraries and git say of themselves: the file has it all. */
static void header(const job *j) {
  enum { DIGITS = 12 };
  const pgb_study *s = j->study;
  const char *library = pgb_comm_library(j->comm);
  const char *commit = j->provenance.git_commit;
  const char *dirty = strchr(commit, '-');
  (void)printf("pgbench %s (%.*s%s)   %d rank%s on %d node%s   %.*s   simd %s\n", j->provenance.version,
               DIGITS, commit, dirty != NULL && dirty - commit > DIGITS ? dirty : "", pgb_comm_size(j->comm),
               pgb_comm_size(j->comm) == 1 ? "" : "s", pgb_comm_nodes(j->comm),
               pgb_comm_nodes(j->comm) == 1 ? "" : "s", (int)strcspn(library, ","), library,
               pgb_isa_name(j->arguments->request.isa));
  (void)printf("study %s   seed %llu   gamma %g   %zu cell%s   %llu replicates\noutput %s\n", s->name,
               (unsigned long long)s->seed, s->gamma, s->n_cells, s->n_cells == 1 ? "" : "s",
               (unsigned long long)s->replicates, j->output);
  if (j->resume.resumed)
    (void)printf("resumed from %s, launch %llu, %.1f %% of the work done\n", j->resume.name,
                 (unsigned long long)j->resume.head.launches,
                 100 * pgb_run_done(s, &j->arguments->share, &j->resume.head.at));
  if (j->arguments->share.n != 0)
    (void)printf("cell share %zu/%zu: %zu of %zu cells\n", j->arguments->share.k, j->arguments->share.n,
                 pgb_share_count(&j->arguments->share, s->n_cells), s->n_cells);
  (void)fflush(stdout);
}

/* Collective: the plan, with what each cell would take. */
static pgb_status print_plan(const job *j) {
  const pgb_run_options options = {.isa = j->arguments->request.isa,
                                   .save_gradients = j->arguments->save_gradients,
                                   .share = j->arguments->share};
  pgb_outlook outlook = {.study = j->study,
                         .share = options.share,
                         .estimate = pgb_run_estimate(j->study, &options, pgb_comm_size(j->comm)),
                         .ranks = pgb_comm_size(j->comm),
                         .nodes = pgb_comm_nodes(j->comm)};
  pgb_cell_timing *timing = NULL;
  const pgb_status fits = pgb_comm_agree(j->comm, check_memory(j, j->study, 1));
  if (is_root(j))
    header(j);
  if (fits.code == PGB_OK) {
    PGB_TRY(pgb_comm_agree(j->comm, pgb_timing_create(j->study, j->arena, &timing)));
    PGB_TRY(pgb_predict(j->study, &options.share, options.isa, j->comm, timing));
  }
  outlook.timing = timing;
  outlook.why = fits.text;
  if (!is_root(j))
    return pgb_ok();
  pgb_print_outlook(stdout, &outlook);
  (void)printf("resolved study\n%s", j->study->config);
  return pgb_ok();
}

static void on_progress(void *self, double fraction, double steps) {
  pgb_progress_show(&((job *)self)->progress, fraction, steps);
}

static pgb_status on_cell(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients) {
  job *j = self;
  if (text_on_screen(j)) {
    pgb_progress_clear(&j->progress);
    pgb_print_cell(stdout, j->study, cell, result);
    (void)fflush(stdout);
  }
  return pgb_output_cell(j->store, j->study, cell, result, gradients);
}

static int on_stop(void *self) {
  (void)self;
  return pgb_signals_caught();
}

static pgb_status on_checkpoint(void *self, const pgb_snapshot *snapshot) {
  job *j = self;
  PGB_TRY(pgb_checkpoint_write(j->resume.name, &j->resume.head, j->study, snapshot, j->store));
  j->resume.kept = true;
  return pgb_ok();
}

static pgb_status on_restore(void *self, size_t cell, pgb_cell_result *result, const pgb_restored *to) {
  job *j = self;
  if (to != NULL)
    return pgb_checkpoint_begun(j->resume.part, &j->resume.head, j->study, j->arena, result, to);
  PGB_TRY(pgb_checkpoint_result(j->resume.part, j->study, cell, j->arena, result));
  PGB_TRY(on_cell(self, cell, result, NULL));
  if (!j->arguments->save_gradients)
    return pgb_ok();
  PGB_TRY(pgb_output_gradients(j->store, j->study, cell));
  return pgb_checkpoint_gradients(j->resume.part, j->study, cell, j->store);
}

static pgb_status store_end(job *j, const pgb_run_result *result) {
  char finished[PGB_TIME_TEXT];
  pgb_time_now(finished);
  const pgb_run_facts facts = {.kind = "variance",
                               .verdict = result->verdict.valid ? "VALID" : "INVALID",
                               .config = j->study->config,
                               .seed = j->study->seed,
                               .ranks = pgb_comm_size(j->comm),
                               .nodes = pgb_comm_nodes(j->comm),
                               .hosts = pgb_comm_hosts(j->comm),
                               .simd = pgb_isa_name(j->arguments->request.isa),
                               .mpi_library = pgb_comm_library(j->comm),
                               .finished = finished};
  PGB_TRY(pgb_output_timing(j->store, j->study, result, pgb_comm_size(j->comm)));
  PGB_TRY(pgb_store_text(j->store, "/", "verdict_text", result->verdict.text));
  PGB_TRY(pgb_output_share(j->store, &j->arguments->share));
  PGB_TRY(pgb_store_text(j->store, "/", "study", j->study->name));
  PGB_TRY(pgb_store_text(j->store, "/", "plugins", pgb_plugins_text(j->arguments->plugins)));
  PGB_TRY(pgb_store_unsigned(j->store, "/", "launches", j->resume.head.launches));
  PGB_TRY(pgb_provenance_store(j->store, &j->provenance, &facts));
  pgb_store *store = j->store;
  j->store = NULL;
  PGB_TRY(pgb_store_close(store));
  j->resume.kept = false; /* the result is there: the checkpoint has served */
  return pgb_part_remove(j->resume.name);
}

static pgb_status print_end(const job *j, const pgb_run_result *result) {
  const pgb_report report = {.study = j->study,
                             .result = result,
                             .output = j->output,
                             .share = j->arguments->share,
                             .ranks = pgb_comm_size(j->comm),
                             .nodes = pgb_comm_nodes(j->comm)};
  switch (j->arguments->format) {
  case PGB_FORMAT_JSON:
    return pgb_print_json(stdout, &report);
  case PGB_FORMAT_CSV:
    pgb_print_csv(stdout, &report);
    return pgb_ok();
  case PGB_FORMAT_TEXT:
    pgb_print_end(stdout, &report);
  }
  return pgb_ok();
}

/* Rank 0: the result's file, which no other run may write now, and what is known of its checkpoint. */
static pgb_status open_output(job *j) {
  if (!j->resume.resumed)
    PGB_TRY(pgb_resume_none(j->output, j->arguments->force, j->arena, &j->resume));
  PGB_TRY(pgb_store_create(j->output, j->arguments->force, &j->store));
  if (j->resume.resumed) {
    j->provenance.started = j->resume.head.started;
    return pgb_ok();
  }
  j->resume.head = (pgb_checkpoint_head){.version = j->provenance.version,
                                         .git_commit = j->provenance.git_commit,
                                         .study = j->study->name,
                                         .config = j->study->config,
                                         .plugins = pgb_plugins_text(j->arguments->plugins),
                                         .simd = pgb_isa_name(j->arguments->request.isa),
                                         .started = j->provenance.started,
                                         .force = j->arguments->force,
                                         .save_gradients = j->arguments->save_gradients,
                                         .share = j->arguments->share,
                                         .launches = 1};
  return pgb_part_remove(j->resume.name); /* that of a run which --force gives up */
}

static void start_progress(job *j) {
  const bool line =
      j->arguments->progress == PGB_PROGRESS_ALWAYS ||
      (j->arguments->progress == PGB_PROGRESS_AUTO && !j->arguments->quiet && isatty(STDERR_FILENO));
  j->progress = pgb_progress_start(is_root(j) && line, pgb_comm_size(j->comm),
                                   pgb_run_done(j->study, &j->arguments->share, &j->resume.head.at));
}

static pgb_status measure(job *j) {
  const pgb_arguments *a = j->arguments;
  const pgb_run_options options = {.isa = a->request.isa,
                                   .save_gradients = a->save_gradients,
                                   .share = a->share,
                                   .start = j->resume.head.at,
                                   .resumed = j->resume.resumed,
                                   .interval = a->interval,
                                   .deadline = a->time_limit > 0 ? a->began + a->time_limit : 0};
  const pgb_observer observer = {.self = j,
                                 .progress = is_root(j) ? on_progress : NULL,
                                 .cell = on_cell,
                                 .stop = on_stop,
                                 .checkpoint = on_checkpoint,
                                 .restore = on_restore};
  pgb_run_result result;
  memset(&result, 0, sizeof result);
  PGB_TRY(pgb_comm_agree(j->comm, check_memory(j, j->study, 1)));
  PGB_TRY(pgb_comm_agree(j->comm, is_root(j) ? open_output(j) : pgb_ok()));
  if (text_on_screen(j))
    header(j);
  start_progress(j);
  pgb_status s = pgb_run(j->study, &options, j->comm, &observer, j->arena, &result);
  pgb_progress_clear(&j->progress);
  PGB_TRY(s);
  int32_t valid = 1;
  if (is_root(j)) {
    s = store_end(j, &result);
    if (s.code == PGB_OK)
      s = print_end(j, &result);
    valid = result.verdict.valid;
  }
  PGB_TRY(pgb_comm_agree(j->comm, s));
  PGB_TRY(pgb_comm_agree(j->comm, pgb_comm_broadcast(j->comm, &valid, sizeof valid)));
  if (!valid)
    s.code = PGB_INVALID; /* the verdict is on the screen already: no text */
  return s;
}

static pgb_status run(job *j, int argc, char **argv) {
  if (j->arguments->dry_run && j->arguments->format != PGB_FORMAT_TEXT)
    return pgb_fail(PGB_USAGE, "--dry-run: the plan is text and no table; leave out --format");
  PGB_TRY(pgb_comm_agree(j->comm, pgb_provenance_gather(argc, argv, j->arena, &j->provenance)));
  PGB_TRY(load(j));
  PGB_TRY(pgb_comm_agree(j->comm, name_output(j)));
  if (!j->arguments->dry_run) {
    pgb_signals_catch();
    return measure(j);
  }
  return print_plan(j);
}

pgb_status pgb_cmd_variance(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv) {
  job j = {.given = *arguments, .comm = comm};
  j.arguments = &j.given;
  pgb_status s = pgb_comm_agree(comm, pgb_arena_create(&j.arena));
  if (s.code == PGB_OK)
    s = run(&j, argc, argv);
  pgb_store_discard(j.store);
  if (is_root(&j) && j.arena != NULL)
    s = pgb_resume_advice(&j.resume, j.arena, s);
  pgb_part_end(j.resume.part);
  pgb_study_destroy(j.study);
  pgb_arena_destroy(j.arena);
  return s;
}

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/report.h"
#include "cli/resume.h"
#include "study/merge.h"

/* What has no meaning here, or NULL. */
static const char *useless(const pgb_arguments *a) {
  return pgb_request_given(&a->request) ? "options that say what to measure"
         : a->output != NULL            ? "--output"
         : a->resume != NULL            ? "--resume"
         : a->share.n != 0              ? "--cell"
         : a->save_gradients            ? "--save-gradients"
         : a->dry_run                   ? "--dry-run"
         : a->time_limit > 0            ? "--time-limit"
         : a->format != PGB_FORMAT_TEXT ? "--format"
                                        : NULL;
}

static pgb_status merge(const pgb_arguments *a, pgb_arena *arena) {
  const pgb_merge_request request = {.output = a->word,
                                     .force = a->force,
                                     .parts = a->more,
                                     .n_parts = a->n_more,
                                     .extra = a->request.extra,
                                     .n_extra = a->request.n_extra,
                                     .plugins = pgb_plugins_text(a->plugins)};
  pgb_study *study = NULL;
  pgb_merged merged;
  pgb_status s = pgb_merge(&request, arena, &study, &merged);
  if (s.code == PGB_OK) {
    for (size_t c = 0; c < study->n_cells && !a->quiet; c++)
      pgb_print_cell(stdout, study, c, &merged.cells[c]);
    (void)printf("%s%s\nfile: %s, %zu cells of %zu parts\n", a->quiet ? "" : "\n", merged.verdict.text,
                 a->word, study->n_cells, a->n_more);
    if (!merged.verdict.valid)
      s.code = PGB_INVALID; /* the verdict is on the screen already: no text */
  }
  pgb_study_destroy(study);
  return s;
}

pgb_status pgb_cmd_merge(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv) {
  (void)argc, (void)argv;
  pgb_status s = pgb_ok();
  if (pgb_comm_rank(comm) == 0) { /* files are joined by one rank, whatever the launch */
    pgb_arena *arena = NULL;
    const char *other = useless(arguments);
    if (other != NULL)
      s = pgb_fail(PGB_USAGE, "merge: takes no %s, the parts say it all; write pgbench merge OUT PART...",
                   other);
    else if (arguments->word == NULL || arguments->n_more == 0)
      s = pgb_fail(PGB_USAGE, "merge: files are missing; write pgbench merge OUT PART...");
    else
      s = pgb_arena_create(&arena);
    if (s.code == PGB_OK)
      s = merge(arguments, arena);
    pgb_arena_destroy(arena);
  }
  return pgb_comm_agree(comm, s);
}

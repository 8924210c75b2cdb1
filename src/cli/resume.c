/* SPDX-License-Identifier: MIT */
#include "cli/resume.h"

#include "io/provenance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool pgb_request_given(const pgb_request *r) {
  return r->study != NULL || r->n_env > 0 || r->n_policy > 0 || r->estimator != NULL || r->baseline != NULL ||
         r->batch != NULL || r->replicates != NULL || r->gamma != NULL || r->seed != NULL;
}

static bool exists(const char *path) {
  return access(path, F_OK) == 0;
}

/* There is no checkpoint: what may have been meant. */
static pgb_status missing(const pgb_resume *r) {
  static const char end[] = ".part";
  const size_t n = strlen(r->output);
  if (n > strlen(end) && strcmp(r->output + n - strlen(end), end) == 0 && exists(r->output))
    return pgb_fail(PGB_USAGE, "%s: is the checkpoint itself; name the result: --resume %.*s", r->output,
                    (int)(n - strlen(end)), r->output);
  if (exists(r->output))
    return pgb_fail(
        PGB_USAGE,
        "%s: has no checkpoint %s beside it, so its run is complete and there is nothing to resume; "
        "measure anew with --force -o",
        r->output, r->name);
  return pgb_fail(
      PGB_USAGE,
      "%s: no such file; a run keeps its first checkpoint after --checkpoint-interval or when it is "
      "stopped, so start this one anew",
      r->name);
}

/* Options that say what to measure must say what the run measures. */
static pgb_status check_request(const pgb_arguments *a, const pgb_resume *r) {
  if (a->output != NULL && strcmp(a->output, r->output) != 0)
    return pgb_fail(PGB_USAGE,
                    "--output %s: a resumed run ends in the file that it was begun for, %s; leave "
                    "out --output",
                    a->output, r->output);
  if (a->save_gradients && !r->head.save_gradients)
    return pgb_fail(PGB_USAGE,
                    "--save-gradients: %s was begun without it, so gradients are lost already; leave it out",
                    r->output);
  if (a->simd_given && strcmp(pgb_isa_name(a->request.isa), r->head.simd) != 0)
    return pgb_fail(
        PGB_USAGE,
        "--simd %s: %s was begun with %s, and other kernels may differ in the last bit; leave out "
        "--simd",
        pgb_isa_name(a->request.isa), r->output, r->head.simd);
  if (!pgb_plugins_same(pgb_plugins_text(a->plugins), r->head.plugins))
    return pgb_fail(
        PGB_USAGE,
        "%s: was begun with other plugins (%s); give files of that content with --plugin, in that order",
        r->name, r->head.plugins[0] == '\0' ? "none" : r->head.plugins);
  if (a->share.n != 0 && (a->share.n != r->head.share.n || a->share.k != r->head.share.k))
    return pgb_fail(PGB_USAGE,
                    "--cell %zu/%zu: %s was begun for other cells of its study; leave out --cell, --resume "
                    "knows them",
                    a->share.k, a->share.n, r->output);
  if (!pgb_request_given(&a->request))
    return pgb_ok();
  pgb_study *study = NULL;
  PGB_TRY(pgb_study_resolve(&a->request, &study));
  pgb_status s = pgb_keep_usable(study);
  if (s.code == PGB_OK && strcmp(study->config, r->head.config) != 0)
    s = pgb_fail(PGB_USAGE,
                 "%s: is of another study than the options give; leave out all options that say what to "
                 "measure, --resume knows it",
                 r->name);
  pgb_study_destroy(study);
  return s;
}

static pgb_status take_over(pgb_arguments *a, pgb_resume *r) {
  PGB_TRY(check_request(a, r));
  pgb_isa isa = PGB_ISA_NONE;
  if (pgb_isa_parse(r->head.simd, &isa).code != PGB_OK)
    return pgb_fail(PGB_USAGE,
                    "%s: was begun with %s kernels, which this machine or build cannot run, and others may "
                    "differ in the last bit; go on with it on a machine like the first",
                    r->name, r->head.simd);
  if (exists(r->output) && !r->head.force && !a->force)
    return pgb_fail(
        PGB_USAGE,
        "%s: exists already: if it is this run's result, the run is complete and %s can be removed; "
        "to finish the run and replace the file, add --force",
        r->output, r->name);
  a->request = (pgb_request){.study = r->head.study,
                             .text = r->head.config,
                             .isa = isa,
                             .extra = a->request.extra,
                             .n_extra = a->request.n_extra};
  r->head.plugins = pgb_plugins_text(a->plugins); /* where they lie now */
  a->save_gradients = r->head.save_gradients;
  a->share = r->head.share;
  a->force = a->force || r->head.force;
  r->head.force = a->force;
  r->head.launches++;
  r->resumed = r->kept = true;
  return pgb_ok();
}

pgb_status pgb_resume_open(pgb_arguments *a, pgb_arena *arena, pgb_resume *out) {
  *out = (pgb_resume){.output = a->resume};
  if (out->output[0] == '\0')
    return pgb_fail(PGB_USAGE, "--resume: the file name is empty; name the result file of the run");
  PGB_TRY(pgb_part_name(out->output, arena, &out->name));
  if (!exists(out->name) && errno != EACCES)
    return missing(out);
  PGB_TRY(pgb_checkpoint_open(out->name, arena, &out->part, &out->head));
  return take_over(a, out);
}

pgb_status pgb_resume_none(const char *output, bool force, pgb_arena *arena, pgb_resume *out) {
  *out = (pgb_resume){.output = output};
  PGB_TRY(pgb_part_name(output, arena, &out->name));
  if (exists(out->name) && !force)
    return pgb_fail(
        PGB_USAGE,
        "%s: an interrupted run left it; finish that run with --resume %s, or pass --force to lose "
        "it and start anew",
        out->name, output);
  return pgb_ok();
}

pgb_status pgb_resume_advice(const pgb_resume *r, pgb_arena *arena, pgb_status s) {
  char *words[] = {"pgbench", "--resume", NULL};
  char *name = NULL;
  char *line = NULL;
  if (!r->kept || (s.code != PGB_STOPPED && s.code != PGB_RUNTIME))
    return s;
  if (pgb_arena_text(arena, r->output, &name).code != PGB_OK)
    return s;
  words[2] = name;
  if (pgb_quote_words(3, words, arena, &line).code != PGB_OK)
    return s;
  if (s.code == PGB_STOPPED)
    return pgb_fail(PGB_STOPPED, "%s: %s; go on with: %s", r->output, s.text, line);
  return pgb_fail(PGB_RUNTIME, "%s (the last checkpoint is kept: go on with %s)", s.text, line);
}

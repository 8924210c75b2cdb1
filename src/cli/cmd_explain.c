/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/explain.h"
#include "core/option.h"

#include <string.h>

/* Options that say nothing here. */
static pgb_status refuse(const pgb_arguments *a) {
  const char *option = a->request.study != NULL       ? "--study"
                       : a->request.estimator != NULL ? "--estimator"
                       : a->n_plugin > 0              ? "--plugin"
                       : a->output != NULL            ? "--output"
                       : a->save_gradients            ? "--save-gradients"
                       : a->share.n != 0              ? "--cell"
                       : a->resume != NULL            ? "--resume"
                       : a->time_limit > 0            ? "--time-limit"
                       : a->dry_run                   ? "--dry-run"
                       : a->quiet                     ? "--quiet"
                                                      : NULL;
  if (option != NULL)
    return pgb_fail(
        PGB_USAGE,
        "explain %s: this command only shows a worked example; leave the option out (--env, --policy, "
        "--baseline, --batch, --replicates, --gamma and --seed change its numbers)",
        option);
  if (a->format == PGB_FORMAT_CSV)
    return pgb_fail(PGB_USAGE, "explain --format csv: a screen is no table; use text or json");
  return pgb_ok();
}

/* Which problems: the one named by the operand or by --env, else all. */
static pgb_status choose(const pgb_arguments *a, bool wanted[PGB_EXPLAIN_KINDS]) {
  const pgb_request *r = &a->request;
  const bool by_env = a->word == NULL && r->n_env > 0;
  const char *names[PGB_EXPLAIN_KINDS];
  char word[32];
  bool any = false;
  (void)snprintf(word, sizeof word, "%s", a->word != NULL ? a->word : by_env ? r->env[0] : "");
  if (by_env)
    word[strcspn(word, ":")] = '\0';
  for (int kind = 0; kind < PGB_EXPLAIN_KINDS; kind++) {
    names[kind] = pgb_explain_name((pgb_explain_kind)kind);
    wanted[kind] = (a->word == NULL && !by_env) || strcmp(word, names[kind]) == 0;
    any = any || wanted[kind];
  }
  if (!any) {
    const char *near = pgb_nearest(word, names, PGB_EXPLAIN_KINDS);
    return pgb_fail(PGB_USAGE, "explain %s%s: no example of this; %s%s%s", by_env ? "--env " : "", word,
                    near != NULL ? "did you mean " : "use ",
                    near != NULL ? near : "bandit, gaussian or chain", near != NULL ? "?" : "");
  }
  if (r->n_policy > 0 && a->word == NULL && !by_env)
    return pgb_fail(PGB_USAGE,
                    "explain --policy %.60s: of which problem is not said; write `pgbench explain bandit`, "
                    "`gaussian` or `chain` before it",
                    r->policy[0]);
  return pgb_ok();
}

static pgb_status show(const pgb_arguments *a) {
  bool wanted[PGB_EXPLAIN_KINDS];
  pgb_explanation *all[PGB_EXPLAIN_KINDS] = {NULL};
  size_t n = 0;
  PGB_TRY(refuse(a));
  PGB_TRY(choose(a, wanted));
  pgb_status s = pgb_ok();
  for (int kind = 0; kind < PGB_EXPLAIN_KINDS && s.code == PGB_OK; kind++)
    if (wanted[kind])
      s = pgb_explain_create((pgb_explain_kind)kind, &a->request, &all[n++]);
  for (size_t i = 0; i < n && s.code == PGB_OK && a->format == PGB_FORMAT_TEXT; i++) {
    if (i > 0)
      (void)printf("\n");
    pgb_print_explanation(stdout, all[i]);
  }
  if (s.code == PGB_OK && a->format == PGB_FORMAT_JSON)
    s = pgb_print_explanations_json(stdout, all, n);
  for (size_t i = 0; i < n; i++)
    pgb_explain_destroy(all[i]);
  return s;
}

/* Rank 0 alone computes: a second of work, and the same figures for any number of ranks. */
pgb_status pgb_cmd_explain(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv) {
  (void)argc;
  (void)argv;
  return pgb_comm_agree(comm, pgb_comm_rank(comm) == 0 ? show(arguments) : pgb_ok());
}

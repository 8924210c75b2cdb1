/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <string.h>

static void list_env(const pgb_request *r) {
  (void)printf("env\n");
  for (const pgb_env_class *const *c = pgb_env_table(r->isa); *c != NULL; c++)
    (void)printf("  %-20s %s\n", (*c)->name, (*c)->title);
  for (size_t i = 0; i < r->n_extra; i++)
    (void)printf("  %-20s %s (plugin)\n", r->extra[i].class_->name, r->extra[i].class_->title);
}

static void list_policy(const pgb_request *r) {
  (void)printf("policy\n");
  for (const pgb_policy_class *const *c = pgb_policy_table(r->isa); *c != NULL; c++)
    (void)printf("  %-20s %s\n", (*c)->name, (*c)->title);
}

static void list_estimator(const pgb_request *r) {
  (void)printf("estimator\n");
  for (const pgb_estimator_class *const *c = pgb_estimator_table(r->isa); *c != NULL; c++)
    (void)printf("  %-20s %s\n", (*c)->name, (*c)->title);
}

static void list_baseline(const pgb_request *r) {
  (void)r;
  (void)printf("baseline\n");
  for (const pgb_baseline_class *const *c = pgb_baseline_table; *c != NULL; c++)
    (void)printf("  %-20s %s%s\n", (*c)->name, (*c)->title, (*c)->biased ? " (biased)" : "");
}

static void list_study(const pgb_request *r) {
  (void)r;
  (void)printf("study\n");
  for (const pgb_named_study *s = pgb_named_studies; s->name != NULL; s++)
    (void)printf("  %-20s %s\n", s->name, s->title);
}

pgb_status pgb_cmd_list(const pgb_arguments *a, pgb_comm *comm, int argc, char **argv) {
  static const char *const kinds[] = {"env", "policy", "estimator", "baseline", "study"};
  static void (*const lists[])(const pgb_request *) = {list_env, list_policy, list_estimator, list_baseline,
                                                       list_study};
  enum { N = sizeof kinds / sizeof *kinds };
  (void)argc;
  (void)argv;
  bool any = false;
  for (size_t i = 0; i < N; i++) {
    if (a->word != NULL && strcmp(a->word, kinds[i]) != 0)
      continue;
    any = true;
    if (pgb_comm_rank(comm) == 0)
      lists[i](&a->request);
  }
  if (any)
    return pgb_ok();
  return pgb_fail(PGB_USAGE, "list %s: no such kind; use env, policy, estimator, baseline or study", a->word);
}

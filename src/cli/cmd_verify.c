/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/option.h"
#include "study/verify.h"

#include <math.h>

static const char layout[] = "%-9s %-56s %-16s %11s %11s %10s %6s  %s\n";

static void print_row(void *self, const pgb_verify_row *row) {
  char pairs[32];
  char difference[32] = "-";
  char episodes[32];
  char z[32];
  (void)self;
  (void)snprintf(pairs, sizeof pairs, "%zu/%zu", row->compared, row->known);
  if (!isnan(row->difference))
    (void)snprintf(difference, sizeof difference, "%.1e", row->difference);
  (void)snprintf(episodes, sizeof episodes, "%.0f", row->episodes);
  (void)snprintf(z, sizeof z, "%.2f", row->z);
  (void)printf(layout, row->problem, row->instance, row->method, pairs, difference, episodes, z,
               row->ok ? "ok" : "FAIL");
  if (!row->ok)
    (void)printf("          %s\n", row->failure);
  (void)fflush(stdout);
}

/* What verify has no use for is refused, so that nobody thinks it was heeded. */
static pgb_status check(const pgb_arguments *a, pgb_verify_options *out) {
  const pgb_request *r = &a->request;
  const struct {
    bool given;
    const char *name;
  } useless[] = {{r->study != NULL, "study"},
                 {r->n_env > 0, "env"},
                 {r->n_policy > 0, "policy"},
                 {r->estimator != NULL, "estimator"},
                 {r->baseline != NULL, "baseline"},
                 {r->batch != NULL, "batch"},
                 {r->gamma != NULL, "gamma"},
                 {a->n_plugin > 0, "plugin"},
                 {a->output != NULL, "output"},
                 {a->force, "force"},
                 {a->save_gradients, "save-gradients"},
                 {a->share.n != 0, "cell"},
                 {a->resume != NULL, "resume"},
                 {a->time_limit > 0, "time-limit"},
                 {a->dry_run, "dry-run"},
                 {a->format != PGB_FORMAT_TEXT, "format"}};
  for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
    if (useless[i].given)
      return pgb_fail(PGB_USAGE,
                      "--%s: verify has instances of its own and takes --seed, --replicates, --simd and "
                      "--quiet alone; leave it out",
                      useless[i].name);
  if (r->seed != NULL && !pgb_parse_unsigned(r->seed, &out->seed))
    return pgb_fail(PGB_USAGE, "--seed %s: is not a whole number from 0 to 2^64-1; give one", r->seed);
  if (r->replicates != NULL && (!pgb_parse_unsigned(r->replicates, &out->replicates) || out->replicates < 2 ||
                                out->replicates > UINT32_MAX))
    return pgb_fail(PGB_USAGE, "--replicates %s: is not a whole number from 2 to 2^32-1; give one",
                    r->replicates);
  return pgb_ok();
}

pgb_status pgb_cmd_verify(const pgb_arguments *a, pgb_comm *comm, int argc, char **argv) {
  pgb_verify_options options = {.seed = 1, .isa = a->request.isa, .row = a->quiet ? NULL : print_row};
  pgb_verify_result result;
  const bool root = pgb_comm_rank(comm) == 0;
  (void)argc;
  (void)argv;
  PGB_TRY(pgb_comm_agree(comm, check(a, &options)));
  if (root && !a->quiet) {
    (void)printf(
        "pgbench verify: every oracle against a second exact method and against Monte Carlo, seed %llu\n\n",
        (unsigned long long)options.seed);
    (void)printf(layout, "problem", "instance", "second method", "compared", "difference", "episodes", "|z|",
                 "");
    (void)fflush(stdout);
  }
  PGB_TRY(pgb_verify(&options, comm, &result));
  if (root)
    (void)printf("%s%s\n", a->quiet ? "" : "\n", result.text);
  pgb_status s = pgb_ok();
  if (!result.valid)
    s.code = PGB_INVALID; /* the verdict is on the screen already: no text */
  return s;
}

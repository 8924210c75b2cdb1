/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "io/provenance.h"
#include "io/store.h"

#include <string.h>

const pgb_command pgb_commands[] = {
    {"variance", NULL, "measure gradient variance with and without baselines (the default command)",
     pgb_cmd_variance},
    {"verify", NULL, "every oracle against a second exact method and Monte Carlo: VALID or INVALID",
     pgb_cmd_verify},
    {"explain", "[bandit|gaussian|chain]", "why the log: the policy gradient in numbers, step by step",
     pgb_cmd_explain},
    {"scaling", NULL, "times this launch and adds a row to a table of launches", pgb_cmd_scaling},
    {"merge", "OUT PART...", "join the files of an array (--cell) into that of a single run", pgb_cmd_merge},
    {"list", "[env|policy|estimator|baseline|study]", "what there is", pgb_cmd_list},
    {"describe", "NAME", "options, formula, bias and source of one of these", pgb_cmd_describe},
    {NULL, NULL, NULL, NULL},
};

const pgb_command *pgb_command_find(const char *name) {
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++)
    if (strcmp(c->name, name) == 0)
      return c;
  return NULL;
}

void pgb_print_help(FILE *out) {
  (void)fprintf(out, "pgbench: policy-gradient variance, measured beside its exact value\n\n"
                     "  mpirun -n 64 pgbench                 the default study on 64 ranks\n"
                     "  pgbench --env cartpole --batch 1,64  one problem, two batch sizes\n\ncommands\n");
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++) {
    char left[64];
    (void)snprintf(left, sizeof left, "%s %s", c->name, c->operand != NULL ? c->operand : "");
    (void)fprintf(out, "  %-46s %s\n", left, c->help);
  }
  (void)fprintf(out, "\noptions\n");
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++) {
    char left[64];
    const bool letter = f->id < 256;
    (void)snprintf(left, sizeof left, "%c%c%s --%s %s", letter ? '-' : ' ', letter ? f->id : ' ',
                   letter ? "," : " ", f->name, f->value != NULL ? f->value : "");
    (void)fprintf(out, "  %-46s %s\n", left, f->help);
  }
  (void)fprintf(
      out, "\nexit codes: 0 done and VALID, 1 runtime failure, 2 bad usage or input, 3 INVALID, 75 stopped "
           "early, resumable\n");
}

void pgb_print_version(FILE *out, const pgb_comm *comm) {
  const pgb_provenance p = pgb_provenance_build();
  (void)fprintf(out,
                "pgbench %s, policy-gradient benchmark (PostgreSQL ships another program of this name)\n",
                p.version);
  (void)fprintf(out, "commit    %s\ncompiler  %s\nflags     %s\n", p.git_commit, p.compiler,
                p.compiler_flags);
  (void)fprintf(out, "MPI       %s\nLibrary   %s\nSIMD     ", pgb_comm_library(comm), pgb_store_library());
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
    if (pgb_isa_supported((pgb_isa)isa))
      (void)fprintf(out, " %s", pgb_isa_name((pgb_isa)isa));
  (void)fprintf(out, "\n");
}

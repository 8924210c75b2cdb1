/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_SCALING_H
#define PGB_CLI_SCALING_H

#include "cli/cli.h"
#include "study/scaling.h"

/* The whole table; rows of this launch are marked. quiet: those alone. */
void pgb_print_scaling(FILE *out, const pgb_scaling *table, const char *file, bool quiet);
void pgb_print_scaling_csv(FILE *out, const pgb_scaling *table);
pgb_status pgb_print_scaling_json(FILE *out, const pgb_scaling *table, const char *file) PGB_MUST_CHECK;

#endif

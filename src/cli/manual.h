/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_MANUAL_H
#define PGB_CLI_MANUAL_H

#include <stddef.h>
#include <stdio.h>

/* Texts for other programs, made at build time (manual.c) from the tables that the program itself reads:
 * pgb_flags, pgb_commands, and the classes and studies that `pgbench list` shows. */

void pgb_print_man_page(FILE *out, const char *date, const char *version);
void pgb_print_bash_completion(FILE *out);

enum { PGB_KINDS = 5 };
extern const char *const pgb_kinds[PGB_KINDS]; /* "env", "policy", "estimator", "baseline", "study" */
/* Name i of a kind that is built in, with its title, or NULL past the last. */
const char *pgb_kind_name(size_t kind, size_t i, const char **title);

#endif

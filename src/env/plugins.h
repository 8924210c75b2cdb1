/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ENV_PLUGINS_H
#define PGB_ENV_PLUGINS_H

#include "core/status.h"
#include "env/env.h"

#include <stddef.h>

/* Environments out of shared objects (env/plugin.h is what their authors read). A program of your own that
 * links the library exports what they call: link it with -rdynamic, or with --dynamic-list=plugin.syms as
 * pgbench is. */
typedef struct pgb_plugins pgb_plugins;

/* Loads and checks n files. Not collective: every rank loads for itself, then compares sha256 (cli/plugin.c).
 * Paths are taken as they stand, never looked for elsewhere. Refused (PGB_USAGE, the text names the file and
 * the class): no readable shared object, without PGB_PLUGIN, of another interface version or sizes; one that
 * turned on flush-to-zero (-ffast-math at its link); a class that pgb_env_check refuses; a name that is
 * taken. */
pgb_status pgb_plugins_load(size_t n, const char *const *files, pgb_plugins **out) PGB_MUST_CHECK;
void pgb_plugins_destroy(pgb_plugins *plugins); /* accepts NULL; the classes go with it */

/* Their classes, for pgb_request.extra; *n is 0 where plugins is NULL. */
const pgb_env_extra *pgb_plugins_classes(const pgb_plugins *plugins, size_t *n);

/* "[{file: /path/myenv.so, sha256: ..., envs: [myenv]}]" in YAML, "" where plugins is NULL. The path is
 * absolute; the checksum is that of sha256sum. */
const char *pgb_plugins_text(const pgb_plugins *plugins);
/* Whether two such texts tell of the same contents in the same order, wherever the files lie. */
bool pgb_plugins_same(const char *a, const char *b);

/* What an environment owes, of a plugin or a program's own class:
 * - name of a-z, 0-9, _ and - (a letter first, 32 characters at the most), title, source, prepare, reset and
 *   step; policy_gain 1 or -1; fields of the observation named, with unit and low < high;
 * - options named once each, with unit, help and a place within params_size that no other overlaps, ranges
 *   with low < high, and a default that its own range takes (arrays may have none);
 * - prepare with the defaults fills a space that fits together;
 * - up to 320 steps of PGB_LANES lanes with random words and valid actions: finite observations and rewards,
 * also for the few steps that follow an end; `end` PGB_LIVE or PGB_TERMINAL; nothing else written: not the
 *   actions, words or params, not another lane's column at a reset, nothing beyond the rows;
 * - the same episode, bit for bit, when played again, from other memory, in another lane, beside others.
 * PGB_USAGE "env <name>: <why>; <what to do>". */
pgb_status pgb_env_check(const pgb_env_class *class_) PGB_MUST_CHECK;

/* The two halves of it: the tables, then the run. */
pgb_status pgb_env_check_tables(const pgb_env_class *class_) PGB_MUST_CHECK;
pgb_status pgb_env_check_run(const pgb_env_class *class_) PGB_MUST_CHECK;

#endif

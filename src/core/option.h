/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_OPTION_H
#define PGB_CORE_OPTION_H

#include "core/mem.h"
#include "core/status.h"
#include "core/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One table describes a thing: its options are rows of a pgb_option table, and the study reader, `describe`,
 * the resolved configuration and the conformance tests all read that table. */

enum { PGB_MAX_RANK = 3 };

/* Numbers, row-major. rank 0 with size 1 is a scalar; rank 0 with size 0 means "not given". */
typedef struct pgb_array {
  const double *data;
  size_t size, rank, dim[PGB_MAX_RANK];
} pgb_array;

typedef enum pgb_type {
  PGB_TYPE_BOOL,   /* bool                                                     */
  PGB_TYPE_INT,    /* int64_t in [low, high]                                   */
  PGB_TYPE_REAL,   /* double in [low, high]                                    */
  PGB_TYPE_CHOICE, /* const char *: one of the words in `choices`, "a|b|c"     */
  PGB_TYPE_TEXT,   /* const char *: any scalar, of a form that the class checks in prepare */
  PGB_TYPE_ARRAY,  /* pgb_array: scalar or nested lists, each value in [low, high] */
} pgb_type;

typedef struct pgb_option {
  const char *name;
  const char *unit; /* "1" where there is none                                               */
  pgb_type type;
  size_t at;            /* offsetof the field in the class's params                              */
  double low, high;     /* inclusive range of numbers                                            */
  const char *fallback; /* default as YAML text; NULL: may be left out (array) or must be given   */
  const char *choices;  /* PGB_TYPE_CHOICE only                                                  */
  const char *help;
} pgb_option;

/* Fills params (zeroed, of the size the table belongs to) from the entries of a YAML mapping; every key of
 * the map must be a row of the table or one of the words in `others` ("name|horizon", or NULL). Absent keys
 * take their fallback. Errors (unknown with the nearest valid name, mistyped, out of range, ragged, missing)
 * are PGB_USAGE and carry file:line:column. A map of NULL is an empty one. */
pgb_status pgb_options_read(const pgb_option *table, size_t n, const pgb_yaml *map, const char *others,
                            pgb_arena *arena, void *params) PGB_MUST_CHECK;

/* The same for one option and its value. */
pgb_status pgb_option_read(const pgb_option *option, const pgb_yaml *node, pgb_arena *arena,
                           void *params) PGB_MUST_CHECK;

/* The value of one option as YAML flow text that reads back to the same bits; "" for an absent array. */
pgb_status pgb_option_text(const pgb_option *option, const void *params, pgb_arena *arena,
                           char **out) PGB_MUST_CHECK;

/* Single values, for what no table holds. Decimal notation of the C locale whatever the process has set,
 * nothing after it: "0.5", "-1e-3", "inf". Not: "0x1p3", "nan", "1_000", "1e999". False where text is not
 * such a number. */
bool pgb_parse_real(const char *text, double *out);
bool pgb_parse_int(const char *text, int64_t *out);       /* digits alone: not 1e4, not 1.0 */
bool pgb_parse_unsigned(const char *text, uint64_t *out); /* the same without a sign         */

/* The shortest text that pgb_parse_real (and any YAML reader) takes for the same bits. */
enum { PGB_REAL_TEXT = 32 };
void pgb_real_text(double value, char out[PGB_REAL_TEXT]);

/* A scalar or nested lists of numbers in [low, high]; errors name the value `name`. */
pgb_status pgb_array_read(const pgb_yaml *node, const char *name, double low, double high, pgb_arena *arena,
                          pgb_array *out) PGB_MUST_CHECK;

/* "a|b|c", as choices and aliases are written; NULL is none. Whether `word` is one of the words; and the text
 * cut in place into words, how many (those beyond `most` are dropped). */
bool pgb_is_word(const char *word, const char *words);
size_t pgb_cut_words(char *text, const char **words, size_t most);

/* The candidate nearest to word by edit distance, or NULL when none is near enough to suggest. */
const char *pgb_nearest(const char *word, const char *const *candidates, size_t n);

/* PGB_USAGE "unknown <what> '<word>': ...": suggests the nearest candidate and lists all. node: the place, or
 * NULL. */
pgb_status pgb_unknown(const pgb_yaml *node, int at_key, const char *what, const char *word,
                       const char *const *candidates, size_t n) PGB_MUST_CHECK;

#endif

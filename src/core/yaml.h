/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_YAML_H
#define PGB_CORE_YAML_H

#include "core/mem.h"
#include "core/status.h"

#include <stddef.h>

/* A YAML document as a plain tree (libyaml does the parsing). Every node knows where it stands, so that an
 * error can say file:line:column. Anchors, aliases, tags and several documents are refused: a study says what
 * it means once. So are more than 32 levels, 256 keys of one map, 4 Mi values and 16 MiB: no input takes
 * stack or time without bound. */
typedef enum pgb_yaml_kind { PGB_YAML_SCALAR, PGB_YAML_LIST, PGB_YAML_MAP } pgb_yaml_kind;

typedef struct pgb_yaml {
  pgb_yaml_kind kind;
  int quoted;          /* scalars: written in quotes, hence text and not a number        */
  const char *text;    /* scalars: the characters                                        */
  const char *key;     /* entries of a map: the key, else NULL                           */
  const char *where;   /* the file's name or "--env", for messages                       */
  size_t line, column; /* from 1; line 0: not from a file (an option's value)            */
  size_t key_line, key_column;
  struct pgb_yaml *first; /* children of a list or a map, in order                       */
  struct pgb_yaml *next;  /* sibling                                                     */
} pgb_yaml;

/* Reads a file or a text in UTF-8. The tree lives in the arena; where is copied into it. Duplicate keys are
 * errors. PGB_USAGE for anything the user wrote, with "file:line:column: why". An empty document is an empty
 * map. */
pgb_status pgb_yaml_read_file(const char *path, pgb_arena *arena, pgb_yaml **out) PGB_MUST_CHECK;
pgb_status pgb_yaml_read_text(const char *text, const char *where, pgb_arena *arena,
                              pgb_yaml **out) PGB_MUST_CHECK;

/* The entry of a map, or NULL. */
const pgb_yaml *pgb_yaml_get(const pgb_yaml *map, const char *key);

/* "a scalar", "a list", "a map", for messages. */
const char *pgb_yaml_kind_name(pgb_yaml_kind kind);

/* PGB_USAGE "<where>:<line>:<column>: <text>" at the node (at its key when at_key). */
pgb_status pgb_yaml_fail(const pgb_yaml *node, int at_key, const char *format, ...) PGB_MUST_CHECK
    __attribute__((format(printf, 3, 4)));

#endif

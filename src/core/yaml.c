/* SPDX-License-Identifier: MIT */
#include "core/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum {
  MAX_BYTES = 16 << 20,
  MAX_DEPTH = 32,
  MAX_KEYS = 256,
  MAX_NODES = 4 << 20,
  PIECE =
      64 << 10, /* nodes are cut from pieces of this size: an arena call for each would triple the memory */
};

typedef struct reader {
  yaml_parser_t parser;
  yaml_event_t event;
  pgb_arena *arena;
  const char *where;
  const char *bytes;
  size_t size;
  char *piece;
  size_t left, nodes;
} reader;

const char *pgb_yaml_kind_name(pgb_yaml_kind kind) {
  return kind == PGB_YAML_SCALAR ? "a scalar" : kind == PGB_YAML_LIST ? "a list" : "a map";
}

/* Length of "batch: " at the start of a text whose place is the option --batch, which says it already. */
static size_t own_name(const char *where, const char *text) {
  const size_t n = strncmp(where, "--", 2) == 0 ? strlen(where + 2) : 0;
  return n > 0 && strncmp(text, where + 2, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? n + 2 : 0;
}

pgb_status pgb_yaml_fail(const pgb_yaml *node, int at_key, const char *format, ...) {
  assert(node != NULL && node->where != NULL);
  char text[PGB_TEXT];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const size_t line = at_key && node->key != NULL ? node->key_line : node->line;
  const size_t column = at_key && node->key != NULL ? node->key_column : node->column;
  if (line == 0)
    return pgb_fail(PGB_USAGE, "%s: %s", node->where, text + own_name(node->where, text));
  return pgb_fail(PGB_USAGE, "%s:%zu:%zu: %s", node->where, line, column, text);
}

const pgb_yaml *pgb_yaml_get(const pgb_yaml *map, const char *key) {
  if (map->kind != PGB_YAML_MAP)
    return NULL;
  const pgb_yaml *child = map->first;
  while (child != NULL && strcmp(child->key, key) != 0)
    child = child->next;
  return child;
}

static pgb_status cut(reader *r, size_t bytes, void **out) {
  const size_t need = (bytes + 7) / 8 * 8;
  if (need > PIECE / 4)
    return pgb_arena_alloc(r->arena, 1, need, out);
  if (need > r->left) {
    void *piece = NULL;
    PGB_TRY(pgb_arena_alloc(r->arena, 1, PIECE, &piece));
    r->piece = piece;
    r->left = PIECE;
  }
  *out = r->piece;
  r->piece += need;
  r->left -= need;
  return pgb_ok();
}

static pgb_status fail_at(const reader *r, yaml_mark_t mark, const char *text) {
  return pgb_fail(PGB_USAGE, "%s:%zu:%zu: %s", r->where, mark.line + 1, mark.column + 1, text);
}

/* Bytes that are no text: libyaml tells the offset only. */
static pgb_status fail_bytes(const reader *r) {
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i < r->parser.problem_offset && i < r->size; i++) {
    const unsigned char c = (unsigned char)r->bytes[i];
    line += c == '\n';
    column =
        c == '\n' ? 1 : column + ((c & 0xC0) != 0x80); /* continuation bytes are no column of their own */
  }
  return pgb_fail(PGB_USAGE, "%s:%zu:%zu: not UTF-8 text: %s; a study is a plain text file", r->where, line,
                  column, r->parser.problem != NULL ? r->parser.problem : "unreadable bytes");
}

static pgb_status fail_parse(const reader *r) {
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR)
    return pgb_fail(PGB_RUNTIME, "%s: no memory left for the text; free some and try again", r->where);
  if (p->error == YAML_READER_ERROR)
    return fail_bytes(r);
  return pgb_fail(
      PGB_USAGE, "%s:%zu:%zu: not valid YAML: %s%s%s; check brackets, quotes and indentation there", r->where,
      p->problem_mark.line + 1, p->problem_mark.column + 1, p->problem != NULL ? p->problem : "syntax error",
      p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
}

/* Replaces the current event by the next one. */
static pgb_status advance(reader *r) {
  yaml_event_delete(&r->event);
  return yaml_parser_parse(&r->parser, &r->event) ? pgb_ok() : fail_parse(r);
}

static pgb_status copy_scalar(reader *r, const char **out) {
  const size_t length = r->event.data.scalar.length;
  const char *value = (const char *)r->event.data.scalar.value;
  if (memchr(value, '\0', length) != NULL)
    return fail_at(r, r->event.start_mark, "a text with a NUL character; leave \\0 away");
  void *text = NULL;
  PGB_TRY(cut(r, length + 1, &text));
  memcpy(text, value, length);
  *out = text;
  return pgb_ok();
}

static pgb_status refuse_extras(const reader *r) {
  const yaml_event_t *e = &r->event;
  const yaml_char_t *anchor = NULL;
  const yaml_char_t *tag = NULL;
  if (e->type == YAML_ALIAS_EVENT)
    return fail_at(r, e->start_mark, "an alias (*name): a study says everything once; write the value out");
  if (e->type == YAML_SCALAR_EVENT) {
    anchor = e->data.scalar.anchor;
    tag = e->data.scalar.tag;
  } else if (e->type == YAML_SEQUENCE_START_EVENT) {
    anchor = e->data.sequence_start.anchor;
    tag = e->data.sequence_start.tag;
  } else if (e->type == YAML_MAPPING_START_EVENT) {
    anchor = e->data.mapping_start.anchor;
    tag = e->data.mapping_start.tag;
  }
  if (anchor != NULL)
    return fail_at(r, e->start_mark, "an anchor (&name): a study has no aliases; leave it away");
  if (tag != NULL)
    return fail_at(r, e->start_mark, "a tag (!name): a study has plain values only; leave it away");
  return pgb_ok();
}

static pgb_status make_node(reader *r, pgb_yaml_kind kind, pgb_yaml **out) {
  if (++r->nodes > MAX_NODES)
    return fail_at(r, r->event.start_mark, "more than 4194304 values; make the study smaller");
  void *memory = NULL;
  PGB_TRY(cut(r, sizeof(pgb_yaml), &memory));
  *out = memory;
  (*out)->kind = kind;
  (*out)->where = r->where;
  (*out)->line = r->event.start_mark.line + 1;
  (*out)->column = r->event.start_mark.column + 1;
  return pgb_ok();
}

static pgb_status read_node(reader *r, size_t depth, pgb_yaml **out);

static pgb_status read_list(reader *r, size_t depth, pgb_yaml *list) {
  pgb_yaml **tail = &list->first;
  for (;;) {
    PGB_TRY(advance(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT)
      return pgb_ok();
    PGB_TRY(read_node(r, depth + 1, tail));
    tail = &(*tail)->next;
  }
}

static pgb_status read_key(reader *r, const pgb_yaml *map, size_t keys, const char **key) {
  PGB_TRY(refuse_extras(r));
  if (r->event.type != YAML_SCALAR_EVENT)
    return fail_at(r, r->event.start_mark, "a key must be a word, not a list or a map; check the braces");
  if (keys >= MAX_KEYS)
    return fail_at(r, r->event.start_mark, "more than 256 keys in one map; no study has so many");
  PGB_TRY(copy_scalar(r, key));
  const pgb_yaml *before = pgb_yaml_get(map, *key);
  if (before != NULL)
    return pgb_fail(PGB_USAGE, "%s:%zu:%zu: duplicate key '%.80s': it stands in line %zu too; remove one",
                    r->where, r->event.start_mark.line + 1, r->event.start_mark.column + 1, *key,
                    before->key_line);
  return pgb_ok();
}

static pgb_status read_map(reader *r, size_t depth, pgb_yaml *map) {
  pgb_yaml **tail = &map->first;
  for (size_t keys = 0;; keys++) {
    PGB_TRY(advance(r));
    if (r->event.type == YAML_MAPPING_END_EVENT)
      return pgb_ok();
    const char *key = NULL;
    PGB_TRY(read_key(r, map, keys, &key));
    const yaml_mark_t mark = r->event.start_mark;
    pgb_yaml *node = NULL;
    PGB_TRY(advance(r));
    PGB_TRY(read_node(r, depth + 1, &node));
    node->key = key;
    node->key_line = mark.line + 1;
    node->key_column = mark.column + 1;
    *tail = node; /* linked only now: a node without its key must not be found */
    tail = &node->next;
  }
}

/* The node that the current event begins. */
static pgb_status read_node(reader *r, size_t depth, pgb_yaml **out) {
  PGB_TRY(refuse_extras(r));
  if (depth > MAX_DEPTH)
    return fail_at(r, r->event.start_mark, "nested deeper than 32 levels; check the brackets");
  switch (r->event.type) {
  case YAML_SCALAR_EVENT:
    PGB_TRY(make_node(r, PGB_YAML_SCALAR, out));
    (*out)->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return copy_scalar(r, &(*out)->text);
  case YAML_SEQUENCE_START_EVENT:
    PGB_TRY(make_node(r, PGB_YAML_LIST, out));
    return read_list(r, depth, *out);
  case YAML_MAPPING_START_EVENT:
    PGB_TRY(make_node(r, PGB_YAML_MAP, out));
    return read_map(r, depth, *out);
  default:
    return fail_at(r, r->event.start_mark, "a value is missing; write one");
  }
}

static pgb_status read_stream(reader *r, pgb_yaml **out) {
  PGB_TRY(advance(r)); /* the stream's start */
  PGB_TRY(advance(r));
  if (r->event.type == YAML_STREAM_END_EVENT) {
    PGB_TRY(make_node(r, PGB_YAML_MAP, out));
    (*out)->line = (*out)->column = 1;
    return pgb_ok();
  }
  PGB_TRY(advance(r)); /* past the document's start */
  PGB_TRY(read_node(r, 0, out));
  PGB_TRY(advance(r)); /* the document's end */
  PGB_TRY(advance(r));
  if (r->event.type != YAML_STREAM_END_EVENT)
    return fail_at(r, r->event.start_mark,
                   "a second document (---): a study is one; put them in files of their own");
  return pgb_ok();
}

static pgb_status read_bytes(const char *bytes, size_t size, const char *where, pgb_arena *arena,
                             pgb_yaml **out) {
  *out = NULL;
  char *name = NULL;
  PGB_TRY(pgb_arena_text(arena, where, &name));
  if (size > MAX_BYTES)
    return pgb_fail(PGB_USAGE, "%s: larger than 16 MiB; a study is a short text", where);
  if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) { /* the byte order mark that some editors write */
    bytes += 3;
    size -= 3;
  }
  reader r = {.arena = arena, .where = name, .bytes = bytes, .size = size};
  if (!yaml_parser_initialize(&r.parser))
    return pgb_fail(PGB_RUNTIME, "%s: no memory left to read it; free some and try again", where);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, size);
  pgb_status s = read_stream(&r, out);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  if (s.code != PGB_OK)
    *out = NULL;
  return s;
}

pgb_status pgb_yaml_read_text(const char *text, const char *where, pgb_arena *arena, pgb_yaml **out) {
  assert(text != NULL && where != NULL && arena != NULL && out != NULL);
  return read_bytes(text, strlen(text), where, arena, out);
}

/* All of a stream, or one byte more than a study may have. Grows, since a pipe does not tell its size. */
static pgb_status slurp(FILE *file, const char *path, char **bytes, size_t *size) {
  size_t room = 0;
  *bytes = NULL;
  *size = 0;
  for (;;) {
    if (*size == room) {
      void *more = NULL;
      const size_t wanted = room == 0 ? PIECE : 2 * room;
      PGB_TRY(pgb_alloc(wanted, 1, &more));
      if (*size != 0)
        memcpy(more, *bytes, *size);
      free(*bytes);
      *bytes = more;
      room = wanted;
    }
    const size_t got = fread(*bytes + *size, 1, room - *size, file);
    *size += got;
    if (ferror(file))
      return pgb_fail(PGB_USAGE, "%s: cannot be read: %s; check the file", path, strerror(errno));
    if (got == 0 || *size > MAX_BYTES)
      return pgb_ok();
  }
}

pgb_status pgb_yaml_read_file(const char *path, pgb_arena *arena, pgb_yaml **out) {
  assert(path != NULL && arena != NULL && out != NULL);
  *out = NULL;
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return pgb_fail(PGB_USAGE, "%s: cannot be opened: %s; check the name", path, strerror(errno));
  struct stat info;
  if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
    (void)fclose(file);
    return pgb_fail(PGB_USAGE, "%s: a directory; name a study file in it", path);
  }
  char *bytes = NULL;
  size_t size = 0;
  pgb_status s = slurp(file, path, &bytes, &size);
  (void)fclose(file); /* only read from */
  if (s.code == PGB_OK)
    s = read_bytes(bytes, size, path, arena, out);
  free(bytes);
  return s;
}

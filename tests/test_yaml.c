/* SPDX-License-Identifier: MIT */
#include "core/yaml.h"

#include "check.h"

#include <stdlib.h>
#include <unistd.h>

/* The status of reading a text; the tree is gone afterwards. */
static pgb_status read_status(const char *text) {
  pgb_arena *arena = NULL;
  pgb_yaml *tree = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_yaml_read_text(text, "t", arena, &tree);
  if (s.code == PGB_OK && tree == NULL)
    s = pgb_fail(PGB_RUNTIME, "no tree");
  if (s.code != PGB_OK && tree != NULL)
    s = pgb_fail(PGB_RUNTIME, "a tree beside an error");
  pgb_arena_destroy(arena);
  return s;
}

static void test_tree(checks *c) {
  pgb_arena *arena = NULL;
  pgb_yaml *t = NULL;
  const char *text = "# comment\n"
                     "a: 1\n"
                     "b: [x, 'y, z', [2]]\n"
                     "c:\n"
                     "  - {d: \"q\\n\", e: }\n"
                     "  - f\n";
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_yaml_read_text(text, "t", arena, &t));
  if (t == NULL)
    return;
  CHECK(c, t->kind == PGB_YAML_MAP && t->key == NULL && t->line == 2);
  const pgb_yaml *a = pgb_yaml_get(t, "a");
  CHECK(c, a != NULL && a->kind == PGB_YAML_SCALAR && strcmp(a->text, "1") == 0 && !a->quoted);
  CHECK(c, a->line == 2 && a->column == 4 && a->key_line == 2 && a->key_column == 1);
  const pgb_yaml *b = pgb_yaml_get(t, "b");
  CHECK(c, b != NULL && b->kind == PGB_YAML_LIST && b->line == 3 && b->column == 4);
  CHECK(c, strcmp(b->first->text, "x") == 0 && strcmp(b->first->next->text, "y, z") == 0);
  CHECK(c, b->first->next->quoted && b->first->next->column == 8);
  CHECK(c, b->first->next->next->kind == PGB_YAML_LIST && b->first->next->next->next == NULL);
  const pgb_yaml *d = pgb_yaml_get(pgb_yaml_get(t, "c")->first, "d");
  CHECK(c, d != NULL && strcmp(d->text, "q\n") == 0 && d->quoted && d->key_line == 5 && d->key_column == 6);
  CHECK(c, pgb_yaml_get(pgb_yaml_get(t, "c")->first, "e")->text[0] == '\0');
  CHECK(c, pgb_yaml_get(t, "missing") == NULL && pgb_yaml_get(a, "a") == NULL);
  CHECK_REFUSED(c, pgb_yaml_fail(d, 0, "why %d", 7), PGB_USAGE, "t:5:9: why 7");
  CHECK_REFUSED(c, pgb_yaml_fail(d, 1, "why"), PGB_USAGE, "t:5:6: why");
  const pgb_yaml option = {.where = "--env"};
  CHECK(c, strcmp(pgb_yaml_fail(&option, 0, "why").text, "--env: why") == 0);
  pgb_arena_destroy(arena);
}

static void test_empty(checks *c) {
  static const char *const texts[] = {"", "\n\n", "# only a comment\n", "\xEF\xBB\xBF# a byte order mark\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    pgb_arena *arena = NULL;
    pgb_yaml *t = NULL;
    CHECK_OK(c, pgb_arena_create(&arena));
    CHECK_OK(c, pgb_yaml_read_text(texts[i], "t", arena, &t));
    CHECK(c, t != NULL && t->kind == PGB_YAML_MAP && t->first == NULL && t->line == 1);
    pgb_arena_destroy(arena);
  }
}

static void test_refused(checks *c) {
  static const char *const cases[][2] = {
      {"a: 1\nb: 2\na: 3\n", "t:3:1: duplicate key 'a': it stands in line 1"},
      {"m: {x: 1, y: 2, x: 3}", "t:1:17: duplicate key 'x'"},
      {"a: &n 1\n", "t:1:4: an anchor"},
      {"a: &n [1]\n", "t:1:4: an anchor"},
      {"a: &n {b: 1}\n", "t:1:4: an anchor"},
      {"&n a: 1\n", "t:1:1: an anchor"},
      {"a: 1\nb: *n\n", "t:2:4: an alias"},
      {"a: !!int 1\n", "t:1:4: a tag"},
      {"a: !x [1]\n", "t:1:4: a tag"},
      {"a: !x {b: 1}\n", "t:1:4: a tag"},
      {"a: 1\n---\nb: 2\n", "t:2:1: a second document"},
      {"a: [1, 2\nb: 3\n", "t:2:"},
      {"a: [1, 2", "not valid YAML"},
      {"a: 'open\n", "not valid YAML"},
      {"a: b: c\n", "t:1:5: not valid YAML"},
      {"a:\n\tb: 1\n", "t:2:1: not valid YAML"},
      {"}", "not valid YAML"},
      {"? [1]\n: 2\n", "t:1:3: a key must be a word"},
      {"{[1]: 2}\n", "a key must be a word"},
      {"*n : 1\n", "an alias"},
      {"a: \"x\\0y\"\n", "t:1:4: a text with a NUL"},
      {"a: \x01\n", "t:1:4: not UTF-8 text: control"},
      {"a: 1\nb: \xff\n", "t:2:4: not UTF-8 text"},
      {"a: \xC3\xA4 \xC3(\n",
       "t:1:7: not UTF-8 text"},               /* columns are characters: the first two bytes are one */
      {"a: \xC0\x80\n", "not UTF-8 text"},     /* an overlong NUL */
      {"a: \xED\xA0\x80\n", "not UTF-8 text"}, /* a surrogate     */
      {"\xFF\xFE"
       "a",
       "t:1:1: not UTF-8 text"}, /* UTF-16          */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    CHECK_REFUSED(c, read_status(cases[i][0]), PGB_USAGE, cases[i][1]);
}

/* No input takes stack or time without bound. */
static void test_limits(checks *c) {
  enum { DEEP = 200000, KEYS = 300 };
  char *deep = malloc(DEEP + 1);
  char *keys = malloc((size_t)KEYS * 12 + 1);
  CHECK(c, deep != NULL && keys != NULL);
  if (deep == NULL || keys == NULL) {
    free(deep);
    free(keys);
    return;
  }
  static const char opening[] = "[{-";
  for (size_t k = 0; k < sizeof opening - 1; k++) {
    for (size_t i = 0; i < DEEP; i++)
      deep[i] = opening[k] == '-' && i % 2 == 1 ? ' ' : opening[k];
    deep[DEEP] = '\0';
    CHECK_REFUSED(c, read_status(deep), PGB_USAGE, opening[k] == '{' ? "t:1:" : "deeper than 32");
  }
  memcpy(deep, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 66);
  CHECK_OK(c, read_status(deep));
  size_t used = 0;
  for (int i = 0; i < KEYS; i++)
    used += (size_t)sprintf(keys + used, "k%d: 1\n", i);
  CHECK_REFUSED(c, read_status(keys), PGB_USAGE, "t:257:1: more than 256 keys");
  free(deep);
  free(keys);
}

static pgb_status read_bytes(const void *bytes, size_t size, size_t repeat, const char *path) {
  pgb_arena *arena = NULL;
  pgb_yaml *tree = NULL;
  FILE *f = fopen(path, "wb");
  if (f == NULL)
    return pgb_fail(PGB_RUNTIME, "cannot write %s", path);
  for (size_t i = 0; i < repeat; i++)
    (void)fwrite(bytes, 1, size, f);
  if (fclose(f) != 0)
    return pgb_fail(PGB_RUNTIME, "cannot write %s", path);
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_yaml_read_file(path, arena, &tree);
  pgb_arena_destroy(arena);
  return s;
}

static void test_files(checks *c) {
  pgb_arena *arena = NULL;
  pgb_yaml *t = NULL;
  char path[] = "test_yaml_XXXXXX";
  const int fd = mkstemp(path);
  CHECK(c, fd >= 0);
  if (fd < 0)
    return;
  (void)close(fd);
  char line[64] = "#";
  memset(line + 1, 'x', sizeof line - 2);
  line[sizeof line - 1] = '\n';
  CHECK_OK(c, read_bytes("", 0, 0, path));
  CHECK_OK(c, read_bytes("a: 1\n", 5, 1, path));
  CHECK_OK(c, read_bytes(line, sizeof line, 4000, path)); /* past the first read */
  CHECK_OK(c, read_bytes(line, sizeof line, (16 << 20) / sizeof line, path));
  CHECK_REFUSED(c, read_bytes(line, sizeof line, (16 << 20) / sizeof line + 1, path), PGB_USAGE, "16 MiB");
  CHECK_REFUSED(c, read_bytes("a: 1\nb: \0\n", 10, 1, path), PGB_USAGE, ":2:4: not UTF-8 text: control");
  CHECK_REFUSED(c, read_bytes("\0", 1, 1, path), PGB_USAGE, ":1:1: ");
  CHECK_REFUSED(c, read_bytes("a: 1\na: 2\n", 10, 1, path), PGB_USAGE, path);
  CHECK(c, remove(path) == 0);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_REFUSED(c, pgb_yaml_read_file(path, arena, &t), PGB_USAGE, "cannot be opened: No such file");
  CHECK_REFUSED(c, pgb_yaml_read_file(".", arena, &t), PGB_USAGE, "a directory");
  CHECK(c, t == NULL);
  pgb_arena_destroy(arena);
}

int main(void) {
  checks c = {0};
  test_tree(&c);
  test_empty(&c);
  test_refused(&c);
  test_limits(&c);
  test_files(&c);
  return check_end(&c, "yaml");
}

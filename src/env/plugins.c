/* SPDX-License-Identifier: MIT */
#include "env/plugins.h"

#include "core/sha256.h"
#include "env/plugin.h"
#include "env/plugin_file.h"

#include <assert.h>
#include <dlfcn.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 64 };

struct pgb_plugins {
  pgb_arena *arena;
  void **handle; /* [n_files] */
  size_t n_files, n_classes;
  pgb_env_extra *extra; /* [n_classes], room for MAX_CLASSES */
  const char **from;    /* [n_classes] the file as the user wrote it */
  char *text;
};

/* Whether this process still computes as it was started: rounding to nearest, gradual underflow. The start-up
 * code that -ffast-math links into a shared object turns the latter off for everybody. */
static bool arithmetic_is_whole(void) {
  volatile float small = 0x1p-126f;
  return small * 0.5f != 0.0f && fegetround() == FE_TONEAREST;
}

/* Whether it was compiled to the interface that this program has. */
static pgb_status check_interface(const pgb_plugin *p) {
  const pgb_plugin own = PGB_PLUGIN_INIT(0, NULL);
  if (memcmp(p->magic, own.magic, sizeof own.magic) != 0)
    return pgb_fail(PGB_USAGE, "its " PGB_PLUGIN_SYMBOL " is not one of PGB_PLUGIN; use that macro");
  if (p->abi != own.abi)
    return pgb_fail(PGB_USAGE,
                    "was built for plugin interface %u, this pgbench has %u; build it again with the "
                    "headers of this pgbench",
                    (unsigned)p->abi, (unsigned)own.abi);
  const struct {
    const char *what;
    uint32_t theirs, ours;
  } sizes[] = {{"pgb_plugin", p->size, own.size},
               {"pgb_env_class", p->class_size, own.class_size},
               {"pgb_batch", p->batch_size, own.batch_size},
               {"pgb_space", p->space_size, own.space_size},
               {"pgb_option", p->option_size, own.option_size},
               {"pgb_array", p->array_size, own.array_size},
               {"pgb_field", p->field_size, own.field_size},
               {"pgb_status", p->status_size, own.status_size},
               {"PGB_LANES", p->lanes, own.lanes}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].theirs != sizes[i].ours)
      return pgb_fail(PGB_USAGE,
                      "was built with %s of size %u, this pgbench has %u; build it again with the "
                      "headers of this pgbench",
                      sizes[i].what, (unsigned)sizes[i].theirs, (unsigned)sizes[i].ours);
  if (p->n_classes < 1 || p->n_classes > MAX_CLASSES || p->classes == NULL)
    return pgb_fail(PGB_USAGE, "holds %u classes; give 1 to %d", (unsigned)p->n_classes, (int)MAX_CLASSES);
  return pgb_ok();
}

static pgb_status check_name(const pgb_plugins *all, const char *name) {
  if (pgb_env_find(PGB_ISA_NONE, name) != NULL)
    return pgb_fail(PGB_USAGE, "env %s: the name is taken by one of pgbench itself; rename it", name);
  for (size_t i = 0; i < all->n_classes; i++)
    if (strcmp(all->extra[i].class_->name, name) == 0)
      return pgb_fail(PGB_USAGE, "env %s: the name is taken by %.150s; rename it or load one of them", name,
                      all->from[i]);
  return pgb_ok();
}

static pgb_status take_classes(pgb_plugins *all, const pgb_plugin *p, const char *file, const char *sha256) {
  char *origin = NULL;
  PGB_TRY(pgb_arena_printf(all->arena, &origin, "plugin, sha256 %s", sha256));
  for (size_t i = 0; i < p->n_classes; i++) {
    const pgb_env_class *c = p->classes[i];
    if (c == NULL)
      return pgb_fail(PGB_USAGE, "its class %zu is NULL; give PGB_PLUGIN the addresses of classes", i + 1);
    if (all->n_classes == MAX_CLASSES)
      return pgb_fail(PGB_USAGE, "more than %d environments in plugins; load fewer", (int)MAX_CLASSES);
    PGB_TRY(pgb_env_check_tables(c));
    PGB_TRY(check_name(all, c->name));
    PGB_TRY(pgb_env_check_run(c));
    if (!arithmetic_is_whole())
      return pgb_fail(PGB_USAGE,
                      "env %s: left another rounding mode or flush-to-zero behind; restore what it "
                      "changes",
                      c->name);
    all->extra[all->n_classes] = (pgb_env_extra){.class_ = c, .origin = origin};
    all->from[all->n_classes++] = file;
  }
  return pgb_ok();
}

/* One more entry of the list that provenance stores. */
static pgb_status describe(pgb_plugins *all, const pgb_plugin *p, const char *path, const char *sha256) {
  char *names = NULL;
  PGB_TRY(pgb_arena_text(all->arena, "", &names));
  for (size_t i = 0; i < p->n_classes; i++)
    PGB_TRY(pgb_arena_printf(all->arena, &names, "%s%s%s", names, i > 0 ? ", " : "", p->classes[i]->name));
  void *quoted = NULL;
  PGB_TRY(pgb_arena_alloc(all->arena, 2 * strlen(path) + 1, 1, &quoted));
  char *to = quoted;
  for (const char *c = path; *c != '\0'; c++) { /* YAML's '' in single quotes */
    *to++ = *c;
    if (*c == '\'')
      *to++ = *c;
  }
  return pgb_arena_printf(all->arena, &all->text, "%s%s{file: '%s', sha256: %s, envs: [%s]}", all->text,
                          all->text[0] != '\0' ? ", " : "", (char *)quoted, sha256, names);
}

static pgb_status load(pgb_plugins *all, const char *file) {
  char path[PATH_MAX];
  char sha256[PGB_SHA256_HEX];
  PGB_TRY(pgb_plugin_file(file, path));
  PGB_TRY(pgb_sha256_file(path, sha256));
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL)
    return pgb_fail(PGB_USAGE, "cannot be loaded (%.300s); link into it what it needs, for this machine",
                    dlerror());
  all->handle[all->n_files++] = handle;
  if (!arithmetic_is_whole())
    return pgb_fail(PGB_USAGE,
                    "turns on flush-to-zero for the whole program; link it without -ffast-math and "
                    "-Ofast");
  const pgb_plugin *p = dlsym(handle, PGB_PLUGIN_SYMBOL);
  if (p == NULL)
    return pgb_fail(PGB_USAGE,
                    "has no symbol " PGB_PLUGIN_SYMBOL "; end its source with PGB_PLUGIN(&class) of "
                    "env/plugin.h");
  PGB_TRY(check_interface(p));
  PGB_TRY(take_classes(all, p, file, sha256));
  return describe(all, p, path, sha256);
}

static pgb_status create(size_t n, pgb_plugins **out) {
  void *memory = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_plugins), &memory));
  pgb_plugins *all = *out = memory;
  PGB_TRY(pgb_arena_create(&all->arena));
  PGB_TRY(pgb_arena_alloc(all->arena, n, sizeof(void *), &memory));
  all->handle = memory;
  PGB_TRY(pgb_arena_alloc(all->arena, MAX_CLASSES, sizeof(pgb_env_extra), &memory));
  all->extra = memory;
  PGB_TRY(pgb_arena_alloc(all->arena, MAX_CLASSES, sizeof(char *), &memory));
  all->from = memory;
  return pgb_arena_text(all->arena, "", &all->text);
}

pgb_status pgb_plugins_load(size_t n, const char *const *files, pgb_plugins **out) {
  assert(out != NULL && (files != NULL || n == 0));
  *out = NULL;
  if (n == 0)
    return pgb_ok();
  pgb_plugins *all = NULL;
  pgb_status s = create(n, &all);
  for (size_t i = 0; i < n && s.code == PGB_OK; i++) {
    s = load(all, files[i]);
    if (s.code == PGB_USAGE)
      s = pgb_fail(PGB_USAGE, "%.150s: %.340s", files[i], s.text);
  }
  if (s.code == PGB_OK)
    s = pgb_arena_printf(all->arena, &all->text, "[%s]", all->text);
  if (s.code == PGB_OK)
    *out = all;
  else
    pgb_plugins_destroy(all);
  return s;
}

void pgb_plugins_destroy(pgb_plugins *all) {
  if (all == NULL)
    return;
  for (size_t i = all->n_files; i-- > 0;)
    (void)dlclose(all->handle[i]); /* nothing to do where it fails: the process ends */
  pgb_arena_destroy(all->arena);
  free(all);
}

const pgb_env_extra *pgb_plugins_classes(const pgb_plugins *all, size_t *n) {
  assert(n != NULL);
  *n = all != NULL ? all->n_classes : 0;
  return all != NULL ? all->extra : NULL;
}

const char *pgb_plugins_text(const pgb_plugins *all) {
  return all != NULL ? all->text : "";
}

/* Behind the file's name, where the text has one here; its quotes are doubled within it. */
static const char *skip_file(const char *at) {
  static const char key[] = "{file: '";
  if (strncmp(at, key, strlen(key)) != 0)
    return at;
  for (at += strlen(key); *at != '\0'; at++) {
    if (*at != '\'')
      continue;
    if (at[1] != '\'')
      return at;
    at++;
  }
  return at;
}

bool pgb_plugins_same(const char *a, const char *b) {
  assert(a != NULL && b != NULL);
  for (;; a++, b++) {
    a = skip_file(a);
    b = skip_file(b);
    if (*a != *b)
      return false;
    if (*a == '\0')
      return true;
  }
}

/* SPDX-License-Identifier: MIT */
/* For authors of environments, from C11 and from C++17 on. */
#ifndef PGB_ENV_PLUGIN_H
#define PGB_ENV_PLUGIN_H

/* An environment of your own, without building pgbench again:
 *
 *   #include "env/plugin.h"
 *   ... options, prepare, reset and step of a pgb_env_class (env/env.h is the contract) ...
 *   static const pgb_env_class myenv = {...};
 *   PGB_PLUGIN(&myenv);
 *
 *   cc -O3 -shared -fPIC $(pkg-config --cflags pgbench) myenv.c -o myenv.so
 *   pgbench --plugin ./myenv.so --env myenv
 *
 * or in CMake: find_package(pgbench COMPONENTS plugin), add_library(myenv MODULE myenv.c) and
 * target_link_libraries(myenv PRIVATE pgbench::plugin). Compile it for any instruction set: one copy serves
 * whatever --simd says. The flags of pkg-config and CMake keep its floating-point results the same on every
 * compiler; without -ffp-contract=off a compiler may fuse a*b+c, which is one rounding less.
 *
 * What it may call of pgbench: the functions in line of core/rng.h and core/vmath.h, and those that the
 * program exports (src/env/plugin.syms): pgb_fail, pgb_alloc and the pgb_arena_* of core/mem.h. Whatever else
 * it needs it brings along, as a shared object does.
 *
 * When it is loaded the program checks its version and sizes, its tables, and runs a few hundred steps of
 * every class with default options (env/plugins.h says what is checked); what fails is refused with the
 * reason. Every rank loads it, and it runs inside the program: one that crashes takes the job with it. */

#ifdef __cplusplus
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
extern "C" {
#endif

#include "core/mem.h"
#include "core/rng.h"
#include "core/status.h"
#include "core/vmath.h"
#include "env/env.h"

#include <stdint.h>

/* Rises whenever the meaning or the layout of what a plugin shares with the program changes: pgb_env_class,
 * pgb_batch, pgb_space, pgb_option, pgb_array, pgb_field, pgb_status. */
enum { PGB_PLUGIN_ABI = 1 };

/* The one symbol that a plugin exports. The first three members stay where they are in every version. */
typedef struct pgb_plugin {
  char magic[8]; /* "pgbench" */
  uint32_t abi;  /* PGB_PLUGIN_ABI */
  uint32_t size; /* of this struct */
  uint32_t class_size, batch_size, space_size, option_size, array_size, field_size, status_size;
  uint32_t lanes, n_classes;
  const pgb_env_class *const *classes; /* [n_classes] */
} pgb_plugin;

extern const pgb_plugin pgb_plugin_entry __attribute__((visibility("default")));
#define PGB_PLUGIN_SYMBOL "pgb_plugin_entry"

/* What this header was compiled to; the program fills one too and compares. */
#define PGB_PLUGIN_INIT(n_classes, classes)                                                                  \
  {                                                                                                          \
    "pgbench", PGB_PLUGIN_ABI, sizeof(pgb_plugin), sizeof(pgb_env_class), sizeof(pgb_batch),                 \
        sizeof(pgb_space), sizeof(pgb_option), sizeof(pgb_array), sizeof(pgb_field), sizeof(pgb_status),     \
        PGB_LANES, (n_classes), (classes)                                                                    \
  }

/* Once in a shared object: the addresses of its classes. */
#define PGB_PLUGIN(...)                                                                                      \
  static const pgb_env_class *const pgb_plugin_classes[] = {__VA_ARGS__};                                    \
  const pgb_plugin pgb_plugin_entry =                                                                        \
      PGB_PLUGIN_INIT(sizeof pgb_plugin_classes / sizeof *pgb_plugin_classes, pgb_plugin_classes)

#ifdef __cplusplus
}
#endif

#endif

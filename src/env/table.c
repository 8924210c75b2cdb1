/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: the list of envs.def in that set. */
#include "env/env.h"

extern const pgb_env_class *const PGB_KERNEL(pgb_env_classes)[];

#define PGB_ENV(name) extern const pgb_env_class PGB_KERNEL(pgb_env_##name);
#include "envs/envs.def"
#undef PGB_ENV

#define PGB_ENV(name) &PGB_KERNEL(pgb_env_##name),
const pgb_env_class *const PGB_KERNEL(pgb_env_classes)[] = {
#include "envs/envs.def"
    NULL};
#undef PGB_ENV

/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: the list of estimators.def in that set. */
#include "estimator/estimator.h"

extern const pgb_estimator_class *const PGB_KERNEL(pgb_estimator_classes)[];

#define PGB_ESTIMATOR(name) extern const pgb_estimator_class PGB_KERNEL(pgb_estimator_##name);
#include "estimator/estimators.def"
#undef PGB_ESTIMATOR

#define PGB_ESTIMATOR(name) &PGB_KERNEL(pgb_estimator_##name),
const pgb_estimator_class *const PGB_KERNEL(pgb_estimator_classes)[] = {
#include "estimator/estimators.def"
    NULL};
#undef PGB_ESTIMATOR

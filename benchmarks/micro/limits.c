/* SPDX-License-Identifier: MIT */
/* Lane functions (random words, vmath) and the machine's own limits, in units per second. */
#include "bodies.h"
#include "case.h"
#include "core/dispatch.h"
#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>

PGB_DECLARE_KERNEL(const lane_work, lane_works, []);

static void body(bench_state *state, void *argument) {
  const lane_work *const *work = argument;
  void *room = NULL;
  bench_require(pgb_alloc(LANE_ROOM, 1, &room));
  double units = 0;
  while (bench_next(state)) {
    (*work)->run(room);
    bench_use(room);
    units += (*work)->units;
  }
  bench_rate(state, (*work)->unit, units);
  free(room);
}

void limits_add(pgb_isa best) {
  enum { MAX = 16 };
  static const lane_work *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(lane_works);
  static const lane_work *added[MAX];
  for (size_t i = 0; i < MAX && copies[best][i].name != NULL; i++) {
    char name[96];
    added[i] = &copies[best][i];
    (void)snprintf(name, sizeof name, "lanes/%s/%s", added[i]->name, pgb_isa_name(best));
    bench_add(name, body, &added[i]);
  }
}

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "study/plan.h"

#include <stdlib.h>
#include <string.h>

/* Drops from "all" what no cell can use; what the user named and no cell can use is an error. */
static pgb_status keep_usable(pgb_study *study) {
  void *room = NULL;
  PGB_TRY(pgb_alloc(study->n_estimators + study->n_baselines, sizeof(char *), &room));
  const char **estimator = room;
  const char **baseline = estimator + study->n_estimators;
  pgb_status s = pgb_plan_usable(study, estimator, baseline);
  if (s.code == PGB_OK)
    s = pgb_study_keep(study, estimator, baseline);
  free(room);
  return s;
}

/* Rank 0 reads and resolves; the others resolve what it resolved, so that files are read once. */
pgb_status pgb_study_load(const pgb_request *request, pgb_comm *comm, pgb_arena *arena, pgb_study **out) {
  const bool root = pgb_comm_rank(comm) == 0;
  pgb_status s = pgb_ok();
  uint64_t lengths[2] = {0, 0};
  if (root) {
    s = pgb_study_resolve(request, out);
    if (s.code == PGB_OK)
      s = keep_usable((*out));
    if (s.code == PGB_OK) {
      lengths[0] = strlen((*out)->name) + 1;
      lengths[1] = strlen((*out)->config) + 1;
    }
  }
  PGB_TRY(pgb_comm_agree(comm, s));
  if (pgb_comm_size(comm) == 1)
    return pgb_ok();
  PGB_TRY(pgb_comm_agree(comm, pgb_comm_broadcast(comm, lengths, sizeof lengths)));
  void *text = NULL;
  PGB_TRY(pgb_comm_agree(comm, pgb_arena_alloc(arena, lengths[0] + lengths[1], 1, &text)));
  if (root) {
    memcpy(text, (*out)->name, lengths[0]);
    memcpy((char *)text + lengths[0], (*out)->config, lengths[1]);
  }
  PGB_TRY(pgb_comm_agree(comm, pgb_comm_broadcast(comm, text, lengths[0] + lengths[1])));
  if (!root) {
    const pgb_request resolved = {
        .study = text, .text = (const char *)text + lengths[0], .isa = request->isa};
    s = pgb_study_resolve(&resolved, out);
  }
  return pgb_comm_agree(comm, s);
}

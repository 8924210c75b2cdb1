/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_RESUME_H
#define PGB_CLI_RESUME_H

#include "cli/cli.h"
#include "study/checkpoint.h"

/* The checkpoint beside a run's result: what an earlier launch left, and what this one keeps. Rank 0 alone
 * opens and writes; `head` and `resumed` are for all. */
typedef struct pgb_resume {
  const char *output; /* the result                                      */
  const char *name;   /* of its checkpoint                               */
  bool resumed;       /* an earlier launch began the run                 */
  bool kept;          /* the checkpoint is on disk, and of this study    */
  pgb_checkpoint_head head;
  pgb_part_reader *part; /* of the earlier launch; or NULL */
} pgb_resume;

/* Not collective, rank 0. Refuses (PGB_USAGE) a checkpoint that is not there or cannot be used, a result that
 * is, and options that contradict the run. Sets the options that the run itself decides: study, kernels,
 * gradients, force. Texts in the arena. */
pgb_status pgb_resume_open(pgb_arguments *arguments, pgb_arena *arena, pgb_resume *out) PGB_MUST_CHECK;

/* Not collective, rank 0. Refuses to start a run anew where a checkpoint waits for its end, unless force. */
pgb_status pgb_resume_none(const char *output, bool force, pgb_arena *arena, pgb_resume *out) PGB_MUST_CHECK;

/* What a failed or stopped run says: that the checkpoint is there, and how to go on. */
pgb_status pgb_resume_advice(const pgb_resume *resume, pgb_arena *arena, pgb_status s) PGB_MUST_CHECK;

/* Whether any option of the request says what to measure. */
bool pgb_request_given(const pgb_request *request);

#endif

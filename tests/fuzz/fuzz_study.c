/* SPDX-License-Identifier: MIT */
/* The study reader: any text is refused with a message or resolves to a study whose own text resolves to the
 * same. */
#include "fuzz.h"
#include "study/study.h"

static pgb_status resolve(const char *text, pgb_study **out) {
  const pgb_request request = {.study = "fuzz", .text = text, .isa = PGB_ISA_NONE};
  return pgb_study_resolve(&request, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  PROMISE(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  pgb_study *study = NULL;
  const pgb_status s = resolve(text, &study);
  PROMISE((s.code == PGB_OK) == (study != NULL));
  if (s.code != PGB_OK)
    promise_refusal(s);
  else {
    pgb_study *again = NULL;
    PROMISE(resolve(study->config, &again).code == PGB_OK && again != NULL);
    PROMISE(strcmp(study->config, again->config) == 0);
    pgb_study_destroy(again);
  }
  pgb_study_destroy(study);
  free(text);
  return 0;
}

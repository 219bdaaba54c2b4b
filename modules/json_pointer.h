/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_pointer.h: JSON pointer (RFC 6901), merge patch (RFC 7396), and the same walk for steps of a path. */
#ifndef MM3_JSON_POINTER_H
#define MM3_JSON_POINTER_H

#include <jansson.h>
#include <mm3/module.h>

/* What a pointer leads to, borrowed. 0, -MM3_E_ABSENT, -MM3_E_PATH (not a pointer). */
int mm3j_pointer_find(json_t *root, const char *pointer, json_t **found, struct mm3_error *error);

/* Sets (value NULL: removes) what a pointer leads to in *root, which may be replaced as a whole. */
int mm3j_pointer_set(json_t **root, const char *pointer, json_t *value, struct mm3_error *error);

/* The same by steps. */
int mm3j_steps_find(json_t *root, const struct mm3_step *steps, size_t nsteps, json_t **found, const struct mm3_ctx *ctx);
int mm3j_steps_set(json_t *root, const struct mm3_step *steps, size_t nsteps, json_t *value, const struct mm3_ctx *ctx);

/* The patched value, a new reference; NULL: out of memory. */
json_t *mm3j_merge(json_t *target, json_t *patch);

#endif

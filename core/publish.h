/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* publish.h: where a new file is made, and how it gets its name. */
#ifndef MM3_CORE_PUBLISH_H
#define MM3_CORE_PUBLISH_H

#include "file.h"

struct mm3i_place {
  const char *path;
  char *folder;                /* of the path; "." when it has none */
  const char *name;            /* the path's last part */
  char *temporary;             /* NULL: the file has no name yet */
  bool replace;
};

/* Opens an empty file in the path's folder, without a name if the file system can do so, else with a temporary name.
 * Sets handle->fd. -EEXIST when the path exists and is not to be replaced. */
int mm3i_place_open(struct mm3i_place *, struct mm3i_handle *, const struct mm3_options *, struct mm3_error *);

/* Gives the file its name: -EEXIST when somebody else was quicker. */
int mm3i_place_publish(struct mm3i_place *, struct mm3i_handle *, struct mm3_error *);

void mm3i_place_undo(struct mm3i_place *);
void mm3i_place_free(struct mm3i_place *);

#endif

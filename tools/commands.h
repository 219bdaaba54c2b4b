/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* commands.h: the subcommands, one table entry each. */
#ifndef MM3_TOOLS_COMMANDS_H
#define MM3_TOOLS_COMMANDS_H

#include "tool.h"

extern const struct command command_create, command_info, command_get, command_set, command_push, command_add,
    command_del, command_check, command_export, command_import, command_schema, command_modules, command_diff, command_layout,
    command_watch, command_copy, command_hexdump, command_doctor, command_migrate, command_report;

#endif

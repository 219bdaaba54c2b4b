# SPDX-License-Identifier: MIT OR Apache-2.0
# doc/Doxyfile reads the headers through this: plain comments become Doxygen's, before a thing and behind a member.
s,^( *)/\*( |$),\1/**\2,
/^struct/!s,(;.*)/\* ,\1/**< ,
# For Doxygen a single quote ends a piece of code, unless that is in two backticks.
s/(^|[^`])(`[^`']*'[^`]*`)([^`]|$)/\1`\2`\3/g

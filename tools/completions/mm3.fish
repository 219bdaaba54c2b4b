# SPDX-License-Identifier: MIT OR Apache-2.0
# Completions of mm3 for fish: the command knows them, field names out of the file too; files besides.
complete -c mm3 -a '(mm3 help --complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'

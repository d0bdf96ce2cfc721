"""The `huika` command, for operators: every command has --help and --json, and exits 0 only on success."""

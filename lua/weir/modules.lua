--- The modules that are there for scripts, as `weir.<name>`; the rest of what is
-- embedded is machinery.
return {
  "args", "auth", "client", "err", "etag", "filter", "http", "json", "log", "needs", "page",
  "poll", "regex", "secret", "sim", "task", "yaml",
}

--- The CXone dialect: every URL, path, field name, state and limit that this
-- program knows of the API stands here and nowhere else. The simulator, the
-- filter check and the client all read this table; a tenant that differs is
-- a copy of it with other values, given to `cxone.connect{dialect = …}`.

return {
  -- Where things are ------------------------------------------------------
  base_url = "https://{tenant}.cxone.com",
  token_url = "https://login.cxone.com/as/token.oauth2",
  scope = "event-processing:read event-processing:write analytics:read",

  paths = {
    validate = "/api/v2/event-processing/filters/validate",
    filters = "/api/v2/event-processing/filters",
    filter = "/api/v2/event-processing/filters/{id}",
    status = "/api/v2/event-processing/filters/{id}/status",
    group_filters = "/api/v2/event-processing/filter-groups/{gid}/filters",
    metrics = "/api/v2/analytics/event-processing/filter-metrics",
    audit = "/api/v2/event-processing/audit-logs",
  },

  -- The scope each kind of call needs.
  scopes = {
    read = "event-processing:read",
    write = "event-processing:write",
    analytics = "analytics:read",
  },

  -- The environment that configures a connection.
  environment = {
    tenant = "CXONE_TENANT",
    client_id = "CXONE_CLIENT_ID",
    client_secret = "CXONE_CLIENT_SECRET",
    base_url = "CXONE_BASE_URL",
    token_url = "CXONE_TOKEN_URL",
    access_key_id = "CXONE_ACCESS_KEY_ID",
    access_key_secret = "CXONE_ACCESS_KEY_SECRET",
  },

  -- What a filter is ------------------------------------------------------
  filter = {
    -- What a definition may say.
    fields = {
      "name", "description", "channel", "matchers", "pattern_rules",
      "target_group_id",
    },
    channels = { "voice", "chat", "email", "sms", "web" },
    -- Owned by the server: never sent back, never in conflict.
    server_fields = {
      "id", "etag", "status", "created_at", "updated_at", "version",
    },
    -- Of the server's fields, those that an export leaves out unless asked
    -- for, so that two exports of one definition are the same bytes.
    volatile_fields = {
      "id", "etag", "status", "created_at", "updated_at", "version",
      "exported_at",
    },
    -- Lists whose elements have an identity and merge one by one.
    lists = {
      { field = "matchers", keys = { "attribute", "operator" } },
      { field = "pattern_rules", keys = { "type", "field" } },
    },
    limits = {
      name = 128,            -- bytes
      description = 1024,    -- bytes
      matchers = 50,
      pattern_rules = 50,
      in_values = 1000,
      value = 4096,          -- bytes of one string value
      path_depth = 16,       -- names in an attribute
    },
  },

  status = {
    field = "status",
    reason = "reason",
    initial = "DRAFT",
    pending = "PENDING_ACTIVATION",
    done = { "ACTIVE" },
    failed = { "FAILED", "REJECTED" },
    interval = 3,            -- seconds between two looks
    timeout = 60,            -- seconds
  },

  -- Listings --------------------------------------------------------------
  page = {
    cursor_param = "cursor",
    size_param = "page_size",
    next = "next_cursor",
    filters = { items = "filters", size = 100 },
    members = { items = "filter_ids", size = 100 },
    audit = { items = "entries", size = 50 },
  },

  metrics = {
    names = { "hit_count", "throughput_rate", "match_ratio" },
    interval = "PT5M",
    window = 3600,           -- seconds
  },

  -- How much the tenant takes ---------------------------------------------
  limit = { rate = 100, burst = 100 },
  retry = { attempts = 4, base = 0.5, cap = 20 },

  -- When the answer to a create was lost: every how many seconds, and for how
  -- long, the filter is looked for.
  lost = { interval = 2, timeout = 10 },

  -- What a filter has that is not created, since the run is a dry one.
  dry_run = { id = "dry-run-%d", etag = "\"dry-run\"" },

  -- Where servers differ, defaults first ----------------------------------
  switches = {
    put = "replaces",            -- or "merges"
    group_put = "adds",          -- or "replaces"
    metrics_start = "offset",    -- or "instant"
  },
}

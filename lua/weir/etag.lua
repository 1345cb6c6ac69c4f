--- weir.etag: change a document that others change too; the three-way merge.

local core = require "weir.core.etag"
local options = require "weir.options"
local misuse = require "weir.core".misuse

local etag = {}

-- PUTs of one update, unless the caller says otherwise (as in the core).
local ATTEMPTS = 8

local update_options = {
  base = "table", etag = "string", on_conflict = "any", attempts = "number",
  rules = "table",
}
local merge_options = { on_conflict = "any", rules = "table" }

-- From a rules table to what the core has made of it.
local compiled = setmetatable({}, { __mode = "k" })

--- What the core knows of the rules; a dialect's table may hold more, and
-- inherit. Each table is read once, as a filter's schema is.
local function rules_of(opts)
  local rules = opts.rules
  if not rules then return nil end
  local made = compiled[rules]
  if not made then
    made = core.rules { server_fields = rules.server_fields, lists = rules.lists }
    compiled[rules] = made
  end
  return made
end

--- The policy's word, or "fail" with the function that decides instead.
local function policy_of(what, opts)
  local policy = opts.on_conflict
  if type(policy) == "function" then return "fail", policy end
  if policy ~= nil and policy ~= "fail" and policy ~= "mine" and policy ~= "theirs" then
    misuse(string.format(
      "%s: on_conflict must be \"fail\", \"mine\", \"theirs\" or a function, got %s", what,
      type(policy) == "string" and string.format("%q", policy) or type(policy)))
  end
  return policy or "fail"
end

--- An err whose conflicts a script can walk.
local function with_conflicts(e)
  if e.code == "conflict" and type(e.detail) == "table" then
    e.conflicts = e.detail
  end
  return e
end

--- Asks the script about each conflict; its answers, as the core takes them.
local function decide(what, policy, conflicts)
  local choices = {}
  for i, conflict in ipairs(conflicts) do
    local answer = table.pack(policy(conflict))
    if answer.n == 0 then
      misuse(string.format("%s: on_conflict returned nothing for %s; it must return the value to "
        .. "use (nil leaves the field out)", what, conflict.path))
    end
    choices[i] = { path = conflict.path, value = answer[1] }
  end
  return core.document(what, choices)
end

--- Merges documents, with the script's decisions where it wants to make them.
local function merge(what, base, mine, theirs, rules, policy, decider)
  local merged, report, e = core.merge(base, mine, theirs, { policy = policy, rules = rules })
  if merged or not decider then return merged, report, e end
  local choices = decide(what, decider, report.conflicts)
  return core.merge(base, mine, theirs, { policy = "fail", rules = rules, choices = choices })
end

--- Merges three tables: what only one side changed against `base` is taken
-- from that side. Returns the merged table and a report {mine =, theirs =,
-- same =, conflicts =}; or nil and the err "conflict" with `conflicts`.
function etag.merge(base, mine, theirs, opts)
  opts = options.check("etag.merge", opts, merge_options)
  local policy, decider = policy_of("etag.merge", opts)
  local merged, report, e = merge("etag.merge",
    core.document("etag.merge: base", base),
    core.document("etag.merge: mine", mine),
    core.document("etag.merge: theirs", theirs),
    rules_of(opts), policy, decider)
  if not merged then return nil, with_conflicts(e) end
  return core.value(merged), report
end

--- The new state that the script's function makes of `base`. What it changed
-- is put onto the document itself, so that numbers that a Lua float cannot
-- hold stay as the server wrote them.
local function changed(base, change, rules)
  local copy = core.value(base)
  local before = core.document("etag.update", copy)
  local after = change(copy)
  if after == nil then after = copy end
  if type(after) ~= "table" then
    misuse("etag.update: the change function must return the new state, a table; got "
      .. type(after))
  end
  local mine = core.merge(before, core.document("etag.update: the new state", after), base,
    { policy = "mine", rules = rules })
  return mine
end

--- Adds paths that are not yet in the list.
local function add_paths(list, paths)
  local seen = {}
  for _, path in ipairs(list) do seen[path] = true end
  for _, path in ipairs(paths) do
    if not seen[path] then list[#list + 1] = path end
  end
end

--- An err of an update that was kept back also has the `state` that would have
-- been sent; nothing was, so nothing was merged.
local function with_state(e, client, path, args)
  if e.code ~= "denied" or (e.detail or {}).permission ~= "mutate" then
    return with_conflicts(e)
  end
  local mine = args.mine
  if not mine then
    local base, why = args.base, nil
    if not base then base, why = core.read("etag.update", client, path) end
    if not base then return why end
    mine = core.set(base, args.fields)
  end
  e.state = core.value(mine)
  return e
end

--- Updates, and asks the script whenever both sides changed a field; after its
-- decision it goes on from the state that was in the way.
local function update_deciding(client, path, args, decider, attempts)
  local what = "etag.update"
  local sent, theirs_paths, decided = 0, {}, {}
  while true do
    args.attempts = attempts - sent
    local state, info = core.update(what, client, path, args)
    if state then
      info.attempts = info.attempts + sent
      add_paths(theirs_paths, info.merged)
      info.merged = theirs_paths
      for _, conflict in ipairs(info.decided) do decided[#decided + 1] = conflict end
      info.decided = decided
      return state, info
    end
    sent = sent + (info.attempts or 0)
    if info.code ~= "conflict" or not info.detail or sent >= attempts then
      return nil, with_state(info, client, path, args)
    end
    local theirs, tag = core.read(what, client, path)
    if not theirs then return nil, tag end
    local merged, report, e = merge(what, args.base, args.mine, theirs, args.rules, "fail", decider)
    if not merged then return nil, with_conflicts(e) end
    add_paths(theirs_paths, report.theirs)
    for _, conflict in ipairs(report.conflicts) do decided[#decided + 1] = conflict end
    args.base, args.mine, args.etag = theirs, merged, tag
  end
end

--- Changes the document at `path`: reads it (or takes `base`, the state last
-- seen), puts the change with If-Match, and merges with what others changed
-- meanwhile. Returns the new state and {attempts =, merged = {paths that
-- others had changed}, decided = {conflicts that on_conflict settled},
-- etag =}; or nil and the err.
function etag.update(client, path, change, opts)
  opts = options.check("etag.update", opts, update_options)
  local policy, decider = policy_of("etag.update", opts)
  if type(change) ~= "table" and type(change) ~= "function" then
    misuse("etag.update: the change must be a table of fields or a function, got "
      .. type(change))
  end
  local attempts = opts.attempts or ATTEMPTS
  if math.type(attempts) ~= "integer" or attempts < 1 then
    misuse("etag.update: attempts must be a whole number, 1 or more")
  end
  local args = {
    etag = opts.etag, policy = policy, rules = rules_of(opts), attempts = attempts,
    base = opts.base and core.document("etag.update: base", opts.base),
  }
  local as_function = type(change) == "function"
  if not args.base and (as_function or decider) then
    local document, tag = core.read("etag.update", client, path)
    if not document then return nil, tag end
    args.base, args.etag = document, tag
  end
  if as_function then
    args.mine = changed(args.base, change, args.rules)
  else
    args.fields = core.document("etag.update: the change", change)
  end
  if decider then
    if args.fields then
      args.mine, args.fields = core.set(args.base, args.fields), nil
    end
    return update_deciding(client, path, args, decider, attempts)
  end
  local state, info = core.update("etag.update", client, path, args)
  if not state then return nil, with_state(info, client, path, args) end
  return state, info
end

return etag

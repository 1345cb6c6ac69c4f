--- Which call a request is: the dialect's paths, by the calls' short names.

local dialect = require "cxone.dialect"
local target = require "sim.target"

local router = {}

---Path of the token endpoint, from the dialect's URL of it.
router.token_path = dialect.token_url:match("^%a+://[^/]+(/.*)$")

-- The name of each call, as faults and the log use it, with the scope it
-- needs.  Literal segments win over {placeholders}: "validate" is no id.
local paths, scopes = dialect.paths, dialect.scopes
local table_of_calls = {
  { "token", "POST", router.token_path },
  { "validate", "POST", paths.validate, scopes.write },
  { "create", "POST", paths.filters, scopes.write },
  { "list", "GET", paths.filters, scopes.read },
  { "get", "GET", paths.filter, scopes.read },
  { "update", "PUT", paths.filter, scopes.write },
  { "delete", "DELETE", paths.filter, scopes.write },
  { "status", "GET", paths.status, scopes.read },
  { "assign", "PUT", paths.group_filters, scopes.write },
  { "members", "GET", paths.group_filters, scopes.read },
  { "metrics", "GET", paths.metrics, scopes.analytics },
  { "audit", "GET", paths.audit, scopes.read },
}

---@class sim.Call
---@field name string
---@field method string
---@field template string[]
---@field scope string?

---@type table<string, sim.Call>
router.calls = {}
local routes = {}
for _, row in ipairs(table_of_calls) do
  local call = { name = row[1], method = row[2], scope = row[4], template = {} }
  for segment in row[3]:gmatch("/([^/]+)") do
    call.template[#call.template + 1] = segment
  end
  router.calls[call.name] = call
  routes[#routes + 1] = call
end

local function match(template, segments)
  if #template ~= #segments then
    return nil
  end
  local params = {}
  for i, segment in ipairs(segments) do
    local name = template[i]:match("^{(.+)}$")
    if name and segment ~= "" then
      params[name] = segment
    elseif template[i] ~= segment then
      return nil
    end
  end
  return params
end

---Finds the call; without one, the methods that the path does know.
---@param method string
---@param segments string[]
---@return sim.Call? call
---@return table<string, string>|string[] params_or_methods
function router.find(method, segments)
  local methods = {}
  if method == "HEAD" then
    method = "GET"
  end
  for _, call in ipairs(routes) do
    local params = match(call.template, segments)
    if params and call.method == method then
      return call, params
    elseif params then
      methods[#methods + 1] = call.method
    end
  end
  return nil, methods
end

---The path of a call with its placeholders filled.
---@param name string
---@param params table<string, string>
---@return string
function router.path(name, params)
  local path = ""
  for _, segment in ipairs(router.calls[name].template) do
    local key = segment:match("^{(.+)}$")
    path = path .. "/" .. (key and target.encode(params[key]) or segment)
  end
  return path
end

return router

---@meta weir.needs

---A script declares what it needs once, in its first statement, and gets that
---and no more. The declaration is read before anything runs, so it holds
---constants only; what is left out is not granted.
---
---```text
---local granted = weir.needs {
---  net = { "tenant", "*.example.com", "10.0.0.0/8" },
---  read = { "/etc/deploy" },
---  write = { "out" },
---  env = { "DEPLOY_REGION" },
---  mutate = true,
---}
---print(granted.mutate, #granted.net)
---```
---
---Every request is asked for twice: by the name in its URL, and by the address that
---the name has led to. Behind a proxy only the proxy knows the address, and the name
---alone counts.
---
---Flags of `weir run` narrow it (`--net=`, `--deny-write`, `--dry-run`, …) and
---never widen it. What is denied fails with the code "denied", and the err
---says how it is declared or which flag took it away; `err.detail` has the
---`permission` and what was `asked`.
---@class weir.needs
---@overload fun(declaration: weir.needs.Declaration): weir.needs.Granted
local needs = {}

---@class weir.needs.Declaration
---@field net? string[]   a name, `*.name`, an address, a block, each with or without
---`:port`; "localhost"; "tenant" for the tenant in use and its token endpoint. A name alone
---leads to no address of this machine or its networks.
---@field read? string[]  files and folders with all beneath; relative ones are the script's
---@field write? string[] the same
---@field env? string[]   names of the environment, in full
---@field mutate? boolean true: calls that change something are sent. Otherwise they are
---reported as "would send …" and end as "denied".

---What a run may do, with absolute paths; flags may have narrowed it.
---@class weir.needs.Granted
---@field net string[]
---@field read string[]
---@field write string[]
---@field env string[]
---@field mutate boolean

---What the run may do; nil where it is not confined.
---@return weir.needs.Granted?
function needs.granted() end

return needs

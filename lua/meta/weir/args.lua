---@meta weir.args

---A script declares its parameters once, and gets parsing, `--help`, errors
---with exit code 64, and completion in the shell. `weir.args` is called with
---the declaration; it reads the script's own arguments.
---
---```lua
---local args = weir.args {
---  about = "Deploys a filter to each region.",
---  { name = "region", many = true, required = false, choices = { "emea", "apac" } },
---  { name = "--channel", short = "-c", default = "chat", env = "DEPLOY_CHANNEL",
---    help = "where the filter listens" },
---  { name = "--wait", type = "seconds", default = 60 },
---  { name = "--quiet", type = "flag" },
---}
---if not args.quiet then print(args.channel, args.wait, #args.region) end
---```
---
---Options and arguments may be mixed; `--name value`, `--name=value`,
---`-cvalue`, `--no-quiet` and `--` work as elsewhere. Completion reads the
---declaration without running the script, so it sees only constants.
---@class weir.args
---@overload fun(declaration: weir.args.Declaration): weir.args.Values
local args = {}

---@alias weir.args.Type
---| "string"
---| "integer" # a whole number, within min and max
---| "number"  # within min and max
---| "seconds" # 90, 1.5s, 500ms, 2m, 1h; the value is a number of seconds
---| "file"    # a file that can be read
---| "path"    # a path that need not exist
---| "flag"    # --name or --no-name; true or false

---@class weir.args.Parameter
---@field name string       "--page-size", an option; "region", an argument (key: page_size)
---@field short? string     "-c", of an option
---@field type? weir.args.Type  default "string"
---@field help? string      one line
---@field value? string     what stands for the value in --help; default the key in capitals
---@field default? any      of the parameter's type; a list where `many`
---@field choices? any[]    the only values that are taken
---@field required? boolean default: true for an argument without a default
---@field env? string       the variable that is read where the words say nothing
---@field many? boolean     a list: an option repeated, or the last arguments
---@field min? number
---@field max? number

---@class weir.args.Declaration
---@field [integer] weir.args.Parameter
---@field about? string     what the script does, for --help
---@field name? string      how it is called; default "weir run" and the script's path
---@field examples? string  a line each, for --help

---@class weir.args.Values
---@field [string] any      reading a name that was not declared raises

---Reads `words` by the declaration, for a script with words of its own.
---Returns the values; nil and the text of --help where that was asked for; or
---nil and an err ("usage"). A fault of the declaration raises.
---@param declaration weir.args.Declaration
---@param words string[]
---@param opts? { program?: string, getenv?: fun(name: string): string? }
---@return weir.args.Values?
---@return string|weir.err.Err?
function args.parse(declaration, words, opts) end

return args

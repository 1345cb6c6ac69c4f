-- The API reference, made from the stubs in the program: `weir run
-- scripts/docs/make.lua FOLDER` writes a Markdown page for each module and
-- weir-lua(7) there.

local man = require "man"
local markdown = require "markdown"
local model = require "model"

local args = weir.args {
  about = "Writes the API reference as Markdown and as a manual page.",
  { name = "folder", help = "where to; it must be there" },
}

local reference = model.read()
local files = markdown.render(reference, weir.version)
files["weir-lua.7"] = man.render(reference, weir.version)
for name, text in pairs(files) do
  local file = assert(io.open(args.folder .. "/" .. name, "wb"))
  assert(file:write(text))
  assert(file:close())
end

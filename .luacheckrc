-- Every global but Lua's own and the host's two is a mistake.
std = "lua54"
read_globals = { "weir", "cxone" }
max_line_length = 100
files["lua/meta"] = { ignore = { "212", "241", "111", "122", "131" } }

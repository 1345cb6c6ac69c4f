weir.needs { net = { "tenant" } }
print("bundle runs", ...)

"""The command line: one module a noun, drawn by `render`, guarded by `boundary`."""

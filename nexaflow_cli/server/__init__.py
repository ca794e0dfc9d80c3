"""The control plane: REST, live socket and their gate, over a running daemon."""

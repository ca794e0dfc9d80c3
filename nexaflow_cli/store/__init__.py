"""SQLite: what is durable. One connection writes, in groups; others only read."""

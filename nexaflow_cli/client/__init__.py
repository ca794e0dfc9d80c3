"""Everything that talks to a daemon over the network."""

"""The process: what the engine decides is made durable here, and then done."""

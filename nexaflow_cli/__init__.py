"""NexaFlow: workflow automation as YAML, run by one small durable daemon."""

__version__ = "2.0.0"

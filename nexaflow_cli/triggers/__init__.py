"""Who starts runs: which workflows an event concerns, and when schedules tick."""

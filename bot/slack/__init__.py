"""The Slack face: listeners acknowledge, call the desk, show a view."""

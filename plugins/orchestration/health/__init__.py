"""Is everything in? A verdict that knows calendar and windows (lesson K11). Pure."""

"""The bot's own web server: the signing page, health and metrics."""

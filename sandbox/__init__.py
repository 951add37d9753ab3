"""A Discord and an AO network on one machine, to try the bot and to test it. Speaks only public protocols."""

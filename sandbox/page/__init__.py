"""The sandbox's page: what a person sees and does, and what goes on behind the scenes."""

"""The sandbox's page: what a person sees and does, and what goes on behind the scenes."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""The page itself: HTML, style sheets and scripts, served as they are."""

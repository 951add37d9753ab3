"""Safe words: two words, one pair per person, in every DM. A fake bot cannot know them.

The words are short, plain, common, distinct by ear, and together harmless. 72 × 72 pairs: one blind guess in 5,184
is right.
"""

from __future__ import annotations

import secrets

FIRST = tuple(
    """amber ample autumn azure bamboo basil bold brave breezy bright calm candid cedar clear clever cobalt
    copper coral cosy crisp curly daring dawn deep dusty early easy fair fern fresh gentle ginger golden grand
    green hazel humble indigo ivory jade jolly keen kind lemon light lilac lively lucky maple mellow merry
    mint misty modest noble olive opal pearl plain proud quick quiet robin rosy ruby sandy silver smooth snowy
    solar spring swift""".split()
)
SECOND = tuple(
    """acorn anchor apple badger basket beacon beaver bench birch bridge button canyon castle cherry clover comet
    cricket daisy dolphin drum eagle falcon feather fiddle finch forest fox garden glacier harbor heron hill
    island kettle kite ladder lantern lark leaf lemur lighthouse lynx magpie marble meadow melon moon mountain
    otter owl panda pebble pepper pine planet plum pond puffin rabbit raven river rocket sail seal shell
    sparrow spoon squirrel star stone swan turtle""".split()
)


def new_safe_word() -> str:
    """Give a random pair, such as `amber otter`."""
    return f"{secrets.choice(FIRST)} {secrets.choice(SECOND)}"

"""What Patchbell knows and decides, pure: no I/O, no Discord, no SQL."""

"""Patchbell: it rings until you are patched."""
